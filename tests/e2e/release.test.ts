import { readdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { orUndefined } from "@bluegreen/release";
import { Stack } from "../../cli/pulumi/stack";
import { failureOf, imageOf, liveColor, podsOf } from "../support/read";
import { writeOtherWay } from "../support/otherWay";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";

/**
 * One release from the first `up` to the last `destroy`, told in order: each test continues where the one
 * before ended.
 */
describe("A release, end to end on a real cluster", function () {
  let test: TestStack;
  before(async () => {
    test = await makeStack(twoVersions);
  });
  after(() => test.remove());

  const schemaVersion = async () => (await test.stack.outputs())["schemaVersion"]?.value;

  it("refuses wrong settings all at once and touches nothing", async () => {
    await test.set({ activeColor: "purple", host: "no where" });
    const message = await test.stack.up().then(() => "accepted", String);
    expect(message, message)
      .to.contain("activeColor")
      .and.contain("host")
      .and.contain("settings were refused");
    expect(await orUndefined(test.cluster.core.readNamespace({ name: test.cluster.namespace }))).to.equal(
      undefined,
    );
    await test.set({ host: "app.example.com" });
  });

  it("starts with blue v1 live and green at zero", async () => {
    await test.set({ activeColor: "blue", blueTag: "v1", schemaVersion: "0001" });
    const { text, diagnostics } = await test.stack.up();
    // Of plugins on PATH, their versions or newer ones, and of this machine's folders.
    expect(diagnostics.filter(({ severity }) => severity === "warning")).to.deep.equal([]);
    expect(text)
      .not.to.match(/warning:|new version of Pulumi/)
      .and.not.to.contain(homedir());
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await podsOf(test.cluster, "blue")).to.have.length(2);
    expect(await podsOf(test.cluster, "green")).to.have.length(0);
    const outputs = await test.stack.outputs();
    expect(outputs["liveColor"]?.value).to.equal("blue");
    expect(outputs["idleColor"]?.value).to.equal("green");
    expect(outputs["blueTag"]?.value).to.equal("v1");
    expect(outputs["url"]?.value).to.equal("https://app.example.com/");
    for (const name of ["previewPassword", "previewToken"])
      expect(outputs[name]?.secret, name).to.equal(true);
    expect(await schemaVersion()).to.equal("0001");
  });

  it("changes nothing when nothing changed, by whoever's kubeconfig, and whether that is still there next time or not", async () => {
    const pods = await podsOf(test.cluster, "blue");
    const kubeconfig = join(test.backend, "kubeconfig");
    const way = await writeOtherWay(test.stage.kubeconfig, kubeconfig);
    const theirs = await Stack.open({
      name: test.name,
      workDir: test.workDir,
      env: { ...test.env, KUBECONFIG: kubeconfig },
    });
    const { changes } = await theirs.up();
    expect(Object.keys(changes)).to.deep.equal(["same"]);
    way.close();
    await rm(kubeconfig);
    expect(await podsOf(test.cluster, "blue")).to.deep.equal(pods);
  });

  it("shows a new version in preview, and touches nothing", async () => {
    await test.set({ greenTag: "v2", schemaVersion: "0002", smokeTests: "no/such/*.ts" });
    expect(await failureOf(test.stack.preview()), "tests that do not load")
      .to.contain("The smoke tests cannot be run, and nothing was touched")
      .and.contain("no/such/*.ts");
    await test.set({ smokeTests: "tests/smoke/**/*.ts" });
    const { changes, text } = await test.stack.preview();
    expect(changes["update"]).to.be.greaterThan(0);
    expect(text).to.contain("chatgpt-app-migrations").and.contain("chatgpt-app-green");
    expect(await podsOf(test.cluster, "green")).to.have.length(0);
    expect(await schemaVersion()).to.equal("0001");
  });

  it("rolls the new version out on green, with its migration, while blue serves on", async () => {
    const pods = await podsOf(test.cluster, "blue");
    const users = await startUsers(test.cluster);
    await test.stack.up();
    const { requests, failures, colors } = await users.stop();
    expect(failures).to.deep.equal([]);
    expect(requests).to.be.greaterThan(50);
    expect([...colors]).to.deep.equal(["blue"]);
    expect(await podsOf(test.cluster, "blue")).to.deep.equal(pods);
    expect(await podsOf(test.cluster, "green")).to.have.length(2);
    expect(await imageOf(test.cluster, "green")).to.match(/:v2$/);
    expect(await schemaVersion()).to.equal("0002");
  });

  it("switches all traffic to green without a failed request", async () => {
    const users = await startUsers(test.cluster);
    await test.set({ activeColor: "green" });
    await test.stack.up();
    await users.answeredBy("green");
    expect((await users.stop()).failures).to.deep.equal([]);
    expect(await liveColor(test.cluster)).to.equal("green");
    expect(await podsOf(test.cluster, "blue"), "the standby keeps its pods").to.have.length(2);
  });

  it("refuses to change the live color in place, in preview already", async () => {
    await test.set({ greenTag: "v1" });
    const message = await test.stack.preview().then(() => "accepted", String);
    expect(message).to.contain("green serves traffic with").and.contain("may not change in place");
    await test.set({ greenTag: "v2" });
  });

  it("rolls back with the previous config, and never rolls back the schema", async () => {
    const users = await startUsers(test.cluster);
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    await users.answeredBy("blue");
    expect((await users.stop()).failures).to.deep.equal([]);
    expect(await liveColor(test.cluster)).to.equal("blue");
    await test.set({ schemaVersion: "0001" });
    await test.stack.up();
    expect(await schemaVersion()).to.equal("0002");
    await test.set({ schemaVersion: "0002" });
    expect(Object.keys((await test.stack.up()).changes)).to.not.include("create");
  });

  it("rolls a whole release back at once: traffic first, then the color it left", async () => {
    await test.set({ activeColor: "green" });
    await test.stack.up();
    const users = await startUsers(test.cluster);
    // The config from before the release: green had no version then.
    await test.set({ activeColor: "blue" });
    await test.stack.removeConfig(["greenTag"]);
    await test.stack.up();
    await users.answeredBy("blue");
    expect((await users.stop()).failures).to.deep.equal([]);
    expect(await podsOf(test.cluster, "green")).to.have.length(0);
  });

  it("keeps every secret out of state, stack files and previews", async () => {
    const stored = await test.cluster.core.readNamespacedSecret({
      name: "db-credentials",
      namespace: test.cluster.namespace,
    });
    const url = new URL(Buffer.from(stored.data?.["url"] ?? "", "base64").toString());
    const plain = {
      "database password": url.password,
      "OpenAI key": test.secrets.openaiApiKey,
      "secret variable": test.secrets.token,
      passphrase: test.secrets.passphrase,
    };
    expect(url.password).to.have.length(32);
    const texts = new Map<string, string>();
    for (const file of await readdir(test.backend, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) texts.set(file.name, await readFile(join(file.parentPath, file.name), "utf8"));
    }
    texts.set("stack file", await readFile(`Pulumi.${test.name}.yaml`, "utf8"));
    texts.set("preview", (await test.stack.preview()).text);
    expect(texts.size).to.be.greaterThan(2);
    for (const [where, text] of texts) {
      for (const [what, value] of Object.entries(plain))
        expect(text.includes(value), `${what} in ${where}`).to.equal(false);
    }
  });

  it("goes whole when it is destroyed", async () => {
    await test.stack.destroy();
    expect(await orUndefined(test.cluster.core.readNamespace({ name: test.cluster.namespace }))).to.equal(
      undefined,
    );
  });
});
