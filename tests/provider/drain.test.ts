import { expect } from "chai";
import { PatchStrategy, setHeaderOptions } from "@bluegreen/release/kubernetes/client";
import { switchAnnotation } from "@bluegreen/release";
import { readDrain } from "@bluegreen/release/drain/step";
import { turnDrain } from "@bluegreen/release/drain/step";
import { writeRelease, type Release } from "@bluegreen/release/state/record";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

const blue = { color: "blue", image: "repo/app:v1", template: "aaa" } as const;
const green = { color: "green", image: "repo/app:v2", template: "bbb" } as const;

describe("The drain, in Pulumi's provider process and on a real cluster", function () {
  let test: TestNamespace;
  let drain: RunningStep;
  before(async () => {
    test = await makeNamespace();
    drain = await startStep("drain", { KUBECONFIG: test.stage.kubeconfig });
  });
  after(async () => {
    await drain.close();
    await test.remove();
  });

  const inputs = (switchId: string, activeColor: "blue" | "green" = "green") => ({
    ...test.where,
    activeColor,
    switchId,
    seconds: 30,
    metrics: {
      path: "/metrics",
      port: 0,
      name: "",
      statusLabel: "",
      errorStatus: "5..",
      pathLabel: "",
      ownPaths: [],
    },
  });
  const nothing = { drainedSeconds: 0, connectionsLeft: 0 };
  const note = (part: Partial<Release>) =>
    writeRelease(test.cluster, "chatgpt-app", {
      id: "s1",
      kind: "switch",
      weight: 100,
      to: green,
      from: blue,
      who: "anna@laptop",
      why: "a test",
      at: "2026-01-02T03:04:05.000Z",
      state: "kept",
      baseline: {
        observation: { pods: [], logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 }, queries: [] },
      },
      contracts: { waiting: [] },
      ...part,
    });
  const moveTo = (version: string, id: string) =>
    test.cluster.core.patchNamespacedService(
      {
        name: "chatgpt-app-service",
        namespace: test.namespace,
        body: {
          metadata: { annotations: { [switchAnnotation]: id } },
          spec: { selector: { app: "chatgpt-app", version } },
        },
      },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  const drained = () => readDrain(test.cluster, "chatgpt-app");

  it("does nothing in the first release, which has left nobody behind", async () => {
    const body = {
      metadata: { name: "chatgpt-app-service", annotations: { [switchAnnotation]: "s0" } },
      spec: { selector: { app: "chatgpt-app", version: "blue" }, ports: [{ port: 80 }] },
    };
    await test.cluster.core.createNamespacedService({ namespace: test.namespace, body });
    await note({ id: "s0", to: blue, from: null });
    expect(await drain.create(inputs("s0", "blue"))).to.include(nothing);
    expect(await drain.changes(inputs("s0", "blue"), inputs("s0", "blue"))).to.equal("none");
    expect(await drained()).to.equal(undefined);
  });

  it("is to be done whenever traffic is to move, and after it until it is over: once for each switch", async () => {
    expect(await drain.changes(inputs("s0"), inputs("s0"))).to.equal("some");
    await note({});
    await moveTo("green", "s1");
    expect(await drain.changes(inputs("s1"), inputs("s1")), "an update was killed before").to.equal("some");
    expect(await drain.create(inputs("s1")), "no pods are left to drain").to.include(nothing);
    expect(await drained()).to.deep.include({ id: "s1", color: "blue", over: true });
    expect(await drain.changes(inputs("s1"), inputs("s1"))).to.equal("none");
    const before = await drained();
    await drain.create(inputs("s1"));
    expect(await drained(), "a state that was lost").to.deep.equal(before);
  });

  it("stops the update when somebody else has moved traffic: what follows would touch a color that may serve them", async () => {
    await note({ id: "s2" });
    expect(await failureOf(drain.create(inputs("s2"))))
      .to.contain("The drain of blue ended: somebody has taken traffic from green")
      .and.contain("npm run bluegreen -- history");
    expect(await drained()).to.include({ id: "s2", over: false });
  });

  it("turns with traffic that is rolled back, and has nothing to do with the switch that was undone", async () => {
    const now = new Date("2026-01-02T03:04:05.000Z");
    const said: string[] = [];
    await turnDrain(test.cluster, "chatgpt-app", { back: "blue", now, seconds: 60 }, (line) =>
      said.push(line),
    );
    expect(await drained()).to.deep.equal({
      id: "s2",
      color: "green",
      until: "2026-01-02T03:05:05.000Z",
      over: true,
    });
    await moveTo("blue", "s2");
    await note({ id: "s2", state: "rolledBack" });
    expect(await drain.create(inputs("s2", "blue"))).to.include(nothing);
    expect(said).to.deep.equal([]);
  });
});
