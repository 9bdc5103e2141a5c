import { expect } from "chai";
import type { V1Deployment, V1ManagedFieldsEntry, V1Pod } from "@bluegreen/release/kubernetes/client";
import { findChangedImage } from "@bluegreen/release/state/appImage";

/** As API server and kubectl write managedFields, for what the program, a webhook and a person do. */
describe("An image that is not config's", () => {
  const applied = "registry.example.com/shop:v2";
  const pinned = "mirror.example.com/shop@sha256:4f";
  const time = new Date("2026-01-02T03:04:05Z");
  const container = { "f:containers": { 'k:{"name":"shop"}': { "f:image": {} } } };
  const template = { "f:spec": { "f:template": { "f:spec": container } } };
  const mark = { "f:metadata": { "f:annotations": { "f:bluegreen.dev/image": {} } } };

  function entry(manager: string, fieldsV1: object): V1ManagedFieldsEntry {
    return { manager, operation: "Apply", time, fieldsV1 };
  }

  function deployment(image: string, managedFields: V1ManagedFieldsEntry[]): V1Deployment {
    return {
      metadata: { annotations: { "bluegreen.dev/image": applied }, managedFields },
      spec: {
        selector: {},
        template: {
          metadata: { annotations: { "kubectl.kubernetes.io/default-container": "shop" } },
          spec: {
            containers: [
              { name: "proxy", image: "proxy:v1" },
              { name: "shop", image },
            ],
          },
        },
      },
    };
  }

  function pod(image: string, managedFields: V1ManagedFieldsEntry[]): V1Pod {
    return {
      metadata: {
        namespace: "shop",
        name: "shop-green-1",
        annotations: { "kubectl.kubernetes.io/default-container": "shop" },
        managedFields,
      },
      spec: { containers: [{ name: "shop", image }] },
    };
  }

  const ours = entry("pulumi-kubernetes-1f", { ...mark, ...template });
  const find = (of: V1Deployment, pods: V1Pod[] = []) => findChangedImage(of, pods, "shop/shop-green");

  it("is none where the Deployment has what was applied, whoever has set it", () => {
    expect(find(deployment(applied, [ours]))).to.equal(undefined);
    expect(
      find(deployment(applied, [entry("pulumi-kubernetes-1f", mark), entry("kubectl-set", template)])),
      "put back by hand",
    ).to.equal(undefined);
  });

  it("is none where a webhook has rewritten it: the field is whose request it was", () => {
    expect(find(deployment(pinned, [ours]))).to.equal(undefined);
    const made = entry("k3s", { "f:metadata": { "f:ownerReferences": {} }, "f:spec": container });
    expect(
      find(deployment(pinned, [ours]), [pod("mirror.example.com/cache/shop@sha256:4f", [made])]),
    ).to.equal(undefined);
  });

  it("is the one that somebody has set, of the app's container and no other's", () => {
    const changed = [entry("pulumi-kubernetes-1f", mark), entry("kubectl-set", template)];
    expect(find(deployment("registry.example.com/shop:hotfix", changed))).to.deep.equal({
      where: "Deployment shop/shop-green",
      container: "shop",
      image: "registry.example.com/shop:hotfix",
      applied,
      by: "kubectl-set at 2026-01-02T03:04:05.000Z",
    });
  });

  it("is the one that somebody has set in a pod", () => {
    const made = entry("kube-controller-manager", { "f:metadata": { "f:ownerReferences": {} } });
    const set = entry("kubectl-set", { "f:spec": container });
    expect(find(deployment(applied, [ours]), [pod("shop:hotfix", [made, set])])).to.include({
      where: "pod shop/shop-green-1",
      image: "shop:hotfix",
    });
  });

  it("is none of a Deployment that says nothing of what was applied", () => {
    const unmarked = deployment("shop:any", []);
    delete unmarked.metadata?.annotations;
    expect(find(unmarked)).to.equal(undefined);
  });
});
