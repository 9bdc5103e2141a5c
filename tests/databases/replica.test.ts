import { expect } from "chai";
import { Client } from "pg";
import { colors, type Color } from "@bluegreen/release";
import { makeStandby, rewindSettings } from "../../local/services/standby";
import { killUpdate } from "../support/killUpdate";
import { failureOf, liveColor, podsOf } from "../support/read";
import { ownRebuild, type RebuildOwner } from "../support/rebuildOwner";
import { prepareServers, type StageServer, type StageServers } from "../support/stageServers";
import { switchUnderLoad } from "../support/switchUnderLoad";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startWriters } from "../support/writers";

/** Told in order: each test continues where the one before ended. */
describe("A primary and its standby, on a real cluster and two real servers", function () {
  let test: TestStack;
  let servers: StageServers;
  let owner: RebuildOwner;
  const running = new Map<Color, StageServer>();
  before(async () => {
    test = await makeStack(twoVersions);
    servers = await prepareServers(rewindSettings);
    owner = await ownRebuild(servers.folder("rebuild"), rebuild);
    await start("blue");
    await servers.makeDatabase(serverOf("blue"));
    await rebuild("green", "blue", () => undefined);
    await test.stack.removeConfig(["databaseAdminUrl", "databaseAddress"]);
    await setDatabase();
  });
  after(async () => {
    await test.remove();
    owner.close();
    await servers.remove();
  });

  const start = async (color: Color) => {
    running.set(color, await servers.start(color));
  };
  const serverOf = (color: Color) => {
    const server = running.get(color);
    if (server === undefined) throw new Error(`the server of ${color} was never started`);
    return server;
  };
  const rebuild = async (standby: Color, primary: Color, progress: (text: string) => void) => {
    await running.get(standby)?.stop();
    await makeStandby({
      standby: servers.folder(standby),
      primary: servers.folder(primary),
      slot: standby,
      progress,
    });
    await start(standby);
  };
  const failingCommand = [process.execPath, "-e", "console.log('no space left'); process.exit(3)"];
  const setDatabase = (changed: { rebuildCommand?: string[]; allowDataLoss?: boolean } = {}) =>
    test.set({
      database: {
        strategy: "streamingReplica",
        rebuildCommand: owner.command,
        timeoutSeconds: 30,
        ...changed,
      },
    });

  const ask = async <Row extends object>(color: Color, sql: string): Promise<Row[]> => {
    const client = new Client({ connectionString: serverOf(color).adminUrl });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const isStandby = async (color: Color) => {
    const [row] = await ask<{ standby: boolean }>(
      color,
      "SELECT pg_is_in_recovery() AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS standby",
    );
    return row?.standby;
  };
  const missing = async (color: Color, ids: string[]) => {
    const there = new Set((await ask<{ id: string }>(color, "SELECT id FROM users")).map(({ id }) => id));
    return ids.filter((id) => !there.has(id));
  };
  const makeSecret = async (color: Color) => {
    await test.cluster.core.createNamespacedSecret({
      namespace: test.cluster.namespace,
      body: { metadata: { name: `db-credentials-${color}` }, stringData: serverOf(color).secret },
    });
  };
  const expectNoChange = async () => {
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  };

  it("names the Secret that is missing, and then starts with one color", async () => {
    await test.set({ activeColor: "blue", blueTag: "v1", schemaVersion: "0001" });
    const message = await failureOf(test.stack.up());
    expect(message, message).to.contain("db-credentials-blue is missing");
    await makeSecret("blue");
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("blue");
  });

  it("says in preview what the strategy cannot do", async () => {
    await makeSecret("green");
    await test.set({ greenTag: "v2", schemaVersion: "" });
    const { text, diagnostics } = await test.stack.preview();
    expect(text + JSON.stringify(diagnostics)).to.contain(
      "database.strategy streamingReplica: the idle color only reads",
    );
  });

  it("rolls the idle color out on the standby, with migrations made on the primary", async () => {
    const writers = await startWriters(test.cluster, "first");
    await writers.more(20);
    await test.stack.up();
    await writers.more(20);
    const { ids, refused } = await writers.stop();
    expect(refused).to.deep.equal([]);
    expect(await missing("blue", ids)).to.deep.equal([]);
    expect(await podsOf(test.cluster, "green")).to.have.length(2);
    expect(await isStandby("green")).to.equal(true);
    await expectNoChange();
  });

  for (const [color, name] of [
    ["green", "second"],
    ["blue", "third"],
  ] as const) {
    const old = color === "green" ? "blue" : "green";
    it(`switches to ${color} without losing a write, and makes the server of ${old} its standby`, async () => {
      const { ids, failures } = await switchUnderLoad(test, color, name);
      expect(await missing(color, ids)).to.deep.equal([]);
      expect(failures).to.deep.equal([]);
      expect(await isStandby(color)).to.equal(false);
      expect(await isStandby(old)).to.equal(true);
      await expectNoChange();
    });
  }

  it("heals itself after it was killed between the handover and the switch of traffic", async () => {
    const writers = await startWriters(test.cluster, "fourth");
    await writers.more(20);
    await test.set({ activeColor: "green" });
    // Connected before: traffic moves a moment after the promotion.
    const green = new Client({ connectionString: serverOf("green").adminUrl });
    await green.connect();
    await killUpdate(
      test,
      async () =>
        (await green.query<{ primary: boolean }>("SELECT NOT pg_is_in_recovery() AS primary")).rows[0]
          ?.primary === true,
    );
    await green.end();
    const late = (await liveColor(test.cluster)) === "green";
    console.log(`      killed ${late ? "after" : "before"} traffic moved`);
    // On a machine that is too slow for that moment: what waiting writers then gave the old server is kept
    // until somebody gives it up.
    if (late) await setDatabase({ allowDataLoss: true });
    await writers.more(20);
    // A person's `up` begins with a preview.
    await test.stack.preview();
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("green");
    await writers.more(20);
    const { ids } = await writers.stop();
    if (!late) expect(await missing("green", ids)).to.deep.equal([]);
    await setDatabase({});
    expect(await isStandby("blue")).to.equal(true);
    await test.stack.up();
    await expectNoChange();
  });

  it("changes nothing, and does not wait, while the idle server is down", async () => {
    await serverOf("blue").stop();
    // Whatever would wait for it is a step that runs, and so a change.
    await expectNoChange();
    await start("blue");
  });

  it("switches also when the old server cannot be rebuilt, and says that there is no rollback", async () => {
    await setDatabase({ rebuildCommand: failingCommand });
    const { ids, said } = await switchUnderLoad(test, "blue", "fifth");
    expect(said).to.contain("There is no rollback to green without a loss").and.contain("no space left");
    expect(await missing("blue", ids)).to.deep.equal([]);
    expect(await failureOf(ask("green", "CREATE TABLE made_here ()"))).to.contain("read-only");
  });

  it("refuses a rollback in preview, with what would be lost", async () => {
    await test.set({ activeColor: "green" });
    const message = await failureOf(test.stack.preview());
    expect(message, message)
      .to.contain("The switch from blue to green was refused: it would lose writes")
      .and.match(/left behind by the switch to blue at .* has written \d+ bytes/)
      .and.contain("database.allowDataLoss true");
    expect(await liveColor(test.cluster)).to.equal("blue");
  });

  it("rolls back without what was written since, once that is accepted", async () => {
    await setDatabase({ rebuildCommand: failingCommand, allowDataLoss: true });
    const { ids } = await switchUnderLoad(test, "green", "sixth");
    const lost = await missing("green", ids);
    expect(lost).to.include(ids[0]).and.not.include(ids.at(-1));
  });

  it("rebuilds as soon as the command can, and there is a rollback again", async () => {
    await setDatabase();
    await test.stack.up();
    expect(await isStandby("blue")).to.equal(true);
    await expectNoChange();
    const { ids } = await switchUnderLoad(test, "blue", "seventh");
    expect(await missing("blue", ids)).to.deep.equal([]);
  });

  it("keeps every password out of state", async () => {
    const state = JSON.stringify(await test.stack.exportDeployment());
    for (const color of colors) expect(state).not.to.contain(new URL(serverOf(color).secret.url).password);
  });
});
