import { expect } from "chai";
import { Client, type QueryResultRow } from "pg";
import type { Color } from "@bluegreen/release";
import { killUpdate } from "../support/killUpdate";
import { failureOf, liveColor } from "../support/read";
import { prepareServers, type StageServer, type StageServers } from "../support/stageServers";
import { switchUnderLoad } from "../support/switchUnderLoad";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startWriters } from "../support/writers";

/** Told in order: each test continues where the one before ended. */
describe("A database for each color, on a real cluster and two real servers", function () {
  let test: TestStack;
  let servers: StageServers;
  let databases: Record<Color, StageServer>;
  before(async () => {
    test = await makeStack(twoVersions);
    await test.stack.removeConfig(["databaseAdminUrl", "databaseAddress"]);
    await test.set({ database: { strategy: "logicalReplication" } });
    servers = await prepareServers({ wal_level: "logical" });
    databases = { blue: await servers.start("blue"), green: await servers.start("green") };
    await Promise.all([servers.makeDatabase(databases.blue), servers.makeDatabase(databases.green)]);
  });
  after(async () => {
    await test.remove();
    await servers.remove();
  });

  const ask = async <Row extends QueryResultRow>(color: Color, sql: string) => {
    const client = new Client({ connectionString: databases[color].adminUrl });
    await client.connect();
    try {
      return await client.query<Row>(sql);
    } finally {
      await client.end();
    }
  };
  const usersIn = async (color: Color) =>
    new Set((await ask<{ id: string }>(color, "SELECT id FROM users")).rows.map(({ id }) => id));
  const areWritersHeld = async () => {
    const held =
      "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE application_name = 'bluegreen handover' AND mode = 'ExclusiveLock' AND granted AND relation = 'users'::regclass";
    return (await ask("blue", held)).rowCount === 1;
  };
  const makeSecret = async (color: Color) => {
    await test.cluster.core.createNamespacedSecret({
      namespace: test.cluster.namespace,
      body: { metadata: { name: `db-credentials-${color}` }, stringData: databases[color].secret },
    });
  };
  const missing = async (color: Color, ids: string[]) => {
    const there = await usersIn(color);
    return ids.filter((id) => !there.has(id));
  };

  it("names the Secret that is missing, and then starts with one color", async () => {
    await test.set({ activeColor: "blue", blueTag: "v1", schemaVersion: "0001" });
    expect(await failureOf(test.stack.up())).to.contain("db-credentials-blue is missing");
    await makeSecret("blue");
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("blue");
  });

  it("says in preview what the strategy cannot do", async () => {
    await makeSecret("green");
    await test.set({ greenTag: "v2", schemaVersion: "" });
    const { text, diagnostics } = await test.stack.preview();
    expect(text + JSON.stringify(diagnostics)).to.contain(
      "database.strategy logicalReplication: the idle color only reads",
    );
  });

  it("copies schema and rows to the idle color's database, keeps it in sync, and refuses writes there", async () => {
    const writers = await startWriters(test.cluster, "first");
    await writers.more(20);
    await test.stack.up();
    await writers.more(20);
    const { ids, refused } = await writers.stop();
    expect(refused).to.deep.equal([]);
    expect(await missing("blue", ids)).to.deep.equal([]);
    const client = new Client({ connectionString: databases.green.secret["direct-url"] });
    await client.connect();
    expect(
      await failureOf(client.query("INSERT INTO users (id, email) VALUES ('x', 'x@example.com')")),
    ).to.contain("read-only");
    await client.end();
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  });

  it("switches without losing an acknowledged write", async () => {
    const { ids } = await switchUnderLoad(test, "green", "second");
    expect(await missing("green", ids)).to.deep.equal([]);
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  });

  it("rolls back without losing what was written meanwhile; behind a write freeze users are told when to come again", async () => {
    await test.set({
      writeFreeze: { maxSeconds: 60, gracePeriodMs: 500, redisUrl: `unix://${test.stage.redis.socket}` },
    });
    const { ids, refused } = await switchUnderLoad(test, "blue", "third");
    expect(await missing("blue", ids)).to.deep.equal([]);
    expect(new Set(refused)).to.deep.equal(new Set(["HTTP 503"]));
    await test.set({ writeFreeze: { maxSeconds: 0 } });
    const [blue, green] = [await usersIn("blue"), await usersIn("green")];
    expect([...green].filter((id) => !blue.has(id))).to.deep.equal([]);
  });

  it("lets writers continue when the update is killed while they wait, and the next one ends the switch", async () => {
    const writers = await startWriters(test.cluster, "fourth");
    await writers.more(20);
    await test.set({ activeColor: "green" });
    await killUpdate(test, areWritersHeld);
    await writers.more(20);
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("green");
    await writers.more(20);
    const { ids } = await writers.stop();
    expect(await missing("green", ids)).to.deep.equal([]);
    const { rows } = await ask("green", "SELECT slot_name FROM pg_replication_slots");
    expect(rows, "one way, no slot that nobody reads").to.have.length(1);
    await test.set({ activeColor: "blue" });
    await test.stack.up();
  });

  it("refuses in preview a switch that would lose writes, unless that is accepted", async () => {
    const client = new Client({ connectionString: databases.green.adminUrl });
    await client.connect();
    client.on("error", () => undefined);
    await client.query("SET default_transaction_read_only = off");
    await client.query("ALTER SUBSCRIPTION bluegreen_from_blue DISABLE");
    await test.set({ activeColor: "green" });
    const message = await failureOf(test.stack.preview());
    expect(message, message)
      .to.contain("The switch from blue to green was refused: it would lose writes")
      .and.contain("is disabled")
      .and.contain("database.allowDataLoss true");
    await test.set({ database: { strategy: "logicalReplication", allowDataLoss: true } });
    await test.stack.preview();
    expect(await liveColor(test.cluster)).to.equal("blue");
    await client.query("ALTER SUBSCRIPTION bluegreen_from_blue ENABLE");
    await client.end();
    await test.set({ activeColor: "blue", database: { strategy: "logicalReplication" } });
    await test.stack.up();
  });

  it("keeps every password out of state and previews", async () => {
    const state = JSON.stringify(await test.stack.exportDeployment());
    const password = new URL(databases.blue.secret.url).password;
    expect(password).to.have.length(24);
    expect(state).not.to.contain(password);
  });
});
