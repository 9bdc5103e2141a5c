import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { poll, type Color } from "@bluegreen/release";
import { readHistory, type HistoryEntry } from "@bluegreen/release/state/history";
import { repositoryDir } from "../../local/paths";
import type { AppBuild } from "../../local/images/app";
import { expectGood } from "../pages/support/browser";
import { openDashboard } from "../pages/support/openDashboard";
import type { Crowd } from "../routes/support/visitor";
import { bluegreen } from "../support/bluegreen";
import { killUpdate } from "../support/killUpdate";
import { failureOf, liveColor } from "../support/read";
import { makeProgramFolder, type ProgramFolder } from "../support/programFolder";
import { startReceiver, type HttpReceiver } from "../support/receiver";
import { makeTwoClusters, type TwoClusters } from "./support/twoClusters";

const app = "chatgpt-app";
const build = (tag: string): AppBuild => ({ tag, release: "v2", fault: "none" });

describe("One release over two clusters, with a load balancer in front", function () {
  let test: TwoClusters;
  let crowd: Crowd;
  /** Takes part in every analysis: it says no as long as traffic of us is on this color. */
  let critic: HttpReceiver;
  let disliked: string | undefined;

  let migrations: ProgramFolder;

  before(async () => {
    migrations = makeProgramFolder();
    critic = await startReceiver();
    critic.answer((response) => {
      void liveColor(test.us.cluster).then((live) =>
        response.writeHead(200).end(JSON.stringify({ healthy: live !== disliked, reason: "us complains" })),
      );
    });
    test = await makeTwoClusters([
      { tag: "v1", release: "v1", fault: "none" },
      ...["v2", "v3", "v4", "v5", "v6", "v7"].map(build),
    ]);
    await test.eu.loadImages([build("eu-alone")]);
    await test.set({
      analysis: { durationSeconds: 10, intervalSeconds: 1, failureThreshold: 3, webhookUrl: critic.url },
    });
  });
  after(async () => {
    await test.remove();
    await critic.close();
    migrations.remove();
  });

  const targets = [
    { name: "eu", context: "eu" },
    { name: "us", context: "us" },
  ];
  const live = async () => ({ eu: await liveColor(test.eu.cluster), us: await liveColor(test.us.cluster) });
  const history = (cluster: "eu" | "us"): Promise<HistoryEntry[]> => readHistory(test[cluster].cluster, app);
  /** Ten times in a row: each second of them is another cluster's, if the balancer has both. */
  const untilAnswered = async (): Promise<void> => {
    let inARow = 0;
    const ask = async () => {
      const isAnswered = await test.visitor.ask("/widget", {}, false).then(
        ({ color }) => color !== undefined,
        () => false,
      );
      inARow = isAnswered ? inARow + 1 : 0;
      return inARow >= 10 ? true : undefined;
    };
    await poll(ask, { timeoutMs: 300_000, intervalMs: 20 });
  };
  /** The dashboard in a browser, as somebody has it open beside the update. */
  const watchOnPage = async () => {
    const { page, close } = await openDashboard(test);
    const isOn = (cluster: string, color: Color) =>
      page
        .locator(`section[aria-label="Traffic in ${cluster}"] .card.live[data-color=${color}]`)
        .waitFor({ timeout: 600_000 });
    return { page, isOn, close };
  };
  const atEase = async (): Promise<void> => {
    await crowd.stop();
    expect(crowd.failures).to.deep.equal([]);
  };

  it("begins with one cluster", async () => {
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
    await test.eu.makeCertificate();
    await untilAnswered();
  });

  it("takes a second one in, and changes nothing in the first", async () => {
    crowd = test.visitor.crowd();
    // With nobody in us its time would have come, were it not for traffic of eu on the same database.
    for (const file of readdirSync(join(repositoryDir, "migrations")))
      migrations.write(file, readFileSync(join(repositoryDir, "migrations", file), "utf8"));
    migrations.write("0003_drop_tier.sql", "-- phase: contract\nALTER TABLE users DROP COLUMN tier");
    await test.set({ context: "", clusters: { targets }, migrationsDir: migrations.path });
    const { changes, steps } = await test.stack.up();
    expect(Object.keys(changes)).to.have.members(["create", "same", "update"]);
    expect(
      steps.filter(({ op }) => op === "update").map(({ name }) => name),
      "the list of migrations, and the guard of the live color while one is new",
    ).to.have.members([
      "eu/chatgpt-app-live-guard",
      "eu/chatgpt-app-migrations",
      "eu/chatgpt-app-live-guard-end",
    ]);
    await test.us.makeCertificate();
    expect(await live()).to.deep.equal({ eu: "blue", us: "blue" });
    const outputs = await test.stack.outputs();
    expect(outputs["liveColor"]?.value).to.equal("blue");
    expect(outputs["clusters"]?.value).to.deep.equal({
      eu: { liveColor: "blue", schemaVersion: "0002" },
      us: { liveColor: "blue", schemaVersion: "0002" },
    });
    await atEase();
  });

  it("moves traffic of one cluster after the other, each analyzed before the next, without a failed request", async () => {
    crowd = test.visitor.crowd();
    const { page, isOn, close } = await watchOnPage();
    try {
      await Promise.all([isOn("eu", "blue"), isOn("us", "blue")]);
      await test.set({ activeColor: "green", greenTag: "v2" });
      const inTurn = async () => {
        await isOn("eu", "green");
        await isOn("us", "blue");
      };
      await Promise.all([test.stack.up(), inTurn()]);
      await isOn("us", "green");
      await expectGood(page, "dashboard-clusters");
    } finally {
      await close();
    }
    await crowd.untilOnly("green");
    await atEase();
    expect(await live()).to.deep.equal({ eu: "green", us: "green" });
    const [eu, us] = [(await history("eu")).at(-1), (await history("us")).at(-1)];
    expect(
      Date.parse(us?.at ?? "") - Date.parse(eu?.at ?? ""),
      "the analysis of eu lies in between",
    ).to.be.at.least(10_000);
  });

  it("rolls back the other cluster by hand when one cannot be reached, and says which, and then that one's", async () => {
    crowd = test.visitor.crowd();
    test.us.api.cut();
    const { code, out, errors } = await bluegreen(test, "rollback", "--yes", "--reason", "a test");
    expect(out).to.match(/eu: traffic is on blue .*: \d+\.\d\d s/);
    expect(errors)
      .to.contain("us: traffic was NOT moved")
      .and.contain("Cluster us (context us) was not reached")
      .and.contain("rollback --cluster us");
    expect(code).to.equal(3);
    expect(await live()).to.deep.equal({ eu: "blue", us: "green" });

    expect(await failureOf(test.stack.preview()), "a release over a cluster that is away").to.contain(
      "Cluster us (context us) was not reached",
    );
    test.us.api.mend();
    const rest = await bluegreen(test, "rollback", "--yes", "--cluster", "us");
    expect(rest.out, rest.errors)
      .to.match(/us: traffic is on blue .*/)
      .and.contain("Config says the same");
    expect(rest.code).to.equal(0);
    expect(await live()).to.deep.equal({ eu: "blue", us: "blue" });
    await crowd.untilOnly("blue");
    await atEase();
    const shown = await bluegreen(test, "history");
    expect(
      shown.out
        .split("\n")
        .slice(0, 3)
        .map((line) => line.split(" ")[0]),
    ).to.deep.equal(["cluster", "us", "eu"]);
  });

  it("moves nobody anywhere when a gate fails in one of them", async () => {
    crowd = test.visitor.crowd();
    await test.set({ activeColor: "green", greenTag: "eu-alone" });
    expect(await failureOf(test.stack.up()))
      .to.match(/eu-alone/)
      .and.contain("Live traffic stays on blue");
    expect(await live()).to.deep.equal({ eu: "blue", us: "blue" });
    await atEase();
  });

  it("rolls back the first when the second is away as its turn comes", async () => {
    crowd = test.visitor.crowd();
    await test.set({ activeColor: "green", greenTag: "v6" });
    const failure = failureOf(test.stack.up());
    await poll(async () => ((await liveColor(test.eu.cluster)) === "green" ? true : undefined), {
      timeoutMs: 600_000,
      intervalMs: 50,
    });
    test.us.api.cut();
    const error = await failure;
    test.us.api.mend();
    expect(error)
      .to.contain("Traffic of cluster eu is back on blue.")
      .and.contain("unknown in us, blue in eu");
    expect(await live()).to.deep.equal({ eu: "blue", us: "blue" });
    await crowd.untilOnly("blue");
    await atEase();
  });

  it("rolls back both when the analysis fails in the second", async () => {
    crowd = test.visitor.crowd();
    disliked = "green";
    await test.set({ activeColor: "green", greenTag: "v3" });
    const error = await failureOf(test.stack.up());
    expect(error)
      .to.contain("green (bluegreen.local/chatgpt-app:v3) was rolled back")
      .and.contain("us complains")
      .and.contain("Traffic of cluster eu is back on blue.")
      .and.contain("Traffic is on: blue in us, blue in eu.");
    expect(await live()).to.deep.equal({ eu: "blue", us: "blue" });
    expect((await history("eu")).at(-1))
      .to.deep.include({ kind: "rollback" })
      .and.to.have.property("why")
      .that.contains("cluster us: ");
    await crowd.untilOnly("blue");
    await atEase();
  });

  it("leaves users where they are with onFailure stop, and continues from there", async () => {
    crowd = test.visitor.crowd();
    disliked = "green";
    await test.set({ clusters: { targets, onFailure: "stop" }, activeColor: "green", greenTag: "v4" });
    const error = await failureOf(test.stack.up());
    expect(error)
      .to.contain("Traffic is on: blue in us, green in eu.")
      .and.contain("back everywhere: pulumi config set activeColor blue && pulumi up")
      .and.contain("unblock green");
    expect(await live()).to.deep.equal({ eu: "green", us: "blue" });
    disliked = undefined;
    expect((await bluegreen(test, "unblock", "green")).code).to.equal(0);
    await test.set({ contractMigration: "0003" });
    expect(await failureOf(test.stack.preview())).to.contain(
      "traffic of cluster us is on blue, and config makes green active",
    );
    await test.set({ contractMigration: "" });
    await test.stack.up();
    expect(await live()).to.deep.equal({ eu: "green", us: "green" });
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
    await crowd.untilOnly("green");
    await atEase();
  });

  it("rolls back both by hand, at once", async () => {
    crowd = test.visitor.crowd();
    const { code, out, errors } = await bluegreen(test, "rollback", "--yes", "--traffic-only");
    expect(out, errors)
      .to.match(/eu: traffic is on blue/)
      .and.match(/us: traffic is on blue/)
      .and.contain("pulumi config set activeColor blue");
    expect(code).to.equal(0);
    expect(await live()).to.deep.equal({ eu: "blue", us: "blue" });
    await crowd.untilOnly("blue");
    await atEase();
  });

  it("rolls back everywhere by config, from an update that was killed between two flips", async () => {
    crowd = test.visitor.crowd();
    await test.set({ clusters: { targets }, activeColor: "green", greenTag: "v5" });
    await killUpdate(test, async () => (await liveColor(test.eu.cluster)) === "green");
    expect(await live()).to.deep.equal({ eu: "green", us: "blue" });
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(await live()).to.deep.equal({ eu: "blue", us: "blue" });
    await crowd.untilOnly("blue");
    await atEase();
  });

  it("lets no cluster wait for another with rollout parallel", async () => {
    crowd = test.visitor.crowd();
    await test.set({ clusters: { targets, rollout: "parallel" }, activeColor: "green", greenTag: "v7" });
    await test.stack.up();
    expect(await live()).to.deep.equal({ eu: "green", us: "green" });
    expect(JSON.stringify(await test.stack.exportDeployment()))
      .to.contain("SwitchGate")
      .and.not.to.contain("SwitchTurn");
    await crowd.untilOnly("green");
    await atEase();
  });

  it("serves on when the balancer loses a cluster", async () => {
    test.us.edge.cut();
    await untilAnswered();
    crowd = test.visitor.crowd();
    await crowd.untilOnly("green");
    await atEase();
    test.us.edge.mend();
  });
});
