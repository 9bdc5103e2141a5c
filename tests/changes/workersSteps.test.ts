import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { names, poll, type Color } from "@bluegreen/release";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import { podsOfWorkers } from "@bluegreen/release/kubernetes/pods";
import { takeBack } from "@bluegreen/release/rollback/takeBack";
import { activeServiceOf } from "@bluegreen/release/state/blockedImages";
import { writeRelease } from "@bluegreen/release/state/record";
import { loadBundles } from "../../local/stage";
import { failureOf, liveColor } from "../support/look";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "../provider/stepProvider";

const app = "chatgpt-app";
const blue = { color: "blue", image: "repo/app:v1", template: "a" } as const;
const green = { color: "green", image: "repo/app:v2", template: "b" } as const;
const template = { blue: "a", green: "b" };
const mailer = { name: "mailer", replicas: 1, overlap: false };
const workers = { blue: [mailer], green: [mailer] };

/** It takes a second to end what it has. */
const program = `
process.on("SIGTERM", () => setTimeout(() => process.exit(0), 1000));
setInterval(() => undefined, 1000);
`;

describe("Workers around a switch, in Pulumi's provider process and on a real cluster", function () {
  let home: TestNamespace;
  let image: string;
  let stop: RunningStep;
  let start: Omit<RunningStep, "beside" | "close">;

  before(async () => {
    home = await makeNamespace();
    const folder = await mkdtemp(join(tmpdir(), "workers-"));
    const bundle = join(folder, "server.js");
    await writeFile(bundle, program);
    [image = ""] = await loadBundles([{ reference: "bluegreen.local/worker:v1", bundle }]);
    await rm(folder, { recursive: true });
    const { cluster, namespace } = home;
    await cluster.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: names.activeService(app) },
        spec: { selector: { app, version: "blue" }, ports: [{ port: 80 }] },
      },
    });
    for (const color of ["blue", "green"] as const) {
      // Ready, as far as anybody looks who takes traffic there.
      await cluster.discovery.createNamespacedEndpointSlice({
        namespace,
        body: {
          metadata: {
            name: `${app}-${color}-ready`,
            labels: { "kubernetes.io/service-name": names.colorService(app, color) },
          },
          addressType: "IPv4",
          ports: [{ name: "http", port: 3000, protocol: "TCP" }],
          endpoints: [{ addresses: ["10.255.255.1"], targetRef: { kind: "Pod", name: color, namespace } }],
        },
      });
      await deploy(color);
    }
  });
  after(() => home.remove());
  beforeEach(async () => {
    stop = await startStep("workersStop", { KUBECONFIG: home.stage.kubeconfig });
    start = stop.beside("workersStart");
  });
  afterEach(() => stop.close());

  const deploy = (color: Color, worker = "mailer") => {
    const matchLabels = { "app.kubernetes.io/name": app, version: color, "bluegreen.dev/worker": worker };
    return home.cluster.apps.createNamespacedDeployment({
      namespace: home.namespace,
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
            spec: { terminationGracePeriodSeconds: 20, containers: [{ name: "worker", image }] },
          },
        },
      },
    });
  };
  const inputs = (activeColor: Color) => ({ ...home.where, activeColor, workers });
  const starting = (activeColor: Color) => ({
    ...inputs(activeColor),
    template: template[activeColor],
    budgetSeconds: 120,
  });
  /** A pod that has ended what it had is told of for a moment longer; it takes no job any more. */
  const running = async (color: Color) =>
    (await podsOfWorkers(home.cluster, { app, color }, ["mailer"])).filter(
      ({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed",
    ).length;
  const point = (color: Color) =>
    activeServiceOf(home.cluster, app).send([
      { op: "replace", path: "/spec/selector/version", value: color },
    ]);
  const note = (
    kind: "switch" | "rollback",
    to: typeof blue | typeof green,
    from: typeof blue | typeof green,
  ) =>
    writeRelease(home.cluster, app, {
      id: `${kind}-${to.color}`,
      kind,
      share: 100,
      to,
      from,
      who: "a test",
      why: "a test",
      at: new Date().toISOString(),
      state: "permitted",
      baseline: noBaseline,
      contracts: { waiting: [] },
    });

  it("start where traffic is, and are not started again", async () => {
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("some");
    expect(await start.create(starting("blue"))).to.deep.include({ outcome: "mailer of blue run" });
    expect([await running("blue"), await running("green")]).to.deep.equal([1, 0]);
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("none");
    expect(await stop.changes(inputs("blue"), inputs("blue"))).to.equal("none");
  });

  it("are gone from the color that a switch leaves before it is made, and start after it", async () => {
    await note("switch", green, blue);
    expect(await stop.changes(inputs("blue"), inputs("green"))).to.equal("some");
    expect(await stop.create(inputs("green"))).to.deep.include({ outcome: "mailer of blue stopped" });
    expect([await running("blue"), await running("green")]).to.deep.equal([0, 0]);
    await point("green");
    expect(await start.create(starting("green"))).to.deep.include({ outcome: "mailer of green run" });
    expect([await running("blue"), await running("green")]).to.deep.equal([0, 1]);
  });

  it("of a bad version stop once traffic is back, and the good one's start when they are gone", async () => {
    const said: string[] = [];
    const isBack = await takeBack(
      {
        where: home.where,
        undone: { to: green, from: blue, share: 100 },
        settings: { route: null, database: null, connectionDrainSeconds: 0, followers: { workers } },
        reason: "a test",
        evidence: [],
        by: "a test",
      },
      (line) => said.push(line),
    );
    expect(isBack, said.join("\n")).to.equal(true);
    expect(await liveColor(home.cluster)).to.equal("blue");
    expect(await running("green")).to.equal(0);
    expect(await start.create(starting("blue"))).to.deep.include({ outcome: "mailer of blue run" });
    expect([await running("blue"), await running("green")]).to.deep.equal([1, 0]);
  });

  it("are left alone by a rollback until traffic has moved", async () => {
    await note("rollback", green, blue);
    expect((await stop.create(inputs("green")))["outcome"]).to.match(/traffic returns first/);
    expect(await running("blue")).to.equal(1);
  });

  it("that an update has stopped and left so are started by the next one", async () => {
    await note("switch", green, blue);
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
      ...home.where,
      color: "green",
      template: template.green,
      workers: [{ name: "indexer", replicas }],
      budgetSeconds: 120,
    });
    const pods = async () => (await podsOfWorkers(home.cluster, { app, color: "green" }, ["indexer"])).length;
    expect(await rollout.create(of(2))).to.deep.include({ readyWorkers: 1 });
    expect(await pods()).to.equal(2);
    expect(await rollout.changes(of(2), of(2))).to.equal("none");
    expect(await rollout.update(of(2), of(0))).to.deep.include({ readyWorkers: 0 });
    await poll(async () => ((await pods()) === 0 ? true : undefined), { timeoutMs: 300_000 });
  });

  it("whose pods cannot start are told with the reason", async () => {
    const name = names.worker(app, "green", "mailer");
    const { namespace, cluster } = home;
    const deployment = await cluster.apps.readNamespacedDeployment({ name, namespace });
    const [container] = deployment.spec?.template.spec?.containers ?? [];
    Object.assign(container ?? {}, { image: "nowhere.invalid/worker:v2" });
    await cluster.apps.replaceNamespacedDeployment({ name, namespace, body: deployment });
    await note("switch", green, blue);
    await stop.create(inputs("green"));
    await point("green");
    const failure = await failureOf(start.create(starting("green")));
    expect(failure)
      .to.match(/Worker mailer of green does not start/)
      .and.match(/BG-IMAGE-NOT-PULLED/);
    await poll(async () => ((await running("blue")) === 0 ? true : undefined), { timeoutMs: 300_000 });
  });
});
