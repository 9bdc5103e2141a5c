import { expect } from "chai";
import type { V1ContainerStatus, V1Pod } from "@bluegreen/release/kubernetes/client";
import { findTrouble } from "@bluegreen/release/gates/podTrouble";

function pod(status: Partial<V1ContainerStatus>): V1Pod {
  return {
    metadata: { name: "chatgpt-app-green-abc" },
    status: { containerStatuses: [{ name: "mcp-server", image: "repo/app:v2", imageID: "", ready: false, restartCount: 0, ...status }] },
  };
}

describe("A pod's trouble", () => {
  it("is nothing while the pod starts or works", () => {
    expect(findTrouble({ metadata: { name: "new" } })).to.equal(undefined);
    expect(findTrouble(pod({ state: { waiting: { reason: "ContainerCreating" } } }))).to.equal(undefined);
    expect(findTrouble(pod({ ready: true, restartCount: 7 }))).to.equal(undefined);
  });

  it("is final for a name that no registry can have", () => {
    expect(findTrouble(pod({ state: { waiting: { reason: "InvalidImageName", message: "bad" } } }))).to.deep.include({ reason: "InvalidImageName", final: true });
  });

  it("may pass for an image or a Secret that is not there yet", () => {
    for (const reason of ["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError"]) {
      expect(findTrouble(pod({ state: { waiting: { reason, message: "not found" } } }))).to.deep.equal({ pod: "chatgpt-app-green-abc", reason, message: "not found", final: false });
    }
  });

  it("is a crash loop from the second restart on, with how it ended", () => {
    const lastState = { terminated: { exitCode: 137, reason: "OOMKilled" } };
    expect(findTrouble(pod({ restartCount: 1, lastState }))).to.equal(undefined);
    expect(findTrouble(pod({ restartCount: 2, lastState }))).to.deep.include({ reason: "CrashLoop", message: "restarted 2 times, last exit code 137 (OOMKilled)", final: true });
  });
});
