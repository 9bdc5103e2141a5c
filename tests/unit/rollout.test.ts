import { expect } from "chai";
import type { V1Deployment, V1DeploymentStatus } from "@bluegreen/release/kubernetes/client";
import { templateAnnotation, whatIsPending } from "@bluegreen/release";

const done = {
  observedGeneration: 4,
  replicas: 3,
  updatedReplicas: 3,
  readyReplicas: 3,
  availableReplicas: 3,
};

function deployment(status: Partial<V1DeploymentStatus>, template = "abc"): V1Deployment {
  return {
    metadata: { generation: 4 },
    spec: {
      replicas: 3,
      selector: {},
      template: { metadata: { annotations: { [templateAnnotation]: template } } },
    },
    status: { ...done, ...status },
  };
}

describe("A rollout", () => {
  const pending = (status: Partial<V1DeploymentStatus>, template?: string) =>
    whatIsPending(deployment(status, template), { template: "abc", replicas: 3 });

  it("is done when every replica of the wanted template is ready in the generation that was asked for", () => {
    expect(pending({})).to.equal(undefined);
  });

  it("is not done while the controller has not seen the new generation, however good the old one's figures are", () => {
    expect(pending({ observedGeneration: 3 })).to.equal("the controller has seen generation 3 of 4");
  });

  it("is not done while another template runs, old pods remain, or pods are missing", () => {
    expect(pending({}, "old")).to.equal("its pod template is old, wanted abc");
    expect(pending({ updatedReplicas: 1 })).to.equal("1 of 3 pods are updated");
    expect(pending({ replicas: 4 })).to.equal("1 pods of the old revision are still there");
    expect(pending({ readyReplicas: 2 })).to.equal("2 of 3 pods are ready");
    expect(pending({ availableReplicas: 0 })).to.equal("0 of 3 pods are available");
  });

  it("is not done for a Deployment that has no status at all yet", () => {
    const { metadata, spec } = deployment({});
    expect(
      whatIsPending(
        { ...(metadata && { metadata }), ...(spec && { spec }) },
        { template: "abc", replicas: 3 },
      ),
    ).to.equal("the controller has seen generation 0 of 4");
  });
});
