import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect } from "chai";
import { connect, orUndefined, type Cluster } from "@bluegreen/release";
import type { UpdateError } from "../../cli/pulumi/stack";
import { repositoryDir } from "../../local/paths";
import { readStage } from "../../local/stage";
import { makeProgram, type Program } from "./program";

const packs = { policyPacks: [join(repositoryDir, "policy")] };

/** The pack in the process that Pulumi starts for it, asked about another app than this project's. */
describe("The policy pack, run by Pulumi", function () {
  let program: Program;
  let cluster: Cluster;
  let context: string;
  const namespace = `policy-${randomBytes(4).toString("hex")}`;

  before(async () => {
    const stage = await readStage();
    if (stage === undefined) throw new Error("the local stage is not running: npm test, which starts it");
    context = stage.context;
    process.env["KUBECONFIG"] = stage.kubeconfig;
    cluster = connect({ context, namespace, namespacePerColor: false });
    program = await makeProgram({ KUBECONFIG: stage.kubeconfig });
  });
  after(async () => {
    await orUndefined(cluster.core.deleteNamespace({ name: namespace }));
    program.remove();
  });

  const shop = ({
    image = `shop:v1@sha256:${"0".repeat(64)}`,
    replicas = 0,
    of = ["blue", "green"],
  }: {
    image?: string;
    replicas?: number;
    of?: string[];
  }) => {
    program.write(`
      import * as pulumi from "@pulumi/pulumi";
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
      new k8s.core.v1.Service("shop", { metadata: { name: "shop", namespace, labels: { app: "shop" }, annotations: { ...skip, "bluegreen.dev/switch-id": "1" } },
        spec: { selector: { app: "shop", version: "blue" }, ports: [{ port: 80 }] } }, { provider, deletedWith: ns });`);
  };
  const refusedBy = (work: Promise<unknown>) =>
    work.then(
      () => {
        throw new Error("it was expected to be refused");
      },
      (error: unknown) => error as UpdateError,
    );
  const policiesOf = ({ diagnostics }: Pick<UpdateError, "diagnostics">, of: "error" | "warning") =>
    diagnostics.flatMap(({ severity, policy }) => (severity === of && policy !== undefined ? [policy] : []));

  it("lets pass what is as it should be", async () => {
    shop({ replicas: 1 });
    const { diagnostics } = await program.stack.preview(packs);
    expect(diagnostics.filter(({ severity }) => severity !== "info")).to.deep.equal([]);
  });

  it("finds all that is wrong in a preview, and says what to do", async () => {
    shop({ image: "shop:latest", of: ["green"] });
    const refused = await refusedBy(program.stack.preview(packs));
    expect(policiesOf(refused, "error")).to.have.members([
      "bluegreen/image-tag",
      "bluegreen/both-colors",
      "bluegreen/live-color",
    ]);
    expect(refused.message)
      .to.contain("Container web of Deployment")
      .and.contain('asks for image "shop:latest"')
      .and.contain("next: give it the tag of a version: shop:v1.3.0");
    expect(policiesOf(refused, "warning")).to.deep.equal(["bluegreen/image-digest"]);
  });

  it("lets nothing begin in an update that it forbids", async () => {
    shop({ image: "shop:latest" });
    expect(policiesOf(await refusedBy(program.stack.up(packs)), "error")).to.include("bluegreen/image-tag");
    expect(
      await orUndefined(cluster.apps.readNamespacedDeployment({ name: "shop-blue", namespace })),
    ).to.equal(undefined);
  });

  it("protects the color that traffic goes to, whatever else an update does", async () => {
    shop({ replicas: 1 });
    await program.stack.up(packs);
    shop({ replicas: 0 });
    expect((await refusedBy(program.stack.preview(packs))).message).to.contain(
      `Service ${namespace}/shop sends traffic to Deployment ${namespace}/shop-blue`,
    );
  });
});
