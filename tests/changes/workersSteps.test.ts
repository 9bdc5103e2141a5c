import { expect } from "chai";
import { colors, names, poll, type Color } from "@bluegreen/release";
import { podsOfWorkers } from "@bluegreen/release/kubernetes/pods";
import { failureOf, liveColor } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { blue, green, makeTrafficOnly, type TrafficOnly } from "../support/trafficOnly";
import { startStep, type RunningStep } from "../provider/stepProvider";

const app = "chatgpt-app";
const template = { blue: "a", green: "b" };
const mailer = { name: "mailer", replicas: 1, overlap: false };
const workers = { blue: [mailer], green: [mailer] };

/** It takes a second to end what it has. */
const program = `
process.on("SIGTERM", () => setTimeout(() => process.exit(0), 1000));
setInterval(() => undefined, 1000);
`;

describe("Workers around a switch, in Pulumi's provider process and on a real cluster", function () {
  let traffic: TrafficOnly;
  let test: TestNamespace;
  let stop: RunningStep;
  let start: Omit<RunningStep, "beside" | "close">;

  before(async () => {
    test = await makeNamespace();
    traffic = await makeTrafficOnly(test, "worker", program);
    for (const color of colors) await deploy(color);
  });
  after(() => test.remove());
  beforeEach(async () => {
    stop = await startStep("workersStop", { KUBECONFIG: test.stage.kubeconfig });
    start = stop.beside("workersStart");
  });
  afterEach(() => stop.close());

  const deploy = (color: Color, worker = "mailer") => {
    const matchLabels = { "app.kubernetes.io/name": app, version: color, "bluegreen.dev/worker": worker };
    return test.cluster.apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: {
        metadata: { name: names.worker(app, color, worker) },
        spec: {
          replicas: 0,
          strategy: { type: "Recreate" },
          selector: { matchLabels },
          template: {
            metadata: {
              labels: matchLabels,
              annotations: { "bluegreen.dev/pod-template-hash": template[color] },
            },
            spec: {
              terminationGracePeriodSeconds: 20,
              containers: [{ name: "worker", image: traffic.image }],
            },
          },
        },
      },
    });
  };
  const inputs = (activeColor: Color) => ({ ...test.where, activeColor, workers });
  const starting = (activeColor: Color) => ({
    ...inputs(activeColor),
    template: template[activeColor],
    budgetSeconds: 120,
  });
  /** A pod that has ended what it had is told of for a moment longer; it takes no job any more. */
  const running = async (color: Color) =>
    (await podsOfWorkers(test.cluster, { app, color }, ["mailer"])).filter(
      ({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed",
    ).length;

  it("start where traffic is, and are not started again", async () => {
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("some");
    expect(await start.create(starting("blue"))).to.deep.include({ outcome: "mailer of blue run" });
    expect([await running("blue"), await running("green")]).to.deep.equal([1, 0]);
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("none");
    expect(await stop.changes(inputs("blue"), inputs("blue"))).to.equal("none");
  });

  it("are gone from the color that a switch leaves before it is made, and start after it", async () => {
    await traffic.note("switch", green, blue);
    expect(await stop.changes(inputs("blue"), inputs("green"))).to.equal("some");
    expect(await stop.create(inputs("green"))).to.deep.include({ outcome: "mailer of blue stopped" });
    expect([await running("blue"), await running("green")]).to.deep.equal([0, 0]);
    await traffic.point("green");
    expect(await start.create(starting("green"))).to.deep.include({ outcome: "mailer of green run" });
    expect([await running("blue"), await running("green")]).to.deep.equal([0, 1]);
  });

  it("of a bad version stop once traffic is back, and the good one's start when they are gone", async () => {
    const { isBack, said } = await traffic.rollBack({ workers });
    expect(isBack, said).to.equal(true);
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await running("green")).to.equal(0);
    expect(await start.create(starting("blue"))).to.deep.include({ outcome: "mailer of blue run" });
    expect([await running("blue"), await running("green")]).to.deep.equal([1, 0]);
  });

  it("are left alone by a rollback until traffic has moved", async () => {
    await traffic.note("rollback", green, blue);
    expect((await stop.create(inputs("green")))["outcome"]).to.match(/traffic returns first/);
    expect(await running("blue")).to.equal(1);
  });

  it("that an update has stopped and left so are started by the next one", async () => {
    await traffic.note("switch", green, blue);
    await stop.create(inputs("green"));
    expect(await running("blue")).to.equal(0);
    // Killed here: config is put back, or is not.
    expect(await stop.changes(inputs("green"), inputs("green"))).to.equal("some");
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("some");
    expect(await start.update(starting("blue"), starting("blue"))).to.deep.include({
      outcome: "mailer of blue run",
    });
  });

  it("of both colors are a part of their color's readiness, and go with it", async () => {
    await deploy("green", "indexer");
    const rollout = stop.beside("workerRollout");
    const of = (replicas: number) => ({
      ...test.where,
      color: "green",
      template: template.green,
      workers: [{ name: "indexer", replicas }],
      budgetSeconds: 120,
    });
    const pods = async () => (await podsOfWorkers(test.cluster, { app, color: "green" }, ["indexer"])).length;
    expect(await rollout.create(of(2))).to.deep.include({ readyWorkers: 1 });
    expect(await pods()).to.equal(2);
    expect(await rollout.changes(of(2), of(2))).to.equal("none");
    expect(await rollout.update(of(2), of(0))).to.deep.include({ readyWorkers: 0 });
    await poll(async () => ((await pods()) === 0 ? true : undefined), { timeoutMs: 300_000 });
  });

  it("whose pods cannot start are told with the reason", async () => {
    const name = names.worker(app, "green", "mailer");
    const { namespace, cluster } = test;
    const deployment = await cluster.apps.readNamespacedDeployment({ name, namespace });
    const [container] = deployment.spec?.template.spec?.containers ?? [];
    Object.assign(container ?? {}, { image: "nowhere.invalid/worker:v2" });
    await cluster.apps.replaceNamespacedDeployment({ name, namespace, body: deployment });
    await traffic.note("switch", green, blue);
    await stop.create(inputs("green"));
    await traffic.point("green");
    const failure = await failureOf(start.create(starting("green")));
    expect(failure)
      .to.match(/Worker mailer of green does not start/)
      .and.match(/BG-IMAGE-NOT-PULLED/);
    await poll(async () => ((await running("blue")) === 0 ? true : undefined), { timeoutMs: 300_000 });
  });
});
