import { expect } from "chai";
import type { Color } from "@bluegreen/release";
import type { ActiveWorkers } from "@bluegreen/release/config/background";
import { workersStart, workersStop } from "@bluegreen/release/releases/workers";
import { rollBackRelease } from "@bluegreen/release/rollback/rollBackRelease";
import type { ApiServer } from "../support/apiServer";
import { blue, green, shop, startShop, type ShopRelease } from "../support/shopRelease";

const { app } = shop;
const quiet = () => undefined;

interface Deployment {
  metadata: object;
  spec: { replicas: number; template: object };
}

/** What Kubernetes does with Deployments is simulated; tests/changes/workersSteps.test.ts has a real one. */
describe("The order in which workers stop and start (simulated)", function () {
  let api: ApiServer;
  let release: ShopRelease;
  let close: () => Promise<void>;
  /** What happened, in its order. */
  let seen: string[];
  /** Done as soon as pods of a color have ended. */
  let onEnd: ((color: Color) => void) | undefined;

  before(async () => {
    ({ api, release, close } = await startShop());
  });
  after(() => close());
  beforeEach(() => {
    api.objects.clear();
    seen = [];
    onEnd = undefined;
    api.changed = (key, object) => {
      const color = /^deployments\/shop-(blue|green)-mailer$/.exec(key)?.[1] as Color | undefined;
      if (color !== undefined) follow(color, object as Deployment);
      if (key === "services/shop-service") seen.push(`traffic is on ${release.liveColor()}`);
    };
    for (const { color, template } of [blue, green]) {
      setDeployment(color, color === "blue" ? 1 : 0, {
        annotations: { "bluegreen.dev/pod-template-hash": template },
      });
    }
    release.begin();
    traffic("blue");
    run("blue");
    seen = [];
  });

  const deploymentOf = (color: Color) => `deployments/shop-${color}-mailer`;
  const podOf = (color: Color) => `pods/shop-${color}-mailer-1`;
  const setDeployment = (color: Color, replicas: number, metadata: object) => {
    const counts = { replicas, readyReplicas: replicas, updatedReplicas: replicas };
    api.objects.set(deploymentOf(color), {
      metadata: { name: `shop-${color}-mailer`, generation: 1 },
      spec: { replicas, template: { metadata } },
      status: { observedGeneration: 1, availableReplicas: replicas, ...counts },
    });
  };
  const run = (color: Color) => {
    if (api.objects.has(podOf(color))) return;
    seen.push(`${color} starts`);
    api.objects.set(podOf(color), {
      metadata: {
        name: `shop-${color}-mailer-1`,
        labels: { "app.kubernetes.io/name": app, version: color, "bluegreen.dev/worker": "mailer" },
      },
      spec: { terminationGracePeriodSeconds: 30, containers: [{ name: "worker" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    });
  };
  const end = (color: Color) => {
    api.objects.delete(podOf(color));
    seen.push(`${color} has ended`);
    onEnd?.(color);
  };
  /** As its controllers do. */
  const follow = (color: Color, { spec }: Deployment) => {
    setDeployment(color, spec.replicas, (spec.template as { metadata: object }).metadata);
    if (spec.replicas > 0) run(color);
    else if (api.objects.has(podOf(color)))
      setTimeout(() => {
        end(color);
      }, 20);
  };
  const traffic = (version: Color) => {
    release.lead(version);
    seen.push(`traffic is on ${version}`);
  };
  const crew = (overlap = false): ActiveWorkers => {
    const mailer = { name: "mailer", replicas: 1, overlap };
    return { blue: [mailer], green: [mailer] };
  };
  const stop = (activeColor: Color, workers = crew()) => ({ ...shop, activeColor, workers });
  const start = (activeColor: Color, workers = crew()) => ({
    ...stop(activeColor, workers),
    template: activeColor === "blue" ? blue.template : green.template,
    budgetSeconds: 30,
  });

  it("of a switch: the old ones end, traffic moves, the new ones start", async () => {
    release.note({});
    expect(await workersStop.isNeeded(stop("blue"), stop("green"))).to.equal(true);
    await workersStop.run(stop("green"), quiet);
    traffic("green");
    await workersStart.run(start("green"), quiet);
    expect(seen).to.deep.equal(["blue has ended", "traffic is on green", "green starts"]);
    expect(await workersStart.isNeeded(start("green"), start("green"))).to.equal(false);
    expect(await workersStop.isNeeded(stop("green"), stop("green"))).to.equal(false);
  });

  it("of those that may overlap: traffic moves, the new ones start, the old ones end", async () => {
    release.note({});
    await workersStop.run(stop("green", crew(true)), quiet);
    traffic("green");
    await workersStart.run(start("green", crew(true)), quiet);
    await workersStart.run(start("green"), quiet);
    expect(seen).to.deep.equal(["traffic is on green", "green starts", "blue has ended"]);
  });

  it("of a rollback: traffic is back first, the bad ones end, the good ones start", async () => {
    release.note({});
    await workersStop.run(stop("green"), quiet);
    traffic("green");
    await workersStart.run(start("green"), quiet);
    seen = [];
    release.note({ state: "analyzing" });
    const settings = {
      route: null,
      database: null,
      connectionDrainSeconds: 0,
      followers: { workers: crew() },
    };
    const undone = { id: "s1", to: green, from: blue, weight: 100 };
    const told = { reason: "a test", evidence: [], by: "anna" };
    expect(await rollBackRelease({ where: shop, undone, settings, ...told }, quiet)).to.equal(true);
    expect(seen).to.deep.equal(["traffic is on blue", "green has ended", "blue starts"]);
  });

  it("of a rollback by config: nothing stops before traffic is back", async () => {
    release.note({ kind: "rollback" });
    await workersStop.run(stop("green"), quiet);
    expect(seen).to.deep.equal([]);
    traffic("green");
    await workersStart.run(start("green"), quiet);
    expect(seen).to.deep.equal(["traffic is on green", "blue has ended", "green starts"]);
  });

  it("of an update that was killed after the old ones had stopped: the next one starts them again", async () => {
    release.note({});
    await workersStop.run(stop("green"), quiet);
    expect(await workersStart.isNeeded(start("blue"), start("blue"))).to.equal(true);
    await workersStart.run(start("blue"), quiet);
    expect(seen).to.deep.equal(["blue has ended", "blue starts"]);
  });

  it("of a start that a rollback overtakes: those of the color that traffic is on run, and no others", async () => {
    release.note({});
    traffic("green");
    onEnd = (color) => {
      if (color === "blue") traffic("blue");
    };
    const { outcome } = await workersStart.run(start("green"), quiet);
    expect(outcome).to.contain("traffic is on blue");
    expect(seen).to.deep.equal([
      "traffic is on green",
      "blue has ended",
      "traffic is on blue",
      "blue starts",
    ]);
  });

  it("never moves where traffic has never been", async () => {
    api.objects.delete("services/shop-service");
    await workersStop.run(stop("green"), quiet);
    expect((await workersStart.run(start("green"), quiet)).outcome).to.contain("no color");
    expect(seen).to.deep.equal([]);
  });
});
