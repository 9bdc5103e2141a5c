import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { failureOf } from "../support/read";
import { query } from "../../local/testing/database";
import { withUser, type MigrationFolder } from "./migrationFolder";
import { withMigrationFixture } from "./migrationFixture";

describe("Migrations without a transaction, on a real PostgreSQL", () => {
  let migrations: MigrationFolder;
  let url: string;
  withMigrationFixture(async (fixture) => {
    ({ migrations, url } = fixture);
    await query(url, "CREATE TABLE one (id int PRIMARY KEY, a int, b int)");
    await query(url, "INSERT INTO one SELECT n, n % 10, n FROM generate_series(1, 1000) n");
  });

  const write = (file: string, sql: string) =>
    migrations.write(file, `-- phase: expand\n-- no-transaction\n${sql}`);
  const indexes = async (): Promise<Record<string, unknown>> =>
    Object.fromEntries(
      (
        await query(
          url,
          "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE indrelid::regclass::text IN ('one', 'two') AND NOT indisprimary ORDER BY 1",
        )
      ).map(({ relname, indisvalid }) => [String(relname), indisvalid]),
    );
  const oidOf = async (index: string) =>
    (await query(url, "SELECT to_regclass($1)::oid AS oid", [index]))[0]?.["oid"];
  /** Leaves an INVALID index, as PostgreSQL itself does. */
  const leaveInvalid = (sql: string) => failureOf(query(url, sql));

  /**
   * Runs the migrations, and ends their backend while a statement waits for what another transaction of the
   * app has done. @returns the error
   */
  const terminate = (statement: string, appDid: string) =>
    withUser(url, async (user) => {
      await user.query(`BEGIN; ${appDid}`);
      const run = failureOf(migrations.run(url));
      const waiting = await poll(
        async () =>
          (
            await query(
              url,
              "SELECT pid FROM pg_stat_activity WHERE starts_with(query, $1) AND wait_event_type = 'Lock'",
              [statement],
            )
          )[0],
        { timeoutMs: 300_000, intervalMs: 20 },
      );
      await query(url, "SELECT pg_terminate_backend($1)", [waiting["pid"]]);
      const message = await run;
      await user.query("COMMIT");
      return message;
    });

  it("drops the INVALID index of an earlier attempt and builds it again, IF NOT EXISTS or not; a foreign one stays", async () => {
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY one_a ON one (a)");
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY one_b ON one (a)");
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY foreign_one ON one (a)");
    const foreign = await oidOf("foreign_one");
    await write(
      "0001_a.sql",
      "CREATE INDEX CONCURRENTLY one_a ON one (a);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS one_b ON public.one (b)",
    );
    const said: string[] = [];
    await migrations.run(url, { onNotice: (line) => said.push(line) });
    expect(await indexes()).to.deep.equal({ foreign_one: false, one_a: true, one_b: true });
    expect(await oidOf("foreign_one")).to.equal(foreign);
    expect(said).to.deep.equal([
      "0001_a: dropping public.one_a, which an interrupted build has left INVALID",
      "0001_a: dropping public.one_b, which an interrupted build has left INVALID",
    ]);
  });

  it("leaves an index of the same name on another table alone, and does not take it for its own", async () => {
    await query(url, "CREATE TABLE two (id int, a int)");
    await query(url, "INSERT INTO two VALUES (1, 1), (1, 1)");
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY one_a ON two (a)");
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS one_a ON one (a)");
    expect(await failureOf(migrations.run(url))).to.contain(
      'the index one_a of "one" is not valid after it was built',
    );
    expect(await indexes()).to.deep.equal({ one_a: false });
    expect(await query(url, "SELECT id FROM schema_migrations")).to.deep.equal([]);
  });

  it("does not try a unique violation again, and leaves no INVALID index that refuses live writes", async () => {
    await write("0001_a.sql", "CREATE UNIQUE INDEX CONCURRENTLY one_a ON one (a)");
    const said: string[] = [];
    expect(await failureOf(migrations.run(url, { onNotice: (line) => said.push(line) })))
      .to.contain("could not create unique index")
      .and.contain("stopped at statement 1 of 1");
    expect(said).to.deep.equal([]);
    expect(await indexes()).to.deep.equal({});
    await query(url, "UPDATE one SET a = id");
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
    expect(await indexes()).to.deep.equal({ one_a: true });
  });

  it("continues after its backend was terminated in the middle of a build", async () => {
    await write("0001_a.sql", "CREATE TABLE two (id int);\nCREATE INDEX CONCURRENTLY one_a ON one (a)");
    expect(await terminate("CREATE INDEX", "UPDATE one SET b = 0 WHERE id = 1"))
      .to.contain("terminating connection")
      .and.contain("0001_a.sql:4");
    expect(await indexes()).to.deep.equal({ one_a: false });
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
    expect(await indexes()).to.deep.equal({ one_a: true });
  });

  for (const [sql, appDid, left] of [
    // Writers are waited for before the new index is filled, readers before the old one is dropped.
    ["REINDEX INDEX CONCURRENTLY one_a", "UPDATE one SET b = 0 WHERE id = 1", "one_a_ccnew"],
    ["REINDEX INDEX CONCURRENTLY one_a", "SELECT FROM one", "one_a_ccold"],
    ["REINDEX TABLE CONCURRENTLY public.one", "UPDATE one SET b = 0 WHERE id = 1", "one_a_ccnew"],
    ["REINDEX (VERBOSE, CONCURRENTLY) SCHEMA public", "UPDATE one SET b = 0 WHERE id = 1", "one_a_ccnew"],
  ] as const) {
    it(`cleans up after ${sql} whose backend was terminated, and does it again: ${left}`, async () => {
      await query(url, "CREATE INDEX one_a ON one (a)");
      await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY foreign_one ON one (a)");
      await write("0001_a.sql", sql);
      const before = await oidOf("one_a");
      expect(await terminate("REINDEX", appDid))
        .to.contain("terminating connection")
        .and.contain("0001_a.sql:3");
      expect(await indexes()).to.include({ foreign_one: false, one_a: true, [left]: false });
      const said: string[] = [];
      expect((await migrations.run(url, { onNotice: (line) => said.push(line) })).applied).to.deep.equal([
        "0001",
      ]);
      expect(await indexes()).to.deep.equal({ foreign_one: false, one_a: true });
      expect(await oidOf("one_a")).not.to.equal(before);
      expect(said).to.include(
        `0001_a: dropping public.${left}, which an interrupted REINDEX has left INVALID`,
      );
    });
  }

  it("leaves what another index's REINDEX has left, and finds a name that PostgreSQL had to shorten", async () => {
    const long = "a".repeat(63);
    await query(url, `CREATE INDEX ${long} ON one (a)`);
    await leaveInvalid("CREATE UNIQUE INDEX CONCURRENTLY one_b_ccnew ON one (a)");
    await write("0001_a.sql", `REINDEX INDEX CONCURRENTLY ${long}`);
    await terminate("REINDEX", "UPDATE one SET b = 0 WHERE id = 1");
    expect(await indexes()).to.deep.equal({
      [long]: true,
      [`${"a".repeat(57)}_ccnew`]: false,
      one_b_ccnew: false,
    });
    await migrations.run(url);
    expect(await indexes()).to.deep.equal({ [long]: true, one_b_ccnew: false });
  });

  it("leaves nothing of a REINDEX that gave up waiting", async () => {
    await query(url, "CREATE INDEX one_a ON one (a)");
    await write("0001_a.sql", "REINDEX INDEX CONCURRENTLY one_a");
    await withUser(url, async (user) => {
      await user.query("BEGIN; UPDATE one SET b = 0 WHERE id = 1");
      const message = failureOf(migrations.run(url, { concurrentLockTimeoutMs: 300, tries: 1 }));
      // What is left can be dropped only when the transaction is over that the REINDEX waited for.
      await poll(
        async () =>
          (
            await query(
              url,
              "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DROP INDEX%' AND wait_event_type = 'Lock'",
            )
          )[0],
        { timeoutMs: 300_000, intervalMs: 20 },
      );
      await user.query("COMMIT");
      expect(await message).to.contain("application the app");
    });
    expect(await indexes()).to.deep.equal({ one_a: true });
  });

  it("finalizes a partition whose detaching was interrupted; one that somebody else has detached is refused", async () => {
    await query(url, "CREATE TABLE parts (id int) PARTITION BY LIST (id)");
    for (const id of [1, 2])
      await query(url, `CREATE TABLE "Part ${id}" PARTITION OF parts FOR VALUES IN (${id})`);
    const partitions = () =>
      query(
        url,
        "SELECT inhrelid::regclass::text AS name, inhdetachpending AS pending FROM pg_inherits WHERE inhparent = 'parts'::regclass ORDER BY 1",
      );
    await write("0001_a.sql", 'ALTER TABLE parts DETACH PARTITION "Part 1" CONCURRENTLY');
    expect(await terminate("ALTER TABLE", "SELECT FROM parts")).to.contain("terminating connection");
    expect(await partitions()).to.deep.equal([
      { name: '"Part 1"', pending: true },
      { name: '"Part 2"', pending: false },
    ]);
    const said: string[] = [];
    expect((await migrations.run(url, { onNotice: (line) => said.push(line) })).applied).to.deep.equal([
      "0001",
    ]);
    expect(said).to.deep.equal([
      '0001_a: finalizing "Part 1", which an interrupted run has begun to detach from "parts"',
    ]);
    expect(await partitions()).to.deep.equal([{ name: '"Part 2"', pending: false }]);
    // Somebody else's decision is not this migration's: there was no earlier attempt.
    await query(url, 'ALTER TABLE parts DETACH PARTITION "Part 2"');
    await write("0002_b.sql", 'ALTER TABLE parts DETACH PARTITION "Part 2" CONCURRENTLY');
    for (let attempt = 1; attempt <= 2; attempt++)
      expect(await failureOf(migrations.run(url))).to.contain('"Part 2" is not a partition');
  });

  it("waits long for older transactions, where DDL would have given up, and names them when even that ends", async () => {
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY one_a ON one (a)");
    await withUser(url, async (user) => {
      await user.query("BEGIN; UPDATE one SET b = 0 WHERE id = 1");
      const message = await failureOf(
        migrations.run(url, { tableLockTimeoutMs: 50, concurrentLockTimeoutMs: 700, tries: 2 }),
      );
      expect(message).to.contain("application the app").and.contain("UPDATE one SET b = 0");
      const run = migrations.run(url, { tableLockTimeoutMs: 50 });
      await poll(
        async () =>
          (
            await query(
              url,
              "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%INDEX CONCURRENTLY%' AND now() - query_start > '500ms' AND wait_event_type = 'Lock'",
            )
          )[0],
        { timeoutMs: 300_000 },
      );
      await user.query("COMMIT");
      expect((await run).applied).to.deep.equal(["0001"]);
    });
    expect(await indexes()).to.deep.equal({ one_a: true });
  });

  it("keeps what was executed before a failing statement, and does not execute it again", async () => {
    await write(
      "0001_steps.sql",
      "INSERT INTO one VALUES (1001);\nCREATE INDEX CONCURRENTLY one_a ON one (a);\nINSERT INTO nowhere VALUES (1);\nINSERT INTO one VALUES (1002)",
    );
    expect(await failureOf(migrations.run(url)))
      .to.contain('"nowhere" does not exist')
      .and.contain("stopped at statement 3 of 4")
      .and.contain("0001_steps.sql:5");
    expect(await query(url, "SELECT id FROM one WHERE id > 1000 ORDER BY id")).to.deep.equal([{ id: 1001 }]);
    expect(await query(url, "SELECT id FROM schema_migrations")).to.deep.equal([]);
    await write(
      "0001_steps.sql",
      "INSERT INTO one VALUES (1003);\nCREATE INDEX CONCURRENTLY one_a ON one (a)",
    );
    expect(await failureOf(migrations.run(url))).to.contain(
      "its statement 1 is not the one that an interrupted run has executed",
    );
    await write(
      "0001_steps.sql",
      "INSERT INTO one VALUES (1001);\nCREATE INDEX CONCURRENTLY one_a ON one (a);\nINSERT INTO one VALUES (1002)",
    );
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
    expect(await query(url, "SELECT id FROM one WHERE id > 1000 ORDER BY id")).to.deep.equal([
      { id: 1001 },
      { id: 1002 },
    ]);
    expect(await query(url, "SELECT * FROM schema_migration_statements")).to.deep.equal([]);
  });

  it("does not take a valid index for its own that was there before it began", async () => {
    await query(url, "CREATE INDEX one_a ON one (b)");
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY one_a ON one (a)");
    expect(await failureOf(migrations.run(url))).to.contain('"one_a" already exists');
    // Nor because an earlier attempt of its own has failed on it.
    expect(await failureOf(migrations.run(url))).to.contain('"one_a" already exists');
  });

  it("wants a name for what it may have to find again", async () => {
    await write("0001_a.sql", "CREATE INDEX CONCURRENTLY ON one (a)");
    expect(await failureOf(migrations.run(url))).to.contain("an index without a name");
  });
});
