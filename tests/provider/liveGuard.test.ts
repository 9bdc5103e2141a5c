import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { names, orUndefined, parseSettings, poll, type Color } from "@bluegreen/release";
import { limitsOf } from "@bluegreen/release/config/analysisSettings";
import { askThroughForward, podsOfColor } from "@bluegreen/release/kubernetes/pods";
import { readLiveNote } from "@bluegreen/release/state/liveNote";
import { loadBundles } from "../../local/stage";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { someSettings } from "../unit/recorder";
import { startStep, type RunningStep } from "./stepProvider";

const app = "chatgpt-app";

/**
 * Says that it answers a hundred requests a second: with 200, and from /break on with 500. /users is what a schema can
 * take away from it: /drop does, /restore gives it back.
 */
const server = `
let since = Date.now(), well = 0, broken = false, dropped = false;
const counted = () => (Date.now() - since) / 10;
require("node:http").createServer((request, response) => {
  if (request.url === "/break") { well = counted(); since = Date.now(); broken = true; }
  if (request.url === "/drop" || request.url === "/restore") dropped = request.url === "/drop";
  if (dropped && request.url === "/users") response.statusCode = 500;
  if (request.url === "/new") response.statusCode = 404;
  const [ok, failed] = broken ? [well, counted()] : [counted(), 0];
  const line = (status, count) => 'http_requests_total{status="' + status + '"} ' + Math.floor(count) + "\\n";
  response.end(request.url === "/metrics" ? "# TYPE http_requests_total counter\\n" + line(200, ok) + line(500, failed) : "ok");
}).listen(3000);
process.on("SIGTERM", () => process.exit(0));
`;

/** Of a new version: what only that one can pass is among them. */
const suite = `
const answers = async (path) => {
  const { status } = await fetch(new URL(path, process.env["BASE_URL"]));
  if (status !== 200) throw new Error(path + " answers " + status);
};
describe("Shop", () => {
  it("finds users", () => answers("/users"));
  it("has the new page", () => answers("/new"));
  it("knows its version", () => { if (process.env["EXPECT_VERSION"] !== "v1") throw new Error("another one"); });
});
`;

