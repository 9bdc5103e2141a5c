import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { query, startDatabases, type TestDatabases } from "./database";
import { failure, makeFolder, withUser, type MigrationFolder } from "./migrationFolder";

describe("Migrations without a transaction, on a real PostgreSQL", () => {
  let databases: TestDatabases;
  let migrations: MigrationFolder;
  let url: string;
  before(async () => {
    databases = await startDatabases();
  });
  after(() => databases.stop());
  beforeEach(async () => {
    migrations = await makeFolder();
    url = await databases.fresh();
    await query(url, "CREATE TABLE one (id int PRIMARY KEY, a int, b int)");
    await query(url, "INSERT INTO one SELECT n, n % 10, n FROM generate_series(1, 1000) n");
  });
  afterEach(() => migrations.remove());

  const write = (file: string, sql: string) => migrations.write(file, `-- phase: expand\n-- no-transaction\n${sql}`);
  const indexes = async (): Promise<Record<string, unknown>> =>
    Object.fromEntries(
      (await query(url, "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE indrelid::regclass::text IN ('one', 'two') AND NOT indisprimary ORDER BY 1")).map(({ relname, indisvalid }) => [String(relname), indisvalid]),
    );
  const oidOf = async (index: string) => (await query(url, "SELECT to_regclass($1)::oid AS oid", [index]))[0]?.["oid"];
  /** Leaves an INVALID index, as PostgreSQL itself does. */
  const leaveInvalid = (sql: string) => failure(query(url, sql));

  it("drops the INVALID index of an earlier attempt and builds it again, IF NOT EXISTS or not; a foreign one stays", async () => {
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY one_a ON one (a)");
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY one_b ON one (a)");
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY foreign_one ON one (a)");
    const foreign = await oidOf("foreign_one");
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY one_a ON one (a);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS one_b ON public.one (b)");
    const said: string[] = [];
    await migrations.run(url, { onNotice: (line) => said.push(line) });
    expect(await indexes()).to.deep.equal({ foreign_one: false, one_a: true, one_b: true });
    expect(await oidOf("foreign_one")).to.equal(foreign);
    expect(said).to.deep.equal(["0001_a: dropping public.one_a, which an interrupted build has left INVALID", "0001_a: dropping public.one_b, which an interrupted build has left INVALID"]);
  });

  it("leaves an index of the same name on another table alone, and does not take it for its own", async () => {
    await query(url, "CREATE TABLE two (id int, a int)");
    await query(url, "INSERT INTO two VALUES (1, 1), (1, 1)");
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY one_a ON two (a)");
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS one_a ON one (a)");
    expect(await failure(migrations.run(url))).to.contain("the index one_a of \"one\" is not valid after it was built");
    expect(await indexes()).to.deep.equal({ one_a: false });
    expect(await query(url, "SELECT id FROM schema_migrations")).to.deep.equal([]);
  });

  it("does not try a unique violation again, and leaves no INVALID index that refuses live writes", async () => {
    await write("0001_a.sql", "CREATE UNIQUE INDEX CONCURRENTLY one_a ON one (a)");
    const said: string[] = [];
    expect(await failure(migrations.run(url, { onNotice: (line) => said.push(line) }))).to.contain("could not create unique index").and.contain("stopped at statement 1 of 1");
    expect(said).to.deep.equal([]);
    expect(await indexes()).to.deep.equal({});
    await query(url, "UPDATE one SET a = id");
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
    expect(await indexes()).to.deep.equal({ one_a: true });
  });

  it("goes on after its backend was terminated in the middle of a build", async () => {
    await write("0001_a.sql", "CREATE TABLE two (id int);\nCREATE INDEX CONCURRENTLY one_a ON one (a)");
    await withUser(url, async (user) => {
      await user.query("BEGIN; UPDATE one SET b = 0 WHERE id = 1");
      const run = failure(migrations.run(url));
      const builder = await poll(async () => (await query(url, "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'"))[0], { timeoutMs: 10_000, intervalMs: 20 });
      await query(url, "SELECT pg_terminate_backend($1)", [builder["pid"]]);
      expect(await run).to.contain("terminating connection").and.contain("0001_a.sql:4");
      await user.query("COMMIT");
    });
    expect(await indexes()).to.deep.equal({ one_a: false });
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
    expect(await indexes()).to.deep.equal({ one_a: true });
  });

  it("waits long for older transactions, where DDL would have given up, and names them when even that ends", async () => {
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY one_a ON one (a)");
    await withUser(url, async (user) => {
      await user.query("BEGIN; UPDATE one SET b = 0 WHERE id = 1");
      const message = await failure(migrations.run(url, { tableLockTimeoutMs: 50, concurrentLockTimeoutMs: 700, tries: 2 }));
      expect(message).to.contain("application the app").and.contain("UPDATE one SET b = 0");
      const run = migrations.run(url, { tableLockTimeoutMs: 50 });
      await poll(async () => (await query(url, "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%INDEX CONCURRENTLY%' AND now() - query_start > '500ms' AND wait_event_type = 'Lock'"))[0], { timeoutMs: 10_000 });
      await user.query("COMMIT");
      expect((await run).applied).to.deep.equal(["0001"]);
    });
    expect(await indexes()).to.deep.equal({ one_a: true });
  });

  it("keeps what was executed before a failing statement, and does not execute it again", async () => {
    await write("0001_steps.sql", "INSERT INTO one VALUES (1001);\nCREATE INDEX CONCURRENTLY one_a ON one (a);\nINSERT INTO nowhere VALUES (1);\nINSERT INTO one VALUES (1002)");
    expect(await failure(migrations.run(url))).to.contain('"nowhere" does not exist').and.contain("stopped at statement 3 of 4").and.contain("0001_steps.sql:5");
    expect(await query(url, "SELECT id FROM one WHERE id > 1000 ORDER BY id")).to.deep.equal([{ id: 1001 }]);
    expect(await query(url, "SELECT id FROM schema_migrations")).to.deep.equal([]);
    await write("0001_steps.sql", "INSERT INTO one VALUES (1003);\nCREATE INDEX CONCURRENTLY one_a ON one (a)");
    expect(await failure(migrations.run(url))).to.contain("its statement 1 is not the one that an interrupted run has executed");
    await write("0001_steps.sql", "INSERT INTO one VALUES (1001);\nCREATE INDEX CONCURRENTLY one_a ON one (a);\nINSERT INTO one VALUES (1002)");
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
    expect(await query(url, "SELECT id FROM one WHERE id > 1000 ORDER BY id")).to.deep.equal([{ id: 1001 }, { id: 1002 }]);
    expect(await query(url, "SELECT * FROM schema_migration_statements")).to.deep.equal([]);
  });

  it("does not take a valid index for its own that was there before it began", async () => {
    await query(url, "CREATE INDEX one_a ON one (b)");
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY one_a ON one (a)");
    expect(await failure(migrations.run(url))).to.contain('"one_a" already exists');
    // Nor because an earlier attempt of its own has failed on it.
    expect(await failure(migrations.run(url))).to.contain('"one_a" already exists');
  });

  it("wants a name for what it may have to find again", async () => {
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY ON one (a)");
    expect(await failure(migrations.run(url))).to.contain("an index without a name");
  });
});
