import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { failureOf } from "../support/read";
import { query } from "../../local/testing/database";
import { withUser, type MigrationFolder } from "./migrationFolder";
import { withMigrationFixture } from "./migrationFixture";

describe("Migrations that meet locks, on a real PostgreSQL", () => {
  let migrations: MigrationFolder;
  let url: string;
  withMigrationFixture(async (fixture) => {
    ({ migrations, url } = fixture);
    await query(url, "CREATE TABLE one (id int PRIMARY KEY, a int)");
    await query(url, "CREATE TABLE two (id int)");
  });

  const waitUntilBlocked = (like: string) =>
    poll(
      async () =>
        (
          await query(
            url,
            "SELECT pid FROM pg_stat_activity WHERE query LIKE $1 AND wait_event_type = 'Lock'",
            [like],
          )
        )[0],
      { timeoutMs: 300_000, intervalMs: 20 },
    );
  const hasColumn = async (column: string) =>
    (
      await query(url, "SELECT 1 FROM pg_attribute WHERE attrelid = 'one'::regclass AND attname = $1", [
        column,
      ])
    ).length === 1;

  it("gives up after its tries, and names the blocker with user, application and query", async () => {
    await migrations.write("0001_column.sql", "-- phase: expand\nALTER TABLE one ADD COLUMN b int");
    const said: string[] = [];
    await withUser(url, async (user) => {
      await user.query("BEGIN");
      await user.query("SELECT count(*) FROM one /* a long report */");
      const { rows } = await user.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      await user.query("SELECT 'the last query', pg_sleep(0)");
      const message = await failureOf(
        migrations.run(url, { tableLockTimeoutMs: 500, tries: 3, onNotice: (line) => said.push(line) }),
      );
      expect(message)
        .to.contain("Migration 0001_column failed and was rolled back")
        .and.contain(
          `waiting for pid ${String(rows[0]?.pid)} (user postgres, application the app, idle in transaction for`,
        )
        .and.contain("SELECT 'the last query'")
        .and.contain("0001_column.sql:2");
    });
    expect(said.map((line) => line.slice(0, 26))).to.deep.equal([
      "0001_column: try 1 of 3: c",
      "0001_column: try 2 of 3: c",
    ]);
    expect((await migrations.run(url)).applied).to.deep.equal(["0001"]);
  });

  it("gets through when the blocker leaves between two tries", async () => {
    await migrations.write(
      "0001_column.sql",
      "-- phase: expand\nCREATE TABLE three (id int);\nALTER TABLE one ADD COLUMN b int",
    );
    await withUser(url, async (user) => {
      await user.query("BEGIN; LOCK TABLE one IN ACCESS SHARE MODE");
      let tries = 0;
      const run = migrations.run(url, {
        tableLockTimeoutMs: 300,
        onNotice: () => void (++tries === 2 && user.query("COMMIT")),
      });
      expect((await run).applied).to.deep.equal(["0001"]);
      expect(tries).to.equal(2);
    });
  });

  it("lets readers go that queue up behind it when its lock_timeout is over, though the blocker stays", async () => {
    await migrations.write("0001_column.sql", "-- phase: expand\nALTER TABLE one ADD COLUMN b int");
    await withUser(url, async (user) => {
      await user.query("BEGIN; LOCK TABLE one IN ACCESS SHARE MODE");
      const ended = new AbortController();
      const said: string[] = [];
      // The pause after the first try lasts until this test is over.
      const run = failureOf(
        migrations.run(url, {
          tableLockTimeoutMs: 4000,
          tries: 2,
          retryDelayMs: 600_000,
          signal: ended.signal,
          onNotice: (line) => said.push(line),
        }),
      );
      await withUser(url, async (reader) => {
        await waitUntilBlocked("ALTER TABLE one%");
        const read = reader.query("SELECT count(*) FROM one");
        await waitUntilBlocked("SELECT count(*) FROM one%");
        await read;
      });
      ended.abort(new Error("the test is over"));
      expect(await run).to.contain("the test is over");
      expect(said.join()).to.match(/^0001_column: try 1 of 2: canceled by lock_timeout/);
      await user.query("ROLLBACK");
    });
  });

  it("tries again after a deadlock with a user, whole, and says who it was when it stays", async () => {
    await migrations.write(
      "0001_both.sql",
      "-- phase: expand\nLOCK TABLE two IN ACCESS EXCLUSIVE MODE;\nINSERT INTO two VALUES (1);\nALTER TABLE one ADD COLUMN b int",
    );
    const deadlock = async (tries: number) =>
      withUser(url, async (user) => {
        // The migration is to be the one that notices.
        await user.query("SET deadlock_timeout = '1min'");
        await user.query("BEGIN; LOCK TABLE one IN ACCESS SHARE MODE");
        const run = migrations.run(url, { tableLockTimeoutMs: 10_000, tries });
        const settled = run.then(() => "applied", String);
        await waitUntilBlocked("ALTER TABLE one%");
        await user.query("LOCK TABLE two IN ACCESS SHARE MODE");
        await user.query("COMMIT");
        return settled;
      });
    expect(await deadlock(1))
      .to.contain("deadlock detected: Process")
      .and.contain("rolled back");
    expect(await hasColumn("b")).to.equal(false);
    expect(await deadlock(3)).to.equal("applied");
    expect(await query(url, "SELECT id FROM two")).to.deep.equal([{ id: 1 }]);
  });

  it("does not deadlock with another runner while one builds an index concurrently", async () => {
    await migrations.write(
      "0001_index.sql",
      "-- phase: expand\n-- no-transaction\nCREATE INDEX CONCURRENTLY one_a ON one (a)",
    );
    await withUser(url, async (user) => {
      // The build waits for this one, and meanwhile the other runner waits for the build.
      await user.query("BEGIN; INSERT INTO one VALUES (1)");
      const runs = Promise.all([migrations.run(url), migrations.run(url)]);
      await waitUntilBlocked("CREATE INDEX%");
      await poll(
        async () =>
          (
            await query(
              url,
              "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%try_advisory_lock%' AND state = 'idle'",
            )
          )[0],
        { timeoutMs: 300_000 },
      );
      await user.query("COMMIT");
      expect((await runs).flatMap(({ applied }) => applied)).to.deep.equal(["0001"]);
    });
  });

  it("is canceled by a signal: in PostgreSQL, too, and rolled back", async () => {
    await migrations.write(
      "0001_slow.sql",
      "-- phase: expand\nALTER TABLE one ADD COLUMN b int;\nSELECT pg_sleep(60)",
    );
    const abort = new AbortController();
    const run = failureOf(migrations.run(url, { signal: abort.signal }));
    await poll(
      async () =>
        (
          await query(
            url,
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'",
          )
        )[0],
      { timeoutMs: 300_000, intervalMs: 20 },
    );
    abort.abort(new Error("the operator pressed Ctrl-C"));
    expect(await run)
      .to.contain("Migration 0001_slow was canceled and was rolled back")
      .and.contain("the operator pressed Ctrl-C");
    expect(
      await query(
        url,
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'",
      ),
    ).to.deep.equal([]);
    expect(await hasColumn("b")).to.equal(false);
  });

  it("keeps no setting of a migration for the next one", async () => {
    await migrations.write(
      "0001_dump.sql",
      "-- phase: expand\nSELECT set_config('search_path', '', false);\nSET lock_timeout = 0;\nSET ROLE pg_monitor;\nRESET ROLE",
    );
    await migrations.write(
      "0002_after.sql",
      "-- phase: expand\nCREATE TABLE settings AS SELECT current_setting('lock_timeout') AS lock_timeout, current_user AS who",
    );
    await migrations.run(url, { tableLockTimeoutMs: 1234 });
    expect(await query(url, "SELECT * FROM public.settings")).to.deep.equal([
      { lock_timeout: "1234ms", who: "postgres" },
    ]);
  });
});
