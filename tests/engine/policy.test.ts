import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";
import { Cluster } from "../../local/engine/kubernetes/cluster";
import { readStage } from "../../local/stage";
import { failureOf } from "./things";
import { makeWorkspace, PRELUDE, type Workspace } from "./workspace";

const packs = { policyPacks: [join(repositoryDir, "policy")] };

/** The pack in the process that Pulumi starts for it, asked by Pulumi's own protocol, about another app than this project's. */
describe("The policy pack, in its own process", function () {
  this.timeout(120_000);
  let w: Workspace;
  let cluster: Cluster;
  let context: string;
  const namespace = `policy-${randomBytes(4).toString("hex")}`;

  before(async () => {
    const stage = await readStage();
    if (stage === undefined) throw new Error("the local stage is not running; start it with: npm start");
    context = stage.context;
    cluster = await Cluster.connect({ kubeconfig: stage.kubeconfig, context, env: {} });
    w = await makeWorkspace({ env: { KUBECONFIG: stage.kubeconfig } });
  });
  after(async () => {
    await cluster.delete({ apiVersion: "v1", kind: "Namespace", name: namespace, namespace: undefined });
    w.remove();
  });

  const shop = ({ image = `shop:v1@sha256:${"0".repeat(64)}`, replicas = 0, of = ["blue", "green"] }: { image?: string; replicas?: number; of?: string[] }) => {
    w.program(`${PRELUDE}
      import * as k8s from "@pulumi/kubernetes";
      const provider = new k8s.Provider("local", { context: ${JSON.stringify(context)} });
      const ns = new k8s.core.v1.Namespace("ns", { metadata: { name: ${JSON.stringify(namespace)} } }, { provider });
      const namespace = ns.metadata.name;
      const skip = { "pulumi.com/skipAwait": "true" };
      for (const version of ${JSON.stringify(of)}) {
        const labels = { app: "shop", version };
        const probe = { httpGet: { path: "/", port: 80 } };
        new k8s.apps.v1.Deployment("shop-" + version, { metadata: { name: "shop-" + version, namespace, labels, annotations: skip }, spec: { replicas: version === "green" ? 0 : ${replicas}, selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: {
            securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
            containers: [{ name: "web", image: ${JSON.stringify(image)}, imagePullPolicy: "Never", readinessProbe: probe, livenessProbe: probe, resources: { limits: { cpu: "10m", memory: "16Mi" } }, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } }] } } } }, { provider, deletedWith: ns });
      }
      new k8s.core.v1.Service("shop", { metadata: { name: "shop", namespace, labels: { app: "shop" }, annotations: { ...skip, "bluegreen/switch": "1" } },
        spec: { selector: { app: "shop", version: "blue" }, ports: [{ port: 80 }] } }, { provider, deletedWith: ns });`);
  };
  const policiesIn = (text: string) => [...text.matchAll(/policy ([\w-]+) of bluegreen v[\d.]+/g)].map(([, policy]) => policy);

  it("lets pass what is as it should be", async () => {
    shop({ replicas: 1 });
    const { diagnostics } = await w.stack.preview(packs);
    expect(diagnostics.filter(({ severity }) => severity !== "info")).to.deep.equal([]);
  });

  it("finds all that is wrong in a preview, and says what to do", async () => {
    shop({ image: "shop:latest", of: ["green"] });
    const failure = await failureOf(w.stack.preview(packs));
    expect(policiesIn(failure.message)).to.have.members(["image-tag", "both-colors", "live-color"]);
    expect(failure.message).to.contain('Container web of Deployment').and.contain('asks for image "shop:latest"').and.contain("next: give it the tag of a version: shop:v1.3.0");
    const advice = failure.diagnostics.filter(({ severity }) => severity === "warning").map(({ message }) => message);
    expect(advice.flatMap(policiesIn)).to.deep.equal(["image-digest"]);
  });

  it("lets nothing begin in an update that it forbids", async () => {
    shop({ image: "shop:latest" });
    expect(policiesIn((await failureOf(w.stack.up(packs))).message)).to.include("image-tag");
    expect(await cluster.read({ apiVersion: "apps/v1", kind: "Deployment", name: "shop-blue", namespace })).to.equal(undefined);
  });

  it("protects the color that users are sent to, whatever else an update does", async () => {
    shop({ replicas: 1 });
    await w.stack.up(packs);
    shop({ replicas: 0 });
    expect((await failureOf(w.stack.preview(packs))).message).to.contain(`Service ${namespace}/shop sends users to Deployment ${namespace}/shop-blue`);
  });

  it("is asked for by a folder that has one", async () => {
    expect((await failureOf(w.stack.preview({ policyPacks: [w.directory] }))).message).to.contain("there is no policy pack in");
  });
});
