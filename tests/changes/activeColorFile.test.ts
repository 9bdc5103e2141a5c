import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { names, poll, type Color } from "@bluegreen/release";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import { takeBack } from "@bluegreen/release/rollback/takeBack";
import { activeServiceOf } from "@bluegreen/release/state/blockedImages";
import { writeRelease } from "@bluegreen/release/state/record";
import { loadBundles } from "../../local/stage";
import { liveColor } from "../support/look";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "../provider/stepProvider";

const app = "chatgpt-app";
const blue = { color: "blue", image: "repo/app:v1", template: "a" } as const;
const green = { color: "green", image: "repo/app:v2", template: "b" } as const;
const template = { blue: "a", green: "b" };
const followers = { workers: { blue: [], green: [] }, colorFile: true as const };

/** It tells each change of what the file says. */
const program = `
const { readFileSync } = require("node:fs");
let last;
setInterval(() => {
  let now = "";
  try { now = readFileSync("/etc/bluegreen/active/color", "utf8"); } catch {}
  if (now !== last) console.log("active: " + (now || "none"));
  last = now;
}, 20);
process.on("SIGTERM", () => process.exit(0));
`;

/** Longer than a kubelet takes that nobody tells: who was told at once is in the release's own lines. */
const timeoutMs = 180_000;

describe("The file with the live color, in running pods of a real cluster", function () {
  let home: TestNamespace;
  let image: string;
  let stop: RunningStep;
  let start: Omit<RunningStep, "beside" | "close">;

  before(async () => {
    home = await makeNamespace();
    const folder = await mkdtemp(join(tmpdir(), "active-"));
    const bundle = join(folder, "server.js");
    await writeFile(bundle, program);
    [image = ""] = await loadBundles([{ reference: "bluegreen.local/active:v1", bundle }]);
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
      await run(color, "first");
    }
  });
  after(() => home.remove());
  beforeEach(async () => {
    stop = await startStep("workersStop", { KUBECONFIG: home.stage.kubeconfig });
    start = stop.beside("workersStart");
  });
  afterEach(() => stop.close());

  const run = (color: Color, name: string) =>
    home.cluster.core.createNamespacedPod({
      namespace: home.namespace,
      body: {
        metadata: { name: `${color}-${name}`, labels: { app, version: color } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            { name: "app", image, volumeMounts: [{ name: "active", mountPath: "/etc/bluegreen/active" }] },
          ],
          volumes: [{ name: "active", configMap: { name: names.activeColor(app), optional: true } }],
        },
      },
    });
  const toldOf = async (name: string) => {
    const log = { namespace: home.namespace, name };
    // It may not have started yet.
    const text = await home.cluster.core.readNamespacedPodLog(log).catch(() => "");
    return text.split("\n").flatMap((line) => /^active: (\w+)$/.exec(line)?.slice(1) ?? []);
  };
  /** What it says now; a pod that nobody tells may have missed what it said for a moment. */
  const told = (name: string, color: string) =>
    poll(async () => ((await toldOf(name)).at(-1) === color ? true : undefined), { timeoutMs }).catch(
      async () => expect((await toldOf(name)).at(-1), name).to.equal(color),
    );
  const inputs = (activeColor: Color) => ({ ...home.where, activeColor, ...followers });
  const starting = (activeColor: Color) => ({
    ...inputs(activeColor),
    template: template[activeColor],
    budgetSeconds: 120,
  });
  const point = (color: Color) =>
    activeServiceOf(home.cluster, app).send([
      { op: "replace", path: "/spec/selector/version", value: color },
    ]);
  const noteSwitch = () =>
    writeRelease(home.cluster, app, {
      id: "to-green",
      kind: "switch",
      share: 100,
      to: green,
      from: blue,
      who: "a test",
      why: "a test",
      at: new Date().toISOString(),
      state: "permitted",
      baseline: noBaseline,
      contracts: { waiting: [] },
    });

  it("says the live color once a release has told it, and a pod starts without it", async () => {
    await told("blue-first", "none");
    await told("green-first", "none");
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("some");
    await start.create(starting("blue"));
    await told("blue-first", "blue");
    await told("green-first", "blue");
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("none");
  });

  it("says nothing before a switch, and the new color after it, without a restart", async () => {
    await noteSwitch();
    await stop.create(inputs("green"));
    await told("blue-first", "none");
    await point("green");
    await start.create(starting("green"));
    await told("green-first", "green");
    await told("blue-first", "green");
  });

  it("is right at once in a pod that starts later", async () => {
    await run("green", "later");
    await told("green-later", "green");
    expect(await toldOf("green-later")).to.deep.equal(["green"]);
  });

  it("says the good color once traffic is back", async () => {
    const isBack = await takeBack(
      {
        where: home.where,
        undone: { to: green, from: blue, share: 100 },
        settings: { route: null, database: null, connectionDrainSeconds: 0, followers },
        reason: "a test",
        evidence: [],
        by: "a test",
      },
      () => undefined,
    );
    expect(isBack).to.equal(true);
    expect(await liveColor(home.cluster)).to.equal("blue");
    await told("blue-first", "blue");
    await told("green-later", "blue");
  });

  it("that an update has emptied and left so is written by the next one", async () => {
    await noteSwitch();
    await stop.create(inputs("green"));
    await run("blue", "later");
    await told("blue-later", "none");
    // Killed here: config is put back, or is not.
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("some");
    await start.update(starting("blue"), starting("blue"));
    await told("blue-later", "blue");
  });
});
