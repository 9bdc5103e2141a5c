import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { expect } from "chai";
import { Cluster } from "../../local/engine/kubernetes/cluster";
import { dig, type JsonObject, type ObjectReference } from "../../local/engine/kubernetes/objects";
import { typescript } from "../../local/paths";
import { readStage, type Stage } from "../../local/stage";
import { failureOf } from "./things";
import { makeWorkspace, PRELUDE, type Workspace } from "./workspace";

describe("the stand-in engine's Kubernetes resources, on a real API server", function () {
  this.timeout(240_000);
  let stage: Stage;
  let cluster: Cluster;
  let w: Workspace;
  let namespace: string;

  before(async () => {
    const running = await readStage();
    if (!running) throw new Error("the local stage is not running; start it with: npm start");
    stage = running;
    cluster = await Cluster.connect({ kubeconfig: stage.kubeconfig, context: stage.context, env: {} });
  });
  beforeEach(async () => {
    namespace = `engine-${randomBytes(4).toString("hex")}`;
    w = await makeWorkspace({ env: { KUBECONFIG: stage.kubeconfig } });
  });
  afterEach(async () => {
    await cluster.delete(ref("v1", "Namespace", namespace, undefined));
    w.remove();
  });

  const ref = (apiVersion: string, kind: string, name: string, inside: string | undefined = namespace): ObjectReference => ({
    apiVersion, kind, name, namespace: inside,
  });
  const configMap = (name: string) => cluster.read(ref("v1", "ConfigMap", name));
  const outside = (object: JsonObject, reference: ObjectReference) =>
    cluster.apply(reference, { ...object, apiVersion: reference.apiVersion, kind: reference.kind, metadata: { name: reference.name } }, { manager: "someone-else", force: true, dryRun: false });

  const objects = (code: string) => {
    w.program(`${PRELUDE}
      import * as k8s from "@pulumi/kubernetes";
      const provider = new k8s.Provider("local", { context: ${JSON.stringify(stage.context)}, enableConfigMapMutable: true });
      const ns = new k8s.core.v1.Namespace("ns", { metadata: { name: ${JSON.stringify(namespace)} } }, { provider });
      const namespace = ns.metadata.name;
      const here = { provider, deletedWith: ns };
      const pods = (image: string, app = "web") => ({
        metadata: { labels: { app } },
        spec: { automountServiceAccountToken: false, containers: [{ name: "web", image, imagePullPolicy: "Never" }] },
      });
      ${code}`);
  };

  it("creates, keeps, changes in place, replaces what cannot change, and deletes until it is gone", async () => {
    const code = (data: string, app: string) => `
      const map = new k8s.core.v1.ConfigMap("map", { metadata: { name: "map", namespace }, data: { key: "${data}" } }, here);
      new k8s.apps.v1.Deployment("web", { metadata: { name: "web", namespace },
        spec: { replicas: 0, selector: { matchLabels: { app: "${app}" } }, template: pods("x:1", "${app}") } }, here);
      const service = new k8s.core.v1.Service("web", { metadata: { name: "web", namespace }, spec: { selector: { app: "none" }, ports: [{ port: 80 }] } }, here);
      export const ip = service.spec.clusterIP;`;
    objects(code("1", "web"));
    expect((await w.stack.preview()).changes).to.deep.equal({ create: 6 });
    const first = await w.stack.up();
    expect(first.outputs["ip"]?.value).to.match(/^\d+\.\d+\.\d+\.\d+$/);
    expect((await w.stack.up()).changes).to.deep.equal({ same: 6 });
    const deployment = await cluster.read(ref("apps/v1", "Deployment", "web"));

    objects(code("2", "other"));
    const preview = await w.stack.preview();
    expect(preview.changes).to.deep.equal({ same: 4, update: 1, replace: 1 });
    expect(preview.text).to.contain("[spec.selector]").and.contain('~ data.key  "1" → "2"');
    expect((await w.stack.up()).changes).to.deep.equal(preview.changes);
    expect(dig(await configMap("map"), "data", "key")).to.equal("2");
    const replaced = await cluster.read(ref("apps/v1", "Deployment", "web"));
    expect(dig(replaced, "metadata", "uid")).to.not.equal(dig(deployment, "metadata", "uid"));

    await w.stack.destroy();
    expect(await cluster.read(ref("v1", "Namespace", namespace, undefined))).to.equal(undefined);
  });

  it("keeps a Secret's content out of the state in every form, also after a refresh", async () => {
    objects(`new k8s.core.v1.Secret("s", { metadata: { name: "s", namespace }, stringData: { password: pulumi.secret("hunter2") } }, here);
      new k8s.core.v1.Secret("t", { metadata: { name: "t", namespace }, data: { password: Buffer.from("hunter2").toString("base64") } }, here);`);
    await w.stack.up();
    expect(dig(await cluster.read(ref("v1", "Secret", "s")), "data", "password")).to.equal(Buffer.from("hunter2").toString("base64"));
    const encoded = Buffer.from("hunter2").toString("base64");
    expect(w.stateText()).to.not.contain("hunter2").and.not.contain(encoded);
    expect((await w.stack.up()).changes).to.deep.equal({ same: 5 });
    const changed = Buffer.from("hunter3").toString("base64");
    await outside({ data: { password: changed } }, ref("v1", "Secret", "s"));
    expect((await w.stack.refresh()).changes).to.include({ update: 1 });
    expect(w.stateText()).to.not.contain(changed);
    expect((await w.stack.up()).changes).to.deep.equal({ same: 4, replace: 1 });
  });

  it("fails a preview where the API server would refuse", async () => {
    objects("");
    await w.stack.up();
    objects(`new k8s.apps.v1.Deployment("web", { metadata: { name: "web", namespace }, spec: { replicas: -1, selector: { matchLabels: { app: "web" } }, template: pods("x:1") } }, here);`);
    expect((await failureOf(w.stack.preview())).message).to.contain("spec.replicas").and.contain("greater than or equal to 0");
  });

  it("leaves an object alone that it did not make", async () => {
    objects("");
    await w.stack.up();
    await outside({ data: { key: "theirs" } }, ref("v1", "ConfigMap", "map"));
    objects(`new k8s.core.v1.ConfigMap("map", { metadata: { name: "map", namespace }, data: { key: "ours" } }, here);`);
    expect((await failureOf(w.stack.up())).message).to.contain("already exists and is not managed by this stack");
    expect(dig(await configMap("map"), "data", "key")).to.equal("theirs");
  });

  it("reports a field that someone else owns as a conflict, unless told to take it", async () => {
    const code = (value: string, annotations: string) =>
      `new k8s.core.v1.ConfigMap("map", { metadata: { name: "map", namespace, annotations: { ${annotations} } }, data: { key: "${value}" } }, here);`;
    objects(code("1", ""));
    await w.stack.up();
    await outside({ data: { key: "theirs" } }, ref("v1", "ConfigMap", "map"));
    objects(code("2", ""));
    expect((await failureOf(w.stack.preview())).message).to.contain("conflict").and.contain("someone-else");
    expect((await failureOf(w.stack.up())).message).to.contain("conflict");
    objects(code("2", `"pulumi.com/patchForce": "true"`));
    await w.stack.up();
    expect(dig(await configMap("map"), "data", "key")).to.equal("2");
  });

  it("says why a rollout does not come up, records it, and goes on with it", async () => {
    const code = (replicas: number) => `new k8s.apps.v1.Deployment("web", { metadata: { name: "web", namespace, annotations: { "pulumi.com/timeoutSeconds": "4" } },
      spec: { replicas: ${replicas}, selector: { matchLabels: { app: "web" } }, template: pods("bluegreen.local/not-there:1") } }, here);`;
    objects(code(1));
    expect((await failureOf(w.stack.up())).message).to.contain("ErrImageNeverPull");
    expect(w.state().checkpoint.latest?.resources?.find(({ id }) => id === `${namespace}/web`)?.initErrors).to.have.length(1);
    objects(code(0));
    expect((await w.stack.up()).changes).to.deep.equal({ same: 3, update: 1 });
  });

  it("leaves an ignored field to whoever changes it, reads what is not ours, and sees what is gone", async () => {
    const code = (image: string) => `
      const web = new k8s.apps.v1.Deployment("web", { metadata: { name: "web", namespace, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: { replicas: 0, selector: { matchLabels: { app: "web" } }, template: pods("${image}") } }, { ...here, ignoreChanges: ["spec.replicas"] });
      new k8s.core.v1.ConfigMap("map", { metadata: { name: "map", namespace }, data: { key: "1" } }, here);
      const kubernetes = k8s.core.v1.Service.get("kubernetes", "default/kubernetes", { provider });
      export const ports = kubernetes.spec.ports;`;
    objects(code("x:1"));
    const { outputs, changes } = await w.stack.up();
    expect(changes["read"]).to.equal(1);
    expect(JSON.stringify(outputs["ports"]?.value)).to.contain('"port":443');
    await outside({ spec: { replicas: 2 } }, ref("apps/v1", "Deployment", "web"));
    await cluster.delete(ref("v1", "ConfigMap", "map"));
    objects(code("x:2"));
    await w.stack.refresh();
    expect((await w.stack.up()).changes).to.include({ update: 1, create: 1 });
    expect(dig(await cluster.read(ref("apps/v1", "Deployment", "web")), "spec", "replicas")).to.equal(2);
  });

  it("finds what an update killed at its save had made, instead of making it twice", async () => {
    objects("");
    await w.stack.up();
    objects(`const map = new k8s.core.v1.ConfigMap("map", { metadata: { namespace }, data: { key: "1" } }, here); export const name = map.metadata.name;`);
    // Saves: the pending creation, then its end; killed before the end is saved, the object exists.
    const child = spawn(process.execPath, ["-r", typescript, resolve(__dirname, "crash.ts"), w.directory, "2", "before"], {
      cwd: resolve(__dirname, "../.."), env: { ...process.env, ...w.env }, stdio: "ignore",
    });
    await once(child, "exit");
    expect(w.state().checkpoint.latest?.pending_operations?.map(({ type }) => type)).to.deep.equal(["creating"]);
    const { outputs, diagnostics } = await w.stack.up();
    expect(diagnostics.some(({ message }) => message.includes("was interrupted while creating 'map': found as"))).to.equal(true);
    const maps = (await cluster.list("v1", "ConfigMap", namespace, "")).map((map) => dig(map, "metadata", "name")).filter((name) => name !== "kube-root-ca.crt");
    expect(maps).to.deep.equal([outputs["name"]?.value]);
  });
});