describe("The live color while the idle one deploys, on a real cluster", function () {
  let test: TestNamespace;
  let step: RunningStep;
  let image: string;

  before(async () => {
    test = await makeNamespace();
    const folder = await mkdtemp(join(tmpdir(), "guard-"));
    const bundle = join(folder, "server.js");
    await writeFile(bundle, server);
    [image = ""] = await loadBundles([{ reference: "bluegreen.local/guarded:v1", bundle }]);
    await rm(folder, { recursive: true });
    const { cluster, namespace } = test;
    for (const [name, version] of [
      [names.activeService(app), "blue"],
      [names.colorService(app, "blue"), "blue"],
    ] as const)
      await cluster.core.createNamespacedService({
        namespace,
        body: {
          metadata: { name },
          spec: {
            selector: { app, version },
            ports: [{ name: "http", port: 80, targetPort: "http" }],
          },
        },
      });
    await deploy("blue", "live", image);
    await poll(
      async () =>
        (await podsOfColor(cluster, { app, color: "blue" })).some(({ status }) =>
          status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
        )
          ? true
          : undefined,
      { timeoutMs: 300_000 },
    );
  });
  after(() => test.remove());
  beforeEach(async () => {
    step = await startStep("liveGuard", { KUBECONFIG: test.stage.kubeconfig });
  });
  afterEach(() => step.close());

  const deploy = (color: Color, template: string, of: string) => {
    const labels = { app, version: color };
    return test.cluster.apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: {
        metadata: { name: names.deployment(app, color) },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": template } },
            spec: {
              containers: [{ name: "mcp-server", image: of, ports: [{ name: "http", containerPort: 3000 }] }],
            },
          },
        },
      },
    });
  };
  const inputs = (part: object = {}) => ({
    ...test.where,
    activeColor: "blue",
    templates: { blue: "live", green: "new" },
    migrations: [],
    limits: limitsOf(app, parseSettings(app, someSettings)),
    ...part,
  });
  const ending = (guard: unknown) => ({ ...test.where, guard });
  const pods = async (color: Color) =>
    (
      await test.cluster.apps.readNamespacedDeployment({
        name: names.deployment(app, color),
        namespace: test.namespace,
      })
    ).spec?.replicas;

  it("is observed where something rolls out or migrates, and nowhere else", async () => {
    const last = inputs({ guard: "" });
    expect(await step.changes(last, inputs())).to.equal("some");
    expect(await step.changes(last, inputs({ templates: { blue: "live", green: null } }))).to.equal("none");
    expect(
      await step.changes(
        last,
        inputs({ templates: { blue: "live", green: null }, migrations: ["0002 abc"] }),
      ),
    ).to.equal("some");
    expect(await step.create(inputs({ app: "another-app" })), "a first release").to.include({ guard: "" });
    expect(
      await step.create(inputs({ templates: { blue: "changed", green: null } })),
      "its own change has a preflight pod",
    ).to.include({ guard: "" });
  });

  it("is well, and says what it served meanwhile", async () => {
    const { guard } = await step.create(inputs());
    expect(guard).to.match(/^\w{12}$/);
    const { verdict } = await step.beside("liveGuardEnd").create(ending(guard));
    expect(verdict).to.match(/^blue served \d+ requests meanwhile, 0\.0 % errors$/);
    const note = await readLiveNote(test.cluster, app);
    expect(note).to.deep.include({ color: "blue", state: "unharmed", errorRatio: 0, runs: [] });
    expect(note?.requests).to.be.greaterThan(0);
  });

  it("is harmed where a smoke test fails that passed before, and not by what only the new version can pass", async () => {
    const folder = await mkdtemp(join("tests", ".suite-"));
    await writeFile(join(folder, "suite.ts"), suite);
    const ask = async (path: string) => {
      const [pod] = await podsOfColor(test.cluster, { app, color: "blue" });
      if (pod === undefined) throw new Error("blue has no pod");
      await askThroughForward(test.cluster)(pod, path, { maxBytes: 100, timeoutMs: 10_000 });
    };
    const rollout = (template: string) =>
      step.beside("rollout").create({
        ...test.where,
        color: "green",
        template,
        active: false,
        replicas: 1,
        maxReplicas: 0,
        budgetSeconds: 300,
      });
    try {
      const { guard } = await step.create(
        inputs({
          templates: { blue: "live", green: "suited" },
          suite: {
            suite: `${folder}/*.ts`,
            suiteEnv: [],
            budgetSeconds: 120,
            versions: { blue: "v1", green: "v2" },
          },
        }),
      );
      await step.shows("1 of 3 smoke tests fail against blue, which is live, and are held against nobody");
      await step.shows("Shop has the new page");
      await deploy("green", "suited", image);
      await rollout("suited");
      expect(await readLiveNote(test.cluster, app)).to.deep.include({ color: "blue", state: "observing" });
      await ask("/drop");
      const failure = await failureOf(rollout("suited"));
      expect(failure)
        .to.contain("BG-LIVE-HARMED")
        .and.contain("✗ Shop finds users: /users answers 500")
        .and.contain("the pods of green were taken away")
        .and.not.contain("new page");
      expect(await pods("green")).to.equal(0);
      const note = await readLiveNote(test.cluster, app);
      expect(note).to.deep.include({ color: "blue", state: "harmed" });
      expect(note?.runs.map(({ moment, passed }) => `${moment}: ${passed}`)).to.deep.equal([
        "before the update: 2",
        "after the pods of green became ready: 2",
        "after the pods of green became ready: 1",
        "after the pods of green became ready, once more: 1",
      ]);
      expect(await failureOf(step.beside("liveGuardEnd").create(ending(guard)))).to.contain("BG-LIVE-HARMED");
    } finally {
      await rm(folder, { recursive: true });
      await ask("/restore");
      const green = { name: names.deployment(app, "green"), namespace: test.namespace };
      await test.cluster.apps.deleteNamespacedDeployment({ ...green, propagationPolicy: "Foreground" });
      await poll(
        async () =>
          (await orUndefined(test.cluster.apps.readNamespacedDeployment(green))) === undefined
            ? true
            : undefined,
        { timeoutMs: 300_000 },
      );
    }
  });

  it("is harmed: the new pods are taken away, later steps stop, and the error says what was done", async () => {
    const { guard } = await step.create(inputs());
    await deploy("green", "new", "nowhere.invalid/app:v2");
    const rollout = failureOf(
      step.beside("rollout").create({
        ...test.where,
        color: "green",
        template: "new",
        active: false,
        replicas: 1,
        maxReplicas: 0,
        budgetSeconds: 300,
      }),
    );
    const [pod] = await podsOfColor(test.cluster, { app, color: "blue" });
    if (pod === undefined) throw new Error("blue has no pod");
    await askThroughForward(test.cluster)(pod, "/break", { maxBytes: 100, timeoutMs: 10_000 });
    expect(await rollout)
      .to.contain("BG-LIVE-HARMED")
      .and.contain("failed with 5xx")
      .and.contain("green got a new pod template")
      .and.contain("Live traffic stays on blue");
    await poll(async () => ((await pods("green")) === 0 ? true : undefined), { timeoutMs: 300_000 });
    expect(await pods("blue")).to.equal(1);
    const failure = await failureOf(step.beside("liveGuardEnd").create(ending(guard)));
    expect(failure).to.contain("BG-LIVE-HARMED").and.contain("the pods of green were taken away");
  });
});
