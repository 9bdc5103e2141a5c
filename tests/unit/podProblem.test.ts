import { expect } from "chai";
import type { V1ContainerStatus, V1Pod } from "@bluegreen/release/kubernetes/client";
import { connect } from "@bluegreen/release/kubernetes/cluster";
import { podState } from "@bluegreen/release/analysis/observation";
import { PodCheck, Patience } from "@bluegreen/release/gates/podCheck";
import { findProblem, whatItWaitsFor } from "@bluegreen/release/gates/podProblem";
import { errorCodeOf } from "@bluegreen/release/util/userError";

const statusOf = (status: Partial<V1ContainerStatus>): V1ContainerStatus => ({
  name: "mcp-server",
  image: "repo/app:v2",
  imageID: "",
  ready: false,
  restartCount: 0,
  ...status,
});

function pod(status: Partial<V1ContainerStatus>, ...starting: Partial<V1ContainerStatus>[]): V1Pod {
  return {
    metadata: { name: "chatgpt-app-green-abc" },
    spec: {
      containers: [{ name: "mcp-server" }],
      initContainers: [{ name: "wait" }, { name: "proxy", restartPolicy: "Always" }],
    },
    status: {
      containerStatuses: [statusOf(status)],
      initContainerStatuses: starting.map(statusOf),
    },
  };
}

const backOff = { waiting: { reason: "CrashLoopBackOff" } };

describe("A pod's problem", () => {
  it("is nothing while the pod starts or works", () => {
    expect(findProblem({ metadata: { name: "new" } })).to.equal(undefined);
    expect(findProblem(pod({ state: { waiting: { reason: "ContainerCreating" } } }))).to.equal(undefined);
    expect(findProblem(pod({ ready: true, restartCount: 7 }))).to.equal(undefined);
    const done = { name: "wait", restartCount: 2, state: { terminated: { exitCode: 0 } } };
    expect(findProblem(pod({ ready: true }, done))).to.equal(undefined);
  });

  it("is final for a name that no registry can have", () => {
    expect(
      findProblem(pod({ state: { waiting: { reason: "InvalidImageName", message: "bad" } } })),
    ).to.deep.include({ reason: "InvalidImageName", kind: "final" });
  });

  it("may pass for an image or a Secret that is not there yet", () => {
    for (const reason of ["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError"]) {
      expect(findProblem(pod({ state: { waiting: { reason, message: "not found" } } }))).to.deep.equal({
        pod: "chatgpt-app-green-abc",
        container: "mcp-server",
        beside: undefined,
        reason,
        message: "not found",
        kind: "lasting",
      });
    }
  });

  it("is a crash loop, with how it ended, that two restarts do not make final, and three do", () => {
    const lastState = { terminated: { exitCode: 137, reason: "OOMKilled" } };
    for (const [restartCount, state, kind] of [
      [1, { running: {} }, "starting"],
      [2, backOff, "starting"],
      [3, { running: {} }, "starting"],
      [3, backOff, "final"],
    ] as const)
      expect(
        findProblem(pod({ restartCount, state, lastState })),
        `${restartCount} ${JSON.stringify(state)}`,
      ).to.deep.include({
        reason: "CrashLoop",
        message: `restarted ${restartCount} times, last exit code 137 (OOMKilled)`,
        kind,
      });
  });

  it("is that of an init container or a sidecar, too, by its name", () => {
    const lastState = { terminated: { exitCode: 1 } };
    expect(
      findProblem(pod({}, { name: "wait", restartCount: 3, state: backOff, lastState })),
    ).to.deep.include({ container: "wait", beside: "init container wait", kind: "final" });
    expect(
      findProblem(pod({}, { name: "proxy", state: { waiting: { reason: "ErrImagePull" } } })),
    ).to.deep.include({ beside: "sidecar proxy", reason: "ErrImagePull" });
    expect(
      podState(
        pod(
          { ready: true },
          { name: "wait", restartCount: 4, state: { terminated: { exitCode: 0 } } },
          { name: "proxy", restartCount: 2 },
        ),
      ),
      "what started it says nothing of how it runs",
    ).to.deep.include({ restarts: 2 });
  });

  it("is none while it waits for a node, or for what runs before the app", () => {
    const message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
    const unscheduled: V1Pod = {
      metadata: { name: "a" },
      status: { conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }] },
    };
    expect(findProblem(unscheduled)).to.equal(undefined);
    expect(whatItWaitsFor(unscheduled)).to.equal(`pod a has no node: ${message}`);
    expect(whatItWaitsFor(pod({}, { name: "wait", state: { running: {} } }))).to.equal(
      "pod chatgpt-app-green-abc waits for init container wait",
    );
    const proxy = { name: "proxy", state: { running: {} } };
    expect(whatItWaitsFor(pod({}, { ...proxy, started: false }))).to.contain("sidecar proxy");
    expect(whatItWaitsFor(pod({ state: { running: {} } }, { ...proxy, started: true }))).to.equal(undefined);
  });

  it("counts by how long one container has it: what has passed begins again", () => {
    let now = 0;
    const patience = new Patience(15_000, () => now);
    expect(patience.lasts("a")).to.equal(false);
    patience.next();
    now = 15_000;
    expect(patience.lasts("b"), "another pod's").to.equal(false);
    expect(patience.lasts("a")).to.equal(true);
    patience.next();
    patience.next();
    now = 60_000;
    expect(patience.lasts("a"), "it was gone").to.equal(false);
  });

  it("that might have passed is told when time is over", async () => {
    const cluster = { namespace: "n", namespacePerColor: false } as unknown as ReturnType<typeof connect>;
    const check = new PodCheck(cluster, { app: "chatgpt-app", color: "green" });
    const missing = { state: { waiting: { reason: "CreateContainerConfigError", message: "no secret" } } };
    await check.inspect([pod({}, { name: "wait", ...missing })]);
    const told = await check.atTheEnd();
    expect(errorCodeOf(told)).to.equal("BG-SECRET-MISSING");
    expect(told?.message)
      .to.contain("init container wait, CreateContainerConfigError")
      .and.contain("no secret");
    await check.inspect([pod({ state: { waiting: { reason: "PodInitializing" } } })]);
    expect(await check.atTheEnd()).to.equal(undefined);
  });
});
