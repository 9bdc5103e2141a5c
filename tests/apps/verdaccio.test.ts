import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { names, orUndefined } from "@bluegreen/release";
import { podSecurity } from "@bluegreen/release/app/color";
import type { ReleaseStatus } from "@bluegreen/release/releases/status";
import { repositoryDir } from "../../local/paths";
import { insideNetwork, loadBundles } from "../../local/stage";
import { run } from "../../local/system/run";
import { makeStack, type TestStack } from "../../local/testing/testStack";
import { bluegreen } from "../support/bluegreen";
import { installImage } from "../support/exampleImage";

const workDir = join(repositoryDir, "examples", "verdaccio");
const imageRepository = "bluegreen.local/verdaccio";

/** As `npm publish` and `npm view` do it, without their files. */
const script = `
  const [service, publish] = process.argv.slice(1);
  const shasum = require("node:crypto").createHash("sha1").update("a tarball").digest("hex");
  const tarball = service + "/hello/-/hello-1.0.0.tgz";
  const version = { name: "hello", version: "1.0.0", dist: { shasum, tarball } };
  const data = Buffer.from("a tarball").toString("base64");
  const body = JSON.stringify({
    name: "hello",
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": version },
    _attachments: { "hello-1.0.0.tgz": { content_type: "application/octet-stream", data, length: 9 } },
  });
  const headers = { "content-type": "application/json" };
  fetch(service + "/hello", publish === "publish" ? { method: "PUT", headers, body } : {}).then(async (answer) => {
    console.log(answer.status, await answer.text());
  });`;

/** Storage on a volume that both colors have, a health check of its own, no metrics, no word of colors. */
describe("An app that others wrote: examples/verdaccio, on a real cluster", function () {
  let test: TestStack;
  let storage: string;

  before(async () => {
    const bundle = await installImage("verdaccio");
    const command = ["/app/node_modules/verdaccio/bin/verdaccio", "--config", "/app/config.yaml"];
    const server = { bundle, command: [...command, "--listen", "http://0.0.0.0:4873"] };
    await loadBundles(["v1", "v2"].map((tag) => ({ reference: `${imageRepository}:${tag}`, ...server })));
    test = await makeStack([], { workDir });
    storage = await mkdtemp(join(tmpdir(), "bg-verdaccio-"));
    await chmod(storage, 0o777);
    await makeVolume();
    // It has no database, and no secrets of its own.
    await test.stack.removeConfig(["databaseAdminUrl", "databaseAddress", "secretEnv", "env", "host"]);
    await test.set({
      imageRepository,
      createNamespaces: false,
      activeColor: "blue",
      blueTag: "v1",
      greenTag: "v2",
      // It loads three hundred packages when it starts.
      resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { cpu: "1", memory: "512Mi" } },
      livenessProbe: { initialDelaySeconds: 60, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
      progressDeadlineSeconds: 300,
    });
  });
  after(async () => {
    await test.remove();
    await orUndefined(test.cluster.core.deletePersistentVolume({ name: test.cluster.namespace }));
    await rm(storage, { recursive: true, force: true });
  });

  /** What an administrator has done before: a namespace with a claim, and a volume that every pod may mount. */
  async function makeVolume(): Promise<void> {
    const { core, namespace } = test.cluster;
    const claim = { accessModes: ["ReadWriteMany"], storageClassName: "", volumeName: namespace };
    const capacity = { storage: "1Gi" };
    await core.createNamespace({ body: { metadata: { name: namespace, labels: podSecurity } } });
    await core.createPersistentVolume({
      body: {
        metadata: { name: namespace },
        spec: { capacity, accessModes: claim.accessModes, storageClassName: "", hostPath: { path: storage } },
      },
    });
    await core.createNamespacedPersistentVolumeClaim({
      namespace,
      body: {
        metadata: { name: "verdaccio-storage" },
        spec: { ...claim, resources: { requests: capacity } },
      },
    });
  }

  const status = async () => {
    const { out, errors } = await bluegreen(test, "status", "--json");
    expect(out, errors).not.to.equal("");
    return JSON.parse(out) as ReleaseStatus & { attention: string[] };
  };
  const ask = async (publish = "") => {
    const { spec } = await test.cluster.core.readNamespacedService({
      name: names.activeService("verdaccio"),
      namespace: test.cluster.namespace,
    });
    const [program = "", ...args] = await insideNetwork([
      process.execPath,
      "-e",
      script,
      `http://${spec?.clusterIP ?? ""}`,
      publish,
    ]);
    return run(program, args);
  };

  it("is released by its own health check, and keeps what is published", async () => {
    await test.stack.up();
    const { live, colors, attention } = await status();
    expect({ live, attention }).to.deep.equal({ live: "blue", attention: [] });
    expect(colors.map(({ image, ready }) => [image, ready])).to.deep.equal([
      [`${imageRepository}:v1`, 2],
      [`${imageRepository}:v2`, 2],
    ]);
    expect(await ask("publish")).to.match(/^201 /);
    expect(await ask()).to.match(/^200 [^]*"1\.0\.0"/);
  });

  it("is switched and rolled back, with what was published, and analysed without metrics", async () => {
    const switched = await bluegreen(test, "switch", "green", "--yes");
    expect(switched.code, switched.said).to.equal(0);
    expect(await ask()).to.match(/^200 [^]*"1\.0\.0"/);
    const { live, rollback } = await status();
    expect({ live, rollback }).to.deep.equal({ live: "green", rollback: { possible: true, to: "blue" } });
    const back = await bluegreen(test, "rollback", "--reason", "the example rolls back", "--yes");
    expect(back.code, back.said).to.equal(0);
    expect((await status()).live).to.equal("blue");
    expect(await ask()).to.match(/^200 [^]*"1\.0\.0"/);
  });
});
