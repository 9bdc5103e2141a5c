import { expect } from "chai";
import { colors, names, poll, type Color } from "@bluegreen/release";
import { liveColor } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { blue, green, makeTrafficOnly, type TrafficOnly } from "../support/trafficOnly";
import { startStep, type RunningStep } from "../provider/stepProvider";

const app = "chatgpt-app";
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
  let traffic: TrafficOnly;
  let test: TestNamespace;
  let stop: RunningStep;
  let start: Omit<RunningStep, "beside" | "close">;

  before(async () => {
    test = await makeNamespace();
    traffic = await makeTrafficOnly(test, "active", program);
    for (const color of colors) await run(color, "first");
  });
  after(() => test.remove());
  beforeEach(async () => {
    stop = await startStep("workersStop", { KUBECONFIG: test.stage.kubeconfig });
    start = stop.beside("workersStart");
  });
  afterEach(() => stop.close());

  const run = (color: Color, name: string) =>
    test.cluster.core.createNamespacedPod({
      namespace: test.namespace,
      body: {
        metadata: { name: `${color}-${name}`, labels: { app, version: color } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "app",
              image: traffic.image,
              volumeMounts: [{ name: "active", mountPath: "/etc/bluegreen/active" }],
            },
          ],
          volumes: [{ name: "active", configMap: { name: names.activeColor(app), optional: true } }],
        },
      },
    });
  const toldOf = async (name: string) => {
    const log = { namespace: test.namespace, name };
    // It may not have started yet.
    const text = await test.cluster.core.readNamespacedPodLog(log).catch(() => "");
    return text.split("\n").flatMap((line) => /^active: (\w+)$/.exec(line)?.slice(1) ?? []);
  };
  /** What it says now; a pod that nobody tells may have missed what it said for a moment. */
  const told = (name: string, color: string) =>
    poll(async () => ((await toldOf(name)).at(-1) === color ? true : undefined), { timeoutMs }).catch(
      async () => expect((await toldOf(name)).at(-1), name).to.equal(color),
    );
  const inputs = (activeColor: Color) => ({ ...test.where, activeColor, ...followers });
  const starting = (activeColor: Color) => ({
    ...inputs(activeColor),
    template: template[activeColor],
    budgetSeconds: 120,
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
    await traffic.note("switch", green, blue);
    await stop.create(inputs("green"));
    await told("blue-first", "none");
    await traffic.point("green");
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
    const { isBack } = await traffic.rollBack(followers);
    expect(isBack).to.equal(true);
    expect(await liveColor(test.cluster)).to.equal("blue");
    await told("blue-first", "blue");
    await told("green-later", "blue");
  });

  it("that an update has emptied and left so is written by the next one", async () => {
    await traffic.note("switch", green, blue);
    await stop.create(inputs("green"));
    await run("blue", "later");
    await told("blue-later", "none");
    // Killed here: config is put back, or is not.
    expect(await start.changes(starting("blue"), starting("blue"))).to.equal("some");
    await start.update(starting("blue"), starting("blue"));
    await told("blue-later", "blue");
  });
});
