import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { listMigrations } from "@bluegreen/release";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";
import { everyCase, oneIn } from "../support/everyCase";
import { makeFolder, type MigrationFolder } from "./migrationFolder";

/**
 * Runs the migrations in a process of its own that kills itself at its Nth query, before it is
 * sent or while it is under way; the runner itself knows nothing of it. Prints how many there were.
 */
const child = `
  const { Client } = require("pg");
  const send = Client.prototype.query;
  const { RUN, CRASH_AT, WHEN } = process.env;
  let queries = 0;
  const die = () => process.kill(process.pid, "SIGKILL");
  Client.prototype.query = function (...query) {
    // The second connection polls for blockers by the clock.
    if (String(query[0]).includes("pg_blocking_pids")) return send.apply(this, query);
    const last = ++queries === Number(CRASH_AT);
    if (last && WHEN === "before") die();
    if (last) setImmediate(die);
    return send.apply(this, query);
  };
  const { url, ...run } = JSON.parse(RUN);
  require("@bluegreen/release/migrations/runner").runMigrations(url, run).then(() => console.log(queries));
`;

describe("A migration runner that is killed, on a real PostgreSQL", () => {
  let databases: TestDatabases;
  let migrations: MigrationFolder;
  before(async () => {
    databases = await startDatabases();
    migrations = await makeFolder();
    await migrations.write(
      "0001_tables.sql",
      "-- phase: expand\nCREATE TABLE one (id int PRIMARY KEY, a int, done int NOT NULL DEFAULT 0);\nINSERT INTO one (id, a) SELECT n, n FROM generate_series(1, 2500) n;\nCREATE INDEX one_old ON one (done);\nCREATE TABLE parts (id int) PARTITION BY LIST (id);\nCREATE TABLE part PARTITION OF parts FOR VALUES IN (1)",
    );
    await migrations.write(
      "0002_steps.sql",
      "-- phase: expand\n-- no-transaction\nINSERT INTO one (id, a) VALUES (2501, 2501);\nCREATE UNIQUE INDEX CONCURRENTLY one_a ON one (a);\nDROP INDEX CONCURRENTLY one_old;\nUPDATE one SET a = a + 10000 WHERE id > 2500;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS one_done ON one (done);\nREINDEX INDEX CONCURRENTLY one_a;\nALTER TABLE parts DETACH PARTITION part CONCURRENTLY",
    );
    await migrations.write(
      "0003_fill.sql",
      "-- phase: backfill\n-- batch: one by id\nUPDATE one SET done = done + 1 WHERE id BETWEEN :first AND :last",
    );
    await migrations.write("0004_after.sql", "-- phase: expand\nALTER TABLE one ADD COLUMN b int");
  });
  after(async () => {
    await databases.stop();
    await migrations.remove();
  });

  /** As an older version of this program has left it. */
  const older = async () => {
    const url = await databases.fresh();
    await query(
      url,
      "CREATE TABLE schema_migrations (id text PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    return url;
  };

  const runInChild = async (url: string, crashAt: number, when: "before" | "during") => {
    const run = { url, folder: migrations.folder, migrations: listMigrations(migrations.folder) };
    const process_ = spawn(process.execPath, ["-e", child], {
      env: { ...process.env, RUN: JSON.stringify(run), CRASH_AT: String(crashAt), WHEN: when },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    process_.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const [, signal] = (await once(process_, "close")) as [number | null, string | null];
    return { queries: Number(printed), killed: signal === "SIGKILL" };
  };

  const state = async (url: string) => ({
    columns: await query(
      url,
      "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    ),
    indexes: await query(
      url,
      "SELECT indexrelid::regclass::text AS name, indisvalid FROM pg_index WHERE indrelid = 'one'::regclass ORDER BY 1",
    ),
    partitions: await query(url, "SELECT inhrelid FROM pg_inherits WHERE inhparent = 'parts'::regclass"),
    rows: await query(
      url,
      "SELECT count(*)::int AS rows, sum(a)::int AS a, min(done) AS least, max(done) AS most FROM one",
    ),
    records: await query(url, "SELECT id, name, checksum, phase FROM schema_migrations ORDER BY id"),
    notes: await query(url, "SELECT id FROM schema_migration_statements"),
    backfills: await query(
      url,
      "SELECT id, last_key, rows_done, finished_at IS NOT NULL AS finished FROM schema_backfills",
    ),
  });

  for (const when of ["before", "during"] as const) {
    it(`leaves what the next run completes, whichever query it is killed ${when}`, async function () {
      const whole = await older();
      const { queries } = await runInChild(whole, 0, when);
      expect(queries).to.be.greaterThan(60);
      const wanted = await state(whole);
      expect(wanted.rows).to.deep.equal([{ rows: 2501, a: (2501 * 2502) / 2 + 10_000, least: 1, most: 1 }]);
      expect(
        wanted.indexes.map(({ name, indisvalid }) => `${String(name)} ${String(indisvalid)}`),
      ).to.deep.equal(["one_a true", "one_done true", "one_pkey true"]);

      // Each in a database of its own, so that several can continue at once.
      const step = oneIn(8);
      let next = 1;
      let killed = 0;
      const worker = async () => {
        for (let crashAt = next; crashAt <= queries; crashAt = next) {
          next += step;
          const url = await older();
          const run = await runInChild(url, crashAt, when);
          // Batches follow the time that they take: on a quick moment a run has fewer of them, and is over
          // before.
          expect(
            run.killed || run.queries < crashAt,
            `killed at query ${crashAt}, of ${run.queries}`,
          ).to.equal(true);
          if (run.killed) killed++;
          await migrations.run(url);
          expect(await state(url), `killed ${when} query ${crashAt} of ${queries}`).to.deep.equal(wanted);
        }
      };
      await Promise.all(Array.from({ length: 4 }, worker));
      expect(killed).to.be.greaterThan(everyCase ? 60 : 6);
    });
  }
});
