import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { holdWriters } from "@bluegreen/release/replication/holdWriters";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";
import { withUser } from "./migrationFolder";
import { failureOf } from "../support/read";

describe("Writers made to wait, on a real PostgreSQL", () => {
  let databases: TestDatabases;
  let url: string;
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  before(async () => {
    databases = await startDatabases();
  });
  after(() => databases.stop());
  beforeEach(async () => {
    said.length = 0;
    url = await databases.fresh();
    await query(
      url,
      'CREATE TABLE one (id int PRIMARY KEY, a int); CREATE SCHEMA "Odd one"; CREATE TABLE "Odd one"."T" (id int); CREATE TABLE parts (id int) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9)',
    );
  });

  const waiting = (like: string) =>
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

  it("lets readers continue and writers wait, in every table, until it lets go", async () => {
    const held = await holdWriters(url, { say, budgetMs: 60_000 });
    const writes = [
      "INSERT INTO one VALUES (1)",
      'INSERT INTO "Odd one"."T" VALUES (1)',
      "INSERT INTO part VALUES (1)",
    ];
    const written = writes.map(async (sql) => {
      await query(url, sql);
      return performance.now();
    });
    for (const sql of writes) await waiting(sql);
    expect(
      await query(
        url,
        'SELECT (SELECT count(*) FROM one) + (SELECT count(*) FROM "Odd one"."T") + (SELECT count(*) FROM parts) AS rows',
      ),
    ).to.deep.equal([{ rows: "0" }]);
    await held.confirm();
    const releasedAt = performance.now();
    await held.release();
    expect(Math.min(...(await Promise.all(written)))).to.be.greaterThan(releasedAt);
  });

  it("gives up in short tries and names who was in the way", async () => {
    await withUser(url, async (user) => {
      await user.query("BEGIN; INSERT INTO one VALUES (1)");
      let hasGivenUp = false;
      const refused = failureOf(holdWriters(url, { say, budgetMs: 4000 })).finally(() => (hasGivenUp = true));
      await waiting("DO $lock$%");
      await query(url, "INSERT INTO part VALUES (1)");
      expect(hasGivenUp, "whoever queues up behind a try gets through between two").to.equal(false);
      expect(await refused)
        .to.contain("and continue")
        .and.contain("application the app, idle in transaction")
        .and.contain("INSERT INTO one");
      expect(said).to.have.length(1);
      await user.query("COMMIT");
    });
  });

  it("never ends a user's transaction by a deadlock", async () => {
    let rows = 0;
    await withUser(url, async (user) => {
      // On a busy machine a try may have ended by its time before the user gets in its way.
      for (; !said.join().includes("deadlock"); rows++) {
        expect(rows, "rounds without a deadlock").to.be.lessThan(100);
        await user.query("BEGIN; INSERT INTO part VALUES (1)");
        const held = holdWriters(url, { say, budgetMs: 120_000 });
        await waiting("DO $lock$%");
        await user.query("INSERT INTO one VALUES ($1)", [rows]);
        await user.query("COMMIT");
        await (await held).release();
      }
    });
    expect(await query(url, "SELECT count(*) FROM one")).to.deep.equal([{ count: String(rows) }]);
  });

  it("lets go when the program says nothing, and says so when asked", async () => {
    const held = await holdWriters(url, { say, budgetMs: 60_000, silenceMs: 300 });
    await query(url, "INSERT INTO one VALUES (1)");
    expect(await failureOf(held.confirm())).to.contain("do not wait any longer");
    await held.release();
  });

  it("lets go when the program is killed", async () => {
    const child = spawn(
      process.execPath,
      [
        "-e",
        'require("@bluegreen/release/replication/holdWriters").holdWriters(process.env.URL, { say: console.log, budgetMs: 60_000 }).then(() => console.log("held"))',
      ],
      {
        env: { ...process.env, URL: url },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await once(child.stdout, "data");
    const written = query(url, "INSERT INTO one VALUES (1)");
    await waiting("INSERT INTO one%");
    child.kill("SIGKILL");
    await written;
  });
});
