import { expect } from "chai";
import type { Color } from "@bluegreen/release";
import type { Followers } from "@bluegreen/release/config/background";
import { workersStart, workersStop } from "@bluegreen/release/releases/workers";
import { rollBackRelease } from "@bluegreen/release/rollback/rollBackRelease";
import type { ApiServer } from "../support/apiServer";
import { blue, green, shop, startShop, type ShopRelease } from "../support/shopRelease";

const { app } = shop;
const followers: Followers = { workers: { blue: [], green: [] }, colorFile: true };
const activeMap = "configmaps/shop-active";

/** What a kubelet does with the file is simulated by nothing; tests/changes/activeColorFile.test.ts has a real one. */
describe("The order in which pods are told of the live color (simulated)", function () {
  let api: ApiServer;
  let release: ShopRelease;
  let close: () => Promise<void>;
  /** What happened, in its order. */
  let seen: string[];

  before(async () => {
    ({ api, release, close } = await startShop());
  });
  after(() => close());
  beforeEach(() => {
    seen = [];
    api.objects.clear();
    api.meddle = undefined;
    api.changed = (key, object) => {
      const color = /^pods\/shop-(blue|green)-1$/.exec(key)?.[1];
      const { metadata, data } = object as { metadata: { annotations?: object }; data?: object };
      if (key === activeMap) seen.push(`file: ${JSON.stringify(data)}`);
      if (color !== undefined) seen.push(`${color} told: ${JSON.stringify(metadata.annotations)}`);
      if (key === "services/shop-service") seen.push(`traffic is on ${release.liveColor()}`);
    };
    for (const { color } of [blue, green]) {
      api.change(`pods/shop-${color}-1`, podOf(color, "shop-active"));
    }
    release.begin();
    say("blue");
    traffic("blue");
    seen = [];
  });

  const podOf = (color: Color, configMap: string) => ({
    metadata: { namespace: "shop", name: `shop-${color}-1`, labels: { app, version: color } },
    spec: { containers: [{ name: "app" }], volumes: [{ name: "active", configMap: { name: configMap } }] },
    status: { phase: "Running" },
  });
  const say = (color: Color | "") => {
    api.change(activeMap, { metadata: { name: "shop-active" }, data: { color } });
  };
  const traffic = (version: Color) => {
    release.lead(version);
    seen.push(`traffic is on ${version}`);
  };
  const said = (color: Color | "", told: Color) => [
    `file: ${JSON.stringify({ color })}`,
    `${told} told: ${JSON.stringify({ "bluegreen.dev/active-color": color })}`,
  ];
  const lines: string[] = [];
  const hear = (line: string) => void lines.push(line);
  const stop = (activeColor: Color, more: Partial<Followers> = {}) => ({
    ...shop,
    ...followers,
    ...more,
    activeColor,
  });
  const start = (activeColor: Color, more: Partial<Followers> = {}) => ({
    ...stop(activeColor, more),
    template: activeColor === "blue" ? blue.template : green.template,
    budgetSeconds: 30,
  });
  const undo = () =>
    rollBackRelease(
      {
        where: shop,
        undone: { id: "s1", to: green, from: blue, weight: 100 },
        settings: { route: null, database: null, connectionDrainSeconds: 0, followers },
        ...{ reason: "a test", evidence: [], by: "anna" },
      },
      hear,
    );

  it("of a switch: the old ones are told of no color, traffic moves, the new ones are told of theirs", async () => {
    release.note({});
    const { outcome } = await workersStop.run(stop("green"), hear);
    expect(outcome).to.equal("pods of blue are told that no color is active");
    traffic("green");
    expect(await workersStart.isNeeded(start("green"), start("green"))).to.equal(true);
    await workersStart.run(start("green"), hear);
    expect(seen).to.deep.equal([...said("", "blue"), "traffic is on green", ...said("green", "green")]);
    expect(await workersStart.isNeeded(start("green"), start("green"))).to.equal(false);
  });

  it("of a rollback: traffic is back first, the bad ones are told before the good ones", async () => {
    release.note({ state: "analyzing" });
    say("green");
    traffic("green");
    seen = [];
    expect(await undo()).to.equal(true);
    expect(seen).to.deep.equal(["traffic is on blue", ...said("", "green"), ...said("blue", "blue")]);
  });

  it("of a rollback by config: nobody is told before traffic is back", async () => {
    release.note({ kind: "rollback" });
    await workersStop.run(stop("green"), hear);
    expect(seen).to.deep.equal([]);
    traffic("green");
    await workersStart.run(start("green"), hear);
    expect(seen).to.deep.equal(["traffic is on green", ...said("", "blue"), ...said("green", "green")]);
  });

  it("of an update that was killed before traffic moved: the next one tells the live color again", async () => {
    release.note({});
    await workersStop.run(stop("green"), hear);
    seen = [];
    expect(await workersStart.isNeeded(start("blue"), start("blue"))).to.equal(true);
    await workersStart.run(start("blue"), hear);
    expect(seen).to.deep.equal(said("blue", "blue"));
  });

  it("of workers that could not be stopped: the live color continues", async () => {
    release.note({});
    const mailer = { name: "mailer", replicas: 1, overlap: false };
    api.change("deployments/shop-blue-mailer", {
      metadata: { name: "shop-blue-mailer", generation: 1 },
      spec: { replicas: 1, template: {} },
      status: { observedGeneration: 1 },
    });
    api.meddle = (request) => (request.startsWith("PATCH deployments") ? 403 : undefined);
    const run = workersStop.run(stop("green", { workers: { blue: [mailer], green: [mailer] } }), hear);
    expect(await run.catch((error: unknown) => String(error))).to.match(/stays on blue/);
    expect(seen).to.deep.equal([...said("", "blue"), ...said("blue", "blue")]);
  });

  it("of pods that nobody may touch: it is said, and nothing is refused", async () => {
    release.note({});
    lines.length = 0;
    api.meddle = (request) => (request.startsWith("PATCH pods") ? 403 : undefined);
    await workersStop.run(stop("green"), hear);
    expect(seen).to.deep.equal(said("", "blue").slice(0, 1));
    expect(lines.join()).to.match(/1 of 1 pods of blue, shop-blue-1 .*within about a minute/);
  });

  it("of an answer that is lost: the same is said once more", async () => {
    release.note({});
    let isLost = false;
    api.meddle = (request) => {
      if (isLost || request !== `PATCH ${activeMap}`) return undefined;
      isLost = true;
      return "dropped";
    };
    await workersStop.run(stop("green"), hear);
    expect([...new Set(seen)]).to.deep.equal(said("", "blue"));
  });

  it("of a ConfigMap that somebody has deleted: it is there again", async () => {
    api.objects.delete(activeMap);
    expect(await workersStart.isNeeded(start("blue"), start("blue"))).to.equal(true);
    await workersStart.run(start("blue"), hear);
    expect(seen).to.deep.equal(said("blue", "blue"));
  });

  it("never tells pods without the file, nor anybody before the first release", async () => {
    api.change("pods/shop-blue-1", podOf("blue", "another"));
    api.objects.delete("services/shop-service");
    expect((await workersStart.run(start("green"), hear)).outcome).to.contain("no color");
    expect(seen).to.deep.equal([]);
    traffic("green");
    seen = [];
    await workersStart.run(start("green"), hear);
    expect(seen).to.deep.equal([`file: {"color":""}`, ...said("green", "green")]);
  });
});
