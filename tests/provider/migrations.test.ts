import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { listMigrations, poll } from "@bluegreen/release";
import { findProcesses } from "../../local/system/processes";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";
import { makeFolder, type MigrationFolder } from "../integration/migrationFolder";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

describe("The migrations, in Pulumi's provider process, on a real cluster and PostgreSQL", () => {
  let test: TestNamespace;
  let databases: TestDatabases;
  let migrations: MigrationFolder;
  let url: string;
  let step: RunningStep;
  let provider: () => Promise<number>;
  before(async () => {
    [test, databases] = await Promise.all([makeNamespace(), startDatabases()]);
  });
  after(async () => {
    await databases.stop();
    await test.remove();
  });
  beforeEach(async () => {
    [migrations, url] = await Promise.all([makeFolder(), databases.fresh()]);
    const metadata = { name: "db-credentials", namespace: test.namespace };
    await test.cluster.core.deleteNamespacedSecret(metadata).catch(() => undefined);
    await test.cluster.core.createNamespacedSecret({
      namespace: test.namespace,
      body: { metadata, stringData: { url } },
    });
    const mark = `MARK=${randomBytes(4).toString("hex")}`;
    step = await startStep("migrations", {
      KUBECONFIG: test.stage.kubeconfig,
      MARK: mark.slice("MARK=".length),
    });
    provider = () =>
      poll(async () => (await findProcesses((_args, environment) => environment.includes(mark)))[0], {
        timeoutMs: 300_000,
      });
    await migrations.write(
      "0001_users.sql",
      "-- phase: expand\nCREATE TABLE users (id bigint PRIMARY KEY, done int NOT NULL DEFAULT 0);\nINSERT INTO users SELECT n FROM generate_series(1, 3000) n;\nANALYZE users",
    );
  });
  afterEach(async () => {
    await step.close();
    await migrations.remove();
  });

  const fill = (where: string) =>
    migrations.write(
      "0002_fill.sql",
      `-- phase: backfill\n-- batch: users by id\nUPDATE users SET done = done + 1 WHERE id BETWEEN :first AND :last${where}`,
    );
  const inputs = () => ({
    ...test.where,
    activeColor: "blue",
    strategy: "shared",
    databaseSecret: "db-credentials",
    templates: { blue: "aaa", green: null },
    folder: migrations.folder,
    migrations: listMigrations(migrations.folder),
  });
  const create = () => step.create(inputs());
  const running = () =>
    query(url, "SELECT pid FROM pg_stat_activity WHERE query LIKE 'UPDATE users%' AND state = 'active'");
  /**
   * Ends the provider's process in the middle of a statement that would take a minute. @returns what the
   * update fails with
   */
  const interrupt = async (signal: NodeJS.Signals) => {
    await fill(" AND (id <> 1500 OR pg_sleep(60) IS NULL)");
    const failing = failureOf(create());
    await poll(async () => (await running())[0], { timeoutMs: 300_000 });
    process.kill(await provider(), signal);
    return failing;
  };

  it("show a backfill's progress, and each that was applied, in the update's output", async () => {
    await fill("");
    expect(await create()).to.deep.include({ applied: ["0001", "0002"], schemaVersion: "0002" });
    await step.shows("0002_fill: applied");
    // What takes a second is said with its seconds.
    expect(step.shown[0]).to.match(/^0001_users: applied( in \d+ s)?$/);
    expect(step.shown[1]).to.match(
      /^0002_fill: 1,000 of about 3,000 rows, [\d,]+ rows\/s, about \d+ s left$/,
    );
    expect(step.shown.at(-1)).to.match(/^0002_fill: applied, 3,000 rows( in \d+ s)?$/);
  });

  it("fail the preview by what the linter finds in new files, and by files that changed; what was applied is not checked again", async () => {
    await migrations.write("0002_drop.sql", "-- phase: expand\nALTER TABLE users DROP COLUMN done");
    const [found, ...rest] = await step.check(inputs());
    expect(rest).to.deep.equal([]);
    expect(found?.property).to.equal("migrations");
    expect(found?.reason)
      .to.contain("0002_drop.sql:2:")
      .and.contain(" was refused: drop-column")
      .and.contain("write instead:");
    await query(url, "CREATE TABLE users (id bigint PRIMARY KEY)");
    await query(
      url,
      "CREATE TABLE schema_migrations (id text PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), checksum text, phase text)",
    );
    await query(
      url,
      "INSERT INTO schema_migrations VALUES ('0001', 'users', now(), 'other', 'expand'), ('0002', 'drop', now(), NULL, 'expand')",
    );
    const reasons = (await step.check(inputs())).map(({ reason }) => reason);
    expect(reasons).to.have.length(1);
    expect(reasons[0]).to.contain("an applied file never changes");
  });

  it("run again when the database lacks what the state knows as done: it may have been restored from a backup", async () => {
    expect(await step.changes(inputs(), inputs())).to.equal("some");
    await create();
    expect(await step.changes(inputs(), inputs())).to.equal("none");
    await query(url, "DELETE FROM schema_migrations");
    expect(await step.changes(inputs(), inputs())).to.equal("some");
  });

  it("say in preview that the database could not be asked, and check the files all the same", async () => {
    const metadata = { name: "db-credentials", namespace: test.namespace };
    await test.cluster.core.replaceNamespacedSecret({
      ...metadata,
      body: { metadata, stringData: { url: "postgres://app:hunter2@127.0.0.1:1/app" } },
    });
    expect(await step.check(inputs())).to.deep.equal([]);
    await step.shows("The database was not asked");
    await step.shows("ECONNREFUSED");
    expect(step.shown.join()).not.to.contain("hunter2");
    await migrations.write("0002_drop.sql", "-- phase: expand\nDROP TABLE users");
    expect(await step.check(inputs())).to.have.length(1);
  });

  it("run a backfill in TypeScript there, where nothing else is compiled", async () => {
    await migrations.write(
      "0002_fill.ts",
      "// phase: backfill\n// batch: users by id\nexport default async (db: { query(sql: string, values: string[]): Promise<unknown> }, { first, last }: Record<string, [string]>): Promise<void> => {\n  await db.query('UPDATE users SET done = 7 WHERE id BETWEEN $1 AND $2', [first[0], last[0]]);\n};",
    );
    expect(await step.check(inputs())).to.deep.equal([]);
    expect(await create()).to.deep.include({ applied: ["0001", "0002"] });
    expect(await query(url, "SELECT DISTINCT done FROM users")).to.deep.equal([{ done: 7 }]);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`cancel the statement in PostgreSQL on ${signal}, and say how far they came`, async () => {
      expect(await interrupt(signal))
        .to.contain("Migration 0002_fill was canceled and stopped")
        .and.contain(signal);
      expect(await running()).to.deep.equal([]);
      expect(await query(url, "SELECT rows_done::int FROM schema_backfills")).to.deep.equal([
        { rows_done: 1000 },
      ]);
    });
  }

  it("leave no statement behind when their process is killed: PostgreSQL notices within seconds", async () => {
    await interrupt("SIGKILL");
    await poll(async () => ((await running()).length === 0 ? true : undefined), { timeoutMs: 300_000 });
    expect(await query(url, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).to.deep.equal([]);
  });
});
