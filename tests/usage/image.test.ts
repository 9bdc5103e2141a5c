import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { serverImage } from "../../local/images/app";
import { packImages } from "../../local/images/archive";
import { runLocal } from "../start/support";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

describe("npm run image, on a real cluster", function () {
  let test: TestNamespace;
  let folder: string;
  before(async () => {
    test = await makeNamespace();
    folder = await mkdtemp(join(tmpdir(), "bg-image-"));
  });
  after(async () => {
    await rm(folder, { recursive: true });
    await test.remove();
  });

  it("brings the image of an archive to the cluster, which runs it without a registry", async () => {
    const reference = `registry.example.com/hello:${randomBytes(3).toString("hex")}`;
    const bundle = join(folder, "hello.js");
    await writeFile(bundle, `console.log(${JSON.stringify(reference)});\n`);
    const file = await packImages([await serverImage({ reference, bundle, folder })], folder);
    const first = await runLocal("image.ts", [file]);
    // Another test may load its images at the same moment.
    expect(first.output, first.errors)
      .to.match(/^Loaded /)
      .and.contain(reference);
    const second = await runLocal("image.ts", [file]);
    expect(second.code, second.errors).to.equal(0);
    expect(second.output).not.to.contain(reference);

    const pod = { name: "hello", namespace: test.namespace };
    await test.cluster.core.createNamespacedPod({
      namespace: test.namespace,
      body: {
        metadata: { name: "hello" },
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "hello", image: reference, imagePullPolicy: "Never" }],
        },
      },
    });
    await poll(
      async () => (await test.cluster.core.readNamespacedPod(pod)).status?.phase === "Succeeded" || undefined,
      { timeoutMs: 300_000 },
    );
    expect(await test.cluster.core.readNamespacedPodLog(pod)).to.equal(`${reference}\n`);
  });

  it("says that there is no such file", async () => {
    const { code, errors } = await runLocal("image.ts", [join(folder, "nothing.tar")]);
    expect(code).to.equal(1);
    expect(errors).to.contain("BG-PATH-NOT-FOUND").and.contain("docker save");
  });
});
