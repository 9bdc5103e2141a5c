import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { listMigrations, planMigrations, poll, type BackfillProgress } from "@bluegreen/release";
import {
  postgresAccount,
  postgresBinDir,
  postgresFolders,
  preparePostgres,
  startPostgres,
} from "../../local/services/postgres";
import { run as runProgram } from "../../local/system/run";
import { failureOf } from "../support/read";
import { query } from "../../local/testing/database";
import { withUser, type MigrationFolder } from "./migrationFolder";
import { withMigrationFixture } from "./migrationFixture";

/** Runs the migrations in a process of its own, and prints the rows after each batch. */
const child = `
  const { url, ...run } = JSON.parse(process.env.RUN);
  require("@bluegreen/release/migrations/runner").runMigrations(url, { ...run, onProgress: ({ rowsDone }) => console.log(rowsDone) });
`;

describe("A backfill, on a real PostgreSQL", () => {
  let migrations: MigrationFolder;
  let url: string;
  withMigrationFixture((fixture) => {
    ({ migrations, url } = fixture);
  });

  const fill = (
    sql = "UPDATE users SET done = done + 1 WHERE id BETWEEN :first AND :last",
    batch = "users by id",
  ) => migrations.write("0001_fill.sql", `-- phase: backfill\n-- batch: ${batch}\n${sql}`);
  const makeUsers = async (rows: number, key = "bigint", value = "n") => {
    await query(url, `CREATE TABLE users (id ${key} PRIMARY KEY, done int NOT NULL DEFAULT 0)`);
    await query(url, `INSERT INTO users SELECT ${value} FROM generate_series(1, ${rows}) n`);
    await query(url, "ANALYZE users");
  };
  const doneCounts = () =>
    query(url, "SELECT done, count(*)::int AS rows FROM users GROUP BY done ORDER BY done");

  it("does every row once, in batches of about the target time, and shows rate and remaining time", async () => {
    await makeUsers(30_000);
    await fill();
    const seen: BackfillProgress[] = [];
    expect(
      (await migrations.run(url, { batchTargetMs: 20, onProgress: (progress) => seen.push(progress) }))
        .applied,
    ).to.deep.equal(["0001"]);
    expect(await doneCounts()).to.deep.equal([{ done: 1, rows: 30_000 }]);
    expect(seen.length).to.be.greaterThan(3);
    expect(new Set(seen.map(({ batchSize }) => batchSize)).size).to.be.greaterThan(1);
    expect(seen[0]).to.include({ migration: "0001_fill", rowsDone: 1000, rowsTotal: 30_000 });
    expect(seen[0]?.secondsLeft).to.be.greaterThan(0);
    expect(seen.at(-1)).to.include({ rowsDone: 30_000, secondsLeft: 0 });
    const [checkpoint] = await query(
      url,
      "SELECT last_key, rows_done::int, finished_at IS NOT NULL AS finished, updated_at > started_at AS moved FROM schema_backfills",
    );
    expect(checkpoint).to.deep.equal({ last_key: ["30000"], rows_done: 30_000, finished: true, moved: true });
  });

  for (const [key, value] of [
    ["text", "'ü' || n || repeat(' ', n % 3)"],
    ["uuid", "gen_random_uuid()"],
    ["timestamptz", "timestamptz '2020-01-01' + n * interval '1.000001 s'"],
    ["bigint", "n - 1500"],
  ] as const) {
    it(`walks through keys of type ${key}, the first and the last included`, async () => {
      await makeUsers(2500, key, value);
      await fill();
      await migrations.run(url);
      expect(await doneCounts()).to.deep.equal([{ done: 1, rows: 2500 }]);
    });
  }

  it("walks through a key of several columns in its order, and continues in the middle of it", async () => {
    await query(
      url,
      "CREATE TABLE seats (number int, event text, note text, done int NOT NULL DEFAULT 0, PRIMARY KEY (event, number) INCLUDE (note))",
    );
    await query(
      url,
      "INSERT INTO seats SELECT n, repeat('e\",', event) FROM generate_series(1, 3) event, generate_series(1, 1500) n",
    );
    await fill(
      "UPDATE seats SET done = done + 1 WHERE (event, number) BETWEEN :first AND :last",
      "seats by event, number",
    );
    await withUser(url, async (user) => {
      await user.query(
        "BEGIN; UPDATE seats SET note = 'x' WHERE number = 700 AND event LIKE '%,%,' AND event NOT LIKE '%,%,%,'",
      );
      expect(await failureOf(migrations.run(url, { tableLockTimeoutMs: 300, tries: 1 }))).to.contain(
        "application the app",
      );
      await user.query("COMMIT");
    });
    expect(await query(url, "SELECT last_key FROM schema_backfills")).to.deep.equal([
      { last_key: ['e",', "1000"] },
    ]);
    await migrations.run(url);
    expect(await query(url, "SELECT done, count(*)::int AS rows FROM seats GROUP BY done")).to.deep.equal([
      { done: 1, rows: 4500 },
    ]);
  });

  it("does not read the whole table for each batch, although the key's first column is the same everywhere", async () => {
    await query(
      url,
      "CREATE TABLE seats (event int, number int, done int NOT NULL DEFAULT 0, PRIMARY KEY (event, number))",
    );
    await query(url, "INSERT INTO seats SELECT 1, n FROM generate_series(1, 10000) n");
    await query(url, "ANALYZE seats");
    const wholeReads = async () =>
      Number(
        (await query(url, "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'seats'"))[0]?.[
          "seq_scan"
        ],
      );
    const before = await wholeReads();
    await fill(
      "UPDATE seats SET done = done + 1 WHERE (event, number) BETWEEN :first AND :last",
      "seats by event, number",
    );
    await migrations.run(url);
    // PostgreSQL may count one of those above late.
    expect((await wholeReads()) - before).to.be.lessThan(2);
  });

  it("finishes on an empty table", async () => {
    await makeUsers(0);
    await fill();
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
  });

  it("continues after kill -9 where the last batch was committed: no row twice, none missed", async function () {
    // More than three runs of a quick machine get done.
    await makeUsers(80_000);
    // Slow enough to be met in the middle, and a statement is under way at nearly any moment.
    await fill(
      "UPDATE users SET done = done + 1 WHERE id BETWEEN :first AND :last AND (id % 500 > 0 OR pg_sleep(0.05) IS NOT NULL)",
    );
    const run = { url, folder: migrations.folder, migrations: listMigrations(migrations.folder) };
    for (let kill = 1; kill <= 3; kill++) {
      const runner = spawn(process.execPath, ["-e", child], {
        env: { ...process.env, RUN: JSON.stringify(run) },
        stdio: ["ignore", "pipe", "inherit"],
      });
      for (let batch = 1; batch <= 3; batch++) await once(runner.stdout, "data");
      const exit = once(runner, "exit");
      runner.kill("SIGKILL");
      await exit;
    }
    // The last runner's session may still be ending.
    await poll(
      async () =>
        (
          await query(
            url,
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'bluegreen migrations' AND datname = current_database()",
          )
        ).length === 0
          ? true
          : undefined,
      { timeoutMs: 300_000 },
    );
    const [planned] = await planMigrations(url, run.migrations);
    const [{ rows: halfDone } = { rows: 0 }] = await query(
      url,
      "SELECT count(*)::int AS rows FROM users WHERE done = 1",
    );
    expect(planned).to.include({ state: "due", rowsDone: halfDone });
    expect(halfDone).to.be.greaterThan(2999).and.lessThan(80_000);
    const seen: number[] = [];
    await migrations.run(url, { onProgress: ({ rowsDone }) => seen.push(rowsDone) });
    expect(seen[0]).to.be.greaterThan(Number(halfDone));
    expect(await doneCounts()).to.deep.equal([{ done: 1, rows: 80_000 }]);
  });

  it("gets along with two versions that write meanwhile: nobody waits for more than some batches, nothing is missed", async function () {
    await query(url, "CREATE TABLE users (id bigserial PRIMARY KEY, a int NOT NULL, b int)");
    await query(url, "INSERT INTO users (a) SELECT n FROM generate_series(1, 60000) n");
    await query(
      url,
      "CREATE FUNCTION both_ways() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.b := NEW.a; RETURN NEW; END $$",
    );
    await query(
      url,
      "CREATE TRIGGER both_ways BEFORE INSERT OR UPDATE OF a ON users FOR EACH ROW EXECUTE FUNCTION both_ways()",
    );
    await fill("UPDATE users SET b = a WHERE id BETWEEN :first AND :last AND b IS NULL");
    let running = true;
    let batches = 0;
    const writer = () =>
      withUser(url, async (user) => {
        const waits: number[] = [];
        while (running) {
          const before = batches;
          await user.query("UPDATE users SET a = a + 1 WHERE id = $1", [
            1 + Math.floor(Math.random() * 60_000),
          ]);
          await user.query("INSERT INTO users (a) VALUES (7)");
          waits.push(batches - before);
        }
        return waits;
      });
    const writers = Promise.all([writer(), writer()]);
    const applied = await migrations
      .run(url, { batchTargetMs: 2, onProgress: () => batches++ })
      .finally(() => (running = false));
    const waits = (await writers).flat();
    expect(applied.applied).to.deep.equal(["0001"]);
    expect(waits.length).to.be.greaterThan(20);
    // Rows that are locked to the end would keep a writer for all of them.
    expect(batches).to.be.greaterThan(10);
    expect(Math.max(...waits), `of ${batches} batches`).to.be.lessThan(batches / 2);
    expect(
      await query(url, "SELECT count(*)::int AS missed FROM users WHERE b IS DISTINCT FROM a"),
    ).to.deep.equal([{ missed: 0 }]);
  });

  it("tries a batch again that met a lock, and names the blocker when it gives up", async () => {
    await makeUsers(3000);
    await fill();
    await withUser(url, async (user) => {
      await user.query("BEGIN; UPDATE users SET done = 0 WHERE id = 1500");
      expect(await failureOf(migrations.run(url, { tableLockTimeoutMs: 300, tries: 2 })))
        .to.contain("application the app")
        .and.contain("batches that were committed stay");
      expect(await query(url, "SELECT rows_done::int FROM schema_backfills")).to.deep.equal([
        { rows_done: 1000 },
      ]);
      let tries = 0;
      await migrations.run(url, {
        tableLockTimeoutMs: 300,
        onNotice: () => void (++tries === 1 && user.query("COMMIT")),
      });
    });
    expect(await doneCounts()).to.deep.equal([{ done: 1, rows: 3000 }]);
  });

  const inTypeScript = (body: string) =>
    migrations.write(
      "0001_fill.ts",
      [
        "// What SQL cannot: the app's own hash.",
        "// phase: backfill",
        "// batch: users by id",
        'import { createHash } from "node:crypto";',
        'import type { BatchFunction } from "@bluegreen/release";',
        'const hash = (id: string): number => createHash("md5").update(id).digest().readUInt16BE();',
        "const change: BatchFunction = async (db, { first, last }) => {",
        body,
        "};",
        "export default change;",
      ].join("\n"),
    );
  const hashRows = `
    const { rows } = await db.query<{ id: string }>("SELECT id FROM users WHERE id BETWEEN $1 AND $2", [first[0], last[0]]);
    const values = rows.map(({ id }) => "(" + id + "," + hash(id) + ")").join();
    await db.query("UPDATE users SET done = done + v.hash FROM (VALUES " + values + ") v (id, hash) WHERE users.id = v.id");`;

  it("changes rows by TypeScript where SQL cannot, with the same batches and checkpoint", async () => {
    await makeUsers(2500);
    await inTypeScript(hashRows);
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
    const [row] = await query(url, "SELECT count(*)::int AS rows, sum(done)::int AS sum FROM users");
    const sum = Array.from({ length: 2500 }, (_, index) =>
      createHash("md5")
        .update(String(index + 1))
        .digest()
        .readUInt16BE(),
    ).reduce((a, b) => a + b);
    expect(row).to.deep.equal({ rows: 2500, sum });
    expect(
      await query(
        url,
        "SELECT rows_done::int, phase FROM schema_backfills JOIN schema_migrations USING (id)",
      ),
    ).to.deep.equal([{ rows_done: 2500, phase: "backfill" }]);
  });

  it("rolls a batch back that TypeScript fails in, and continues there when it is corrected in another file", async () => {
    await makeUsers(2500);
    await inTypeScript(`${hashRows}\n    if (first[0] !== "1") throw new Error("no more");`);
    expect(await failureOf(migrations.run(url)))
      .to.contain("0001_fill failed and stopped; the batches that were committed stay")
      .and.contain("no more");
    expect(
      (await query(url, "SELECT count(*)::int AS changed FROM users WHERE done > 0"))[0]?.["changed"],
    ).to.be.within(900, 1000);
  });

  it("refuses TypeScript that is no backfill, exports no function, or has an SQL twin", async () => {
    const refusal = () => failureOf(Promise.resolve().then(() => migrations.run(url)));
    await migrations.write("0001_fill.ts", "// phase: expand\nexport default 1;");
    expect(await refusal())
      .to.contain("TypeScript in phase expand")
      .and.contain("0001_fill.sql");
    await makeUsers(1);
    await migrations.write(
      "0001_fill.ts",
      "// phase: backfill\n// batch: users by id\nexport const change = 1;",
    );
    expect(await refusal()).to.contain("exports no function as its default");
    await fill();
    expect(await refusal())
      .to.contain("Two migrations")
      .and.contain("have the id 0001");
  });

  it("begins again when its file was corrected in the middle", async () => {
    await makeUsers(3000);
    await fill("UPDATE users SET done = 1 / (1500 - id) WHERE id BETWEEN :first AND :last");
    expect(await failureOf(migrations.run(url))).to.contain("division by zero");
    await fill("UPDATE users SET done = 5 WHERE id BETWEEN :first AND :last");
    await migrations.run(url);
    expect(await doneCounts()).to.deep.equal([{ done: 5, rows: 3000 }]);
  });

  it("is refused on columns that are not the primary key, all of it, in its order", async () => {
    await makeUsers(1);
    await fill(undefined, "users by done");
    expect(await failureOf(migrations.run(url))).to.contain("done is not the primary key of a table users");
    await fill(undefined, "nobody by id");
    expect(await failureOf(migrations.run(url))).to.contain("id is not the primary key of a table nobody");
    await query(url, "CREATE TABLE seats (event int, number int, PRIMARY KEY (event, number))");
    for (const key of ["number, event", "event", "event, number, event"]) {
      await fill(undefined, `seats by ${key}`);
      expect(await failureOf(migrations.run(url)))
        .to.contain(`${key} is not the primary key of a table seats`)
        .and.contain("all columns");
    }
  });

  it("pauses while a replica is behind, and continues when it has caught up", async function () {
    await makeUsers(10_000);
    await fill(
      "UPDATE users SET done = done + 1 WHERE id BETWEEN :first AND :last AND (id % 500 > 0 OR pg_sleep(0.1) IS NOT NULL)",
    );
    const dir = await mkdtemp("/tmp/bg-rep-");
    const [account, primary] = [await postgresAccount(), new URL(url)];
    await chown(dir, account.uid, account.gid);
    await preparePostgres(dir, account);
    const { data } = postgresFolders(dir);
    await runProgram(join(postgresBinDir() ?? "", "pg_basebackup"), [
      "-h",
      decodeURIComponent(primary.hostname),
      "-U",
      "postgres",
      "-D",
      data,
      "-R",
      "--checkpoint=fast",
      "--no-sync",
    ]);
    await runProgram("chown", ["-R", `${account.uid}:${account.gid}`, data]);
    const replica = await startPostgres({ dir });
    const checkedAt = async () =>
      (
        await query(
          url,
          "SELECT query_start::text AS at FROM pg_stat_activity WHERE application_name = 'bluegreen migrations' AND query LIKE '%replay_lag%'",
        )
      )[0]?.["at"];
    /** Until the run has checked again how far the replica is. */
    const nextCheck = async () => {
      const before = await checkedAt();
      await poll(async () => ((await checkedAt()) !== before ? true : undefined), {
        timeoutMs: 300_000,
        intervalMs: 20,
      });
    };
    try {
      await poll(
        async () =>
          (
            await query(
              url,
              "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn IS NOT NULL",
            )
          )[0],
        { timeoutMs: 300_000 },
      );
      await query(replica.adminUrl, "SELECT pg_wal_replay_pause()");
      const said: string[] = [];
      const run = migrations.run(url, { maxReplicationLagMs: 800, onNotice: (line) => said.push(line) });
      await poll(() => Promise.resolve(said[0]), { timeoutMs: 300_000 });
      const [held] = await query(url, "SELECT rows_done FROM schema_backfills");
      for (let check = 1; check <= 2; check++) await nextCheck();
      expect(await query(url, "SELECT rows_done FROM schema_backfills")).to.deep.equal([held]);
      await query(replica.adminUrl, "SELECT pg_wal_replay_resume()");
      await run;
      expect(said[0]).to.match(/^0001_fill: paused: a replica is \d+ ms behind, more than 800 ms$/);
      expect(await doneCounts()).to.deep.equal([{ done: 1, rows: 10_000 }]);
    } finally {
      await replica.stop();
      await rm(dir, { recursive: true, force: true });
    }
  });
});
