import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect } from "chai";
import { names, orUndefined, poll } from "@bluegreen/release";
import { Stack } from "../../cli/pulumi/stack";
import { repositoryDir } from "../../local/paths";
import { failureOf, liveColor, podsOf } from "../support/read";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";

describe("The locks around a release, on a real cluster under load", function () {
  let test: TestStack;
  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({ activeColor: "blue", blueTag: "v1", greenTag: "v2" });
    await test.stack.up();
  });
  /** Folders of suites that hold a switch. */
  const held: string[] = [];
  after(async () => {
    await Promise.all(held.map((folder) => rm(folder, { recursive: true })));
    await test.remove();
  });

  const resource = async (type: string, name: string) => {
    const { deployment } = (await test.stack.exportDeployment()) as {
      deployment: { resources: { urn: string }[] };
    };
    const found = deployment.resources.find(({ urn }) => urn.endsWith(`${type}::${name}`));
    if (found === undefined) throw new Error(`no ${type} ${name} in the state`);
    return found.urn;
  };
  const lease = () =>
    orUndefined(
      test.cluster.coordination.readNamespacedLease({
        name: names.releaseLease("chatgpt-app"),
        namespace: test.cluster.namespace,
      }),
    );
  const holder = async () => (await lease())?.spec?.holderIdentity ?? "";
  const begun = () => poll(async () => (await holder()) || undefined, { timeoutMs: 600_000 });

  /** Makes every switch wait at its smoke gate until it is let go. */
  const holdAtGate = async (): Promise<{ letGo: () => Promise<void> }> => {
    const folder = await mkdtemp(join(repositoryDir, ".test-hold-"));
    const suite = `import { existsSync } from "node:fs";\nimport { setTimeout } from "node:timers/promises";\nit("is let go", async () => {\n  while (existsSync(${JSON.stringify(join(folder, "held"))})) await setTimeout(100);\n}).timeout(0);\n`;
    await Promise.all([writeFile(join(folder, "gate.ts"), suite), writeFile(join(folder, "held"), "")]);
    await test.set({ smokeTests: `${basename(folder)}/*.ts`, smokeTimeoutSeconds: 240 });
    held.push(folder);
    return { letGo: () => rm(join(folder, "held")) };
  };

  /** Somebody else's checkout: the same program and config, a state of its own. */
  const otherCheckout = async (): Promise<{ stack: Stack; remove(): Promise<void> }> => {
    const folder = await mkdtemp(join(tmpdir(), "bg-other-"));
    await cp(test.backend, folder, { recursive: true });
    const stack = await Stack.open({
      name: test.name,
      workDir: repositoryDir,
      env: { ...test.env, PULUMI_BACKEND_URL: `file://${folder}` },
    });
    return { stack, remove: () => rm(folder, { recursive: true }) };
  };

  it("an update limited to the active Service moves nobody, and leaves a state that the next one can read", async () => {
    const users = await startUsers(test.cluster);
    await test.set({ activeColor: "green" });
    const target = [await resource("Service", "chatgpt-app-service")];
    for (const run of [() => test.stack.preview({ target }), () => test.stack.up({ target })]) {
      expect(await failureOf(run()))
        .to.contain(
          "This update leaves out the lock on the live color, and activeColor changes from blue to green",
        )
        .and.contain("without --target");
    }
    expect(await liveColor(test.cluster)).to.equal("blue");
    const { failures, colors } = await users.stop();
    expect(failures).to.deep.equal([]);
    expect([...colors]).to.deep.equal(["blue"]);
    await test.set({ activeColor: "blue" });
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  });

  it("of two updates at once one waits, and neither is ever between the other's first step and last", async () => {
    const users = await startUsers(test.cluster);
    const other = await otherCheckout();
    const { letGo } = await holdAtGate();
    await test.set({ activeColor: "green", lockWaitSeconds: 240 });
    const first = test.stack.up();
    const who = await begun();
    const said: string[] = [];
    const second = other.stack.up({ onOutput: (line) => said.push(line) });
    const waits = `waiting for ${names.releaseLease("chatgpt-app")}, held by ${who}`;
    await poll(() => Promise.resolve(said.join("\n").includes(waits) ? true : undefined), {
      timeoutMs: 600_000,
    });
    const holders = [who];
    let over = false;
    const watching = poll(
      async () => {
        const now = await holder();
        if (now !== holders.at(-1)) holders.push(now);
        return over ? true : undefined;
      },
      { timeoutMs: 600_000, intervalMs: 20 },
    );
    await letGo();
    await Promise.all([first, second]);
    over = true;
    await watching;
    const named = holders.filter((each) => each !== "");
    expect(named, holders.join(", ")).to.have.length(2);
    expect(new Set(named).size).to.equal(2);
    expect(holders.at(-1), "the last one has let go").to.equal("");
    expect(await liveColor(test.cluster)).to.equal("green");
    expect(
      Object.keys((await test.stack.up()).changes),
      "and neither has undone what the other did",
    ).to.deep.equal(["same"]);
    expect((await users.stop()).failures).to.deep.equal([]);
    await other.remove();
  });

  it("nothing deletes what serves traffic unless config says so, and to say so is no change of anything", async () => {
    const users = await startUsers(test.cluster);
    const pods = await podsOf(test.cluster, "green");
    await test.set({ deletionProtection: true });
    expect(Object.keys((await test.stack.preview()).changes)).to.deep.equal(["same"]);
    await test.stack.up();
    expect(await failureOf(test.stack.destroy()))
      .to.contain("cannot be deleted")
      .and.contain("protected")
      .and.contain("pulumi state unprotect");
    expect(await podsOf(test.cluster, "green")).to.deep.equal(pods);
    const { failures } = await users.stop();
    expect(failures).to.deep.equal([]);

    await test.set({ activeColor: "blue" });
    const { steps } = await test.stack.preview();
    expect(
      steps.filter(({ type, op }) => type === "kubernetes:apps/v1:Deployment" && op !== "same"),
      "protection follows the active color, and that is no change",
    ).to.deep.equal([]);
    await test.set({ activeColor: "green", deletionProtection: false });
    expect(Object.keys((await test.stack.preview()).changes)).to.deep.equal(["same"]);
  });
});
