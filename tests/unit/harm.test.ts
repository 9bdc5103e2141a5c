import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import {
  actOnHarm,
  beginGuard,
  closeGuard,
  endGuard,
  noteChange,
  noteHarm,
  recentChanges,
  refuseHarm,
  testLive,
  untilActedOnHarm,
} from "@bluegreen/release/state/harm";
import type { Cluster } from "@bluegreen/release/kubernetes/cluster";
import { UserError } from "@bluegreen/release/util/userError";
import { allBefore, recordApp, someSettings } from "./recorder";

const cluster = { config: { currentContext: "test" }, namespace: "shop" } as Cluster;
const app = "shop";
const harm = new UserError({ code: "BG-LIVE-HARMED", what: "it got worse", rule: "r", next: "n" });
const refusing = () => {
  refuseHarm(cluster, app);
};

describe("Harm that an update does to the live color", () => {
  afterEach(() => {
    endGuard(cluster, app);
  });

  it("stops every later step, and knows what was done before", () => {
    expect(refusing).not.to.throw();
    noteChange(cluster, app, "nobody observes");
    expect(recentChanges(cluster, app)).to.deep.equal([]);
    beginGuard(cluster, app);
    noteChange(cluster, app, "migrations 0002 were applied");
    noteChange(cluster, app, "green got a new pod template");
    const [newest = "", oldest = ""] = recentChanges(cluster, app);
    expect(newest).to.match(/^green got a new pod template, \d+ ms before$/);
    expect(oldest).to.contain("0002");
    expect(noteHarm(cluster, app, harm)).to.equal(true);
    expect(refusing).to.throw(harm);
    expect(() => {
      closeGuard(cluster, app);
    }).to.throw(harm);
    expect(() => {
      refuseHarm({ ...cluster, namespace: "another" }, app);
    }).not.to.throw();
  });

  it("has been acted on before a step has failed by it: the process ends after that", async () => {
    const done: string[] = [];
    const acting = actOnHarm(setImmediate().then(() => void done.push("acted on")));
    await untilActedOnHarm();
    done.push("failed");
    await acting;
    expect(done).to.deep.equal(["acted on", "failed"]);
    await untilActedOnHarm();
  });

  it("is nobody's to act on once traffic may move: the idle pods may be the live ones by then", () => {
    beginGuard(cluster, app);
    closeGuard(cluster, app);
    expect(noteHarm(cluster, app, harm)).to.equal(false);
    expect(refusing).not.to.throw();
  });

  it("is looked for by the smoke tests, where there are some, once the update has done something", async () => {
    await testLive(cluster, app, "while nobody observes");
    beginGuard(cluster, app);
    await testLive(cluster, app, "without tests");
    const moments: string[] = [];
    beginGuard(cluster, app, (moment) => {
      moments.push(moment);
      noteHarm(cluster, app, harm);
      return Promise.resolve();
    });
    const failure = await testLive(cluster, app, "after migrations 0002").catch((error: unknown) => error);
    expect(failure).to.equal(harm);
    expect(moments).to.deep.equal(["after migrations 0002"]);
  });

  it("is looked for by the smoke tests where config says so", async () => {
    const { recorded } = await recordApp({ ...someSettings, smokeLiveColor: "true" });
    expect(recorded.find(({ name }) => name === "chatgpt-app-live-guard")?.inputs)
      .to.have.property("suite")
      .that.deep.equals({
        suite: "tests/smoke/**/*.ts",
        suiteEnv: [],
        budgetSeconds: 300,
        versions: { blue: someSettings.blueTag, green: someSettings.greenTag },
      });
  });

  it("is looked for from before the first migration until the idle color has passed its gates", async () => {
    const recorder = await recordApp();
    expect([...allBefore(recorder, "chatgpt-app-migrations")]).to.include("chatgpt-app-live-guard");
    const guard = recorder.recorded.find(({ name }) => name === "chatgpt-app-live-guard");
    expect(guard?.inputs).to.include.keys("limits").and.not.have.property("suite");
    const before = [...allBefore(recorder, "chatgpt-app-live-guard-end")];
    expect(before).to.include("chatgpt-app-green-smoke");
    expect([...allBefore(recorder, "chatgpt-app-release-unlock")]).to.include("chatgpt-app-live-guard-end");
    const without = await recordApp({ ...someSettings, analysis: '{"durationSeconds":0}' });
    expect(without.recorded.filter(({ name }) => name.includes("live-guard"))).to.deep.equal([]);
  });
});
