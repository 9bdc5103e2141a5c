import { expect } from "chai";
import { Client } from "pg";
import type { Color } from "@bluegreen/release";
import { failureOf, liveColor } from "../support/look";
import { prepareServers, type StageServer, type StageServers } from "../support/stageServers";
import { switchUnderLoad } from "../support/switchUnderLoad";
import { makeStack, type TestStack } from "../support/testStack";
import { startWriters } from "../support/writers";

/** Told in order: each test goes on where the one before ended. */
describe("A database for each color, on a real cluster and two real servers", function () {
  this.timeout(240_000);
  this.bail(true);
  let test: TestStack;
  let servers: StageServers;
  let databases: Record<Color, StageServer>;
  before(async () => {
    test = await makeStack([
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
    ]);
    await test.stack.removeConfig(["databaseAdminUrl", "databaseAddress"]);
    await test.set({ database: { strategy: "perColor" } });
    servers = await prepareServers({ wal_level: "logical" });
    databases = { blue: await servers.start("blue"), green: await servers.start("green") };
    await Promise.all([servers.makeDatabase(databases.blue), servers.makeDatabase(databases.green)]);
    console.log(`      engine: ${test.engine.name}`);
  });
  after(async () => {
    await test.remove();
    await servers.remove();
  });

  const usersIn = async (color: Color) => {
    const client = new Client({ connectionString: databases[color].adminUrl });
    await client.connect();
    const { rows } = await client.query<{ id: string }>("SELECT id FROM users ORDER BY id");
    await client.end();
    return new Set(rows.map(({ id }) => id));
  };
  const makeSecret = async (color: Color) => {
    await test.cluster.core.createNamespacedSecret({ namespace: test.cluster.namespace, body: { metadata: { name: `db-credentials-${color}` }, stringData: databases[color].secret } });
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
    expect(text + JSON.stringify(diagnostics)).to.contain("database.strategy perColor: the idle color only reads");
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
    expect(await failureOf(client.query("INSERT INTO users (id, email) VALUES ('x', 'x@example.com')"))).to.contain("read-only");
    await client.end();
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  });

  it("switches without losing an acknowledged write", async () => {
    const { ids } = await switchUnderLoad(test, "green", "second");
    expect(await missing("green", ids)).to.deep.equal([]);
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  });

  it("rolls back without losing what was written meanwhile", async () => {
    const { ids } = await switchUnderLoad(test, "blue", "third");
    expect(await missing("blue", ids)).to.deep.equal([]);
    const [blue, green] = [await usersIn("blue"), await usersIn("green")];
    expect([...green].filter((id) => !blue.has(id))).to.deep.equal([]);
  });

  it("refuses in preview a switch that would lose writes, unless that is accepted", async () => {
    const client = new Client({ connectionString: databases.green.adminUrl });
    await client.connect();
    client.on("error", () => undefined);
    await client.query("ALTER SUBSCRIPTION bluegreen_from_blue DISABLE");
    await test.set({ activeColor: "green" });
    const message = await failureOf(test.stack.preview());
    expect(message, message).to.contain("The switch from blue to green was refused: it would lose writes").and.contain("is disabled").and.contain("database.acceptLoss true");
    expect(await liveColor(test.cluster)).to.equal("blue");
    await client.query("ALTER SUBSCRIPTION bluegreen_from_blue ENABLE");
    await client.end();
    await test.set({ activeColor: "blue" });
    await test.stack.up();
  });

  it("keeps every password out of state and previews", async () => {
    const state = JSON.stringify(await test.stack.exportDeployment());
    const password = new URL(databases.blue.secret.url).password;
    expect(password).to.have.length(24);
    expect(state).not.to.contain(password);
  });
});
