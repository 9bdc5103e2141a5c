import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { takeLock } from "../../local/engine/lock";
import { standInEngine } from "../../local/engine/standIn";
import { failureOf, THINGS } from "./things";
import { makeWorkspace, type Workspace } from "./workspace";

describe("the stand-in engine, on real programs", function () {
  this.timeout(240_000);
  let w: Workspace;
  const world = () => readdirSync(join(w.directory, "world")).sort();
  const log = () => {
    const text = w.read("log");
    writeFileSync(join(w.directory, "log"), "");
    return text.trim();
  };
  const things = (code: string) => {
    w.program(THINGS + code);
  };
  const names = () => (w.state().checkpoint.latest?.resources ?? []).map(({ urn }) => urn.split("::").at(-1)).filter((name) => name !== "default");

  beforeEach(async () => {
    w = await makeWorkspace();
    mkdirSync(join(w.directory, "world"));
    writeFileSync(join(w.directory, "log"), "");
  });
  afterEach(() => {
    w.remove();
  });

  it("creates, keeps, updates, replaces and deletes, and previews each without doing it", async () => {
    things(`const a = new Thing("a", { value: "x" }); new Thing("b", { value: a.length }); export const length = a.length;`);
    expect((await w.stack.preview()).changes).to.deep.equal({ create: 3 });
    expect(world()).to.deep.equal([]);
    const first = await w.stack.up();
    expect(first.changes).to.deep.equal({ create: 3 });
    expect(first.outputs).to.deep.equal({ length: { value: 1, secret: false } });
    expect(await w.stack.outputs()).to.deep.equal(first.outputs);
    expect(log()).to.equal("create a\ncreate b");

    expect((await w.stack.up()).changes).to.deep.equal({ same: 3 });
    expect(log()).to.equal("");

    things(`const a = new Thing("a", { value: "xyz" }); new Thing("b", { value: a.length, kind: "k" });`);
    const preview = await w.stack.preview();
    expect(preview.changes).to.deep.equal({ same: 1, update: 1, replace: 1 });
    expect(preview.steps.find(({ name }) => name === "a")?.diff).to.deep.equal([{ path: "value", kind: "update", old: '"x"', new: '"xyz"' }]);
    expect(preview.text).to.match(/~ {2}update {2,}pulumi-nodejs:dynamic:Resource {2}a\n {8}~ value {2}"x" → "xyz"/);
    expect(log()).to.equal("");
    expect((await w.stack.up()).changes).to.deep.equal({ same: 1, update: 1, replace: 1 });
    expect(log()).to.equal("update a\ncreate b\ndelete b");
    expect(world()).to.deep.equal(["a", "b-k"]);

    things(`new Thing("a", { value: "xyz" });`);
    expect((await w.stack.up()).changes).to.deep.equal({ same: 2, delete: 1 });
    expect(world()).to.deep.equal(["a"]);
    expect((await w.stack.destroy()).changes).to.deep.equal({ delete: 2 });
    expect(world()).to.deep.equal([]);
    expect(names()).to.deep.equal([]);
  });

  it("deletes before it replaces where it has to, together with what would be replaced too", async () => {
    const code = (kind: string) => `
      const a = new Thing("a", { value: "x", kind: "${kind}", deleteFirst: true });
      new Thing("b", { value: "y", kind: a.id, deleteFirst: true });
      new Thing("c", { value: "z" }, { dependsOn: a });`;
    things(code("k1"));
    await w.stack.up();
    log();
    things(code("k2"));
    expect((await w.stack.up()).changes).to.deep.equal({ same: 2, replace: 2 });
    expect(log()).to.equal("delete b-a-k1\ndelete a-k1\ncreate a\ncreate b");
    expect(world()).to.deep.equal(["a-k2", "b-a-k2", "c"]);
  });

  it("lists every failure of a check at preview", async () => {
    things(`new Thing("a", { first: "bad", second: "bad" });`);
    const failure = await failureOf(w.stack.preview());
    expect(failure.message).to.contain("first: must not be bad").and.contain("second: must not be bad");
    expect(log()).to.equal("");
  });

  it("stops at a failure: what runs finishes and is saved, dependents never start, nothing is deleted", async () => {
    things(`new Thing("old", { value: "x" });`);
    await w.stack.up();
    log();
    things(`
      const bad = new Thing("bad", { fails: "create" });
      new Thing("good", { value: "g" });
      new Thing("after", { value: "h" }, { dependsOn: bad });`);
    const failure = await failureOf(w.stack.up());
    expect(failure.message).to.contain("bad: bad refused");
    expect(failure.diagnostics.filter(({ severity }) => severity === "error")).to.have.length(1);
    expect(world()).to.include("old").and.not.include("after");
    expect(names()).to.include("old").and.not.include("bad").and.not.include("after");
    expect(w.state().checkpoint.latest).to.not.have.property("pending_operations");
    things(`new Thing("good", { value: "g" });`);
    await w.stack.up();
    expect(world()).to.deep.equal(["good"]);
  });

  it("records a resource that was made and did not come up, and goes on with it", async () => {
    things(`new Thing("a", { value: "x", fails: "half" });`);
    expect((await failureOf(w.stack.up())).message).to.contain("half done");
    expect(w.state().checkpoint.latest?.resources?.find(({ id }) => id === "a")?.initErrors).to.deep.equal(["not ready"]);
    things(`new Thing("a", { value: "x" });`);
    expect((await w.stack.up()).changes).to.deep.equal({ same: 1, update: 1 });
    expect(w.state().checkpoint.latest?.resources?.find(({ id }) => id === "a")).to.not.have.property("initErrors");
  });

  it("keeps the state of what could not be deleted", async () => {
    things(`const a = new Thing("a", { value: "x" }); new Thing("b", { value: "y", fails: "delete" }, { dependsOn: a });`);
    await w.stack.up();
    things("");
    expect((await failureOf(w.stack.up())).message).to.contain("b refused");
    expect(names()).to.include("a").and.include("b");
    expect(world()).to.deep.equal(["a", "b"]);
  });

  it("honors protect, retainOnDelete, deletedWith, ignoreChanges and replaceOnChanges", async () => {
    const code = (value: string, protect: boolean) => `
      new Thing("guarded", { value: "x" }, { protect: ${protect} });
      new Thing("kept", { value: "x" }, { retainOnDelete: true });
      const home = new Thing("home", { value: "x" });
      new Thing("inside", { value: "x" }, { deletedWith: home });
      new Thing("ignored", { value: "${value}" }, { ignoreChanges: ["value"] });
      new Thing("strict", { value: "${value}", deleteFirst: true }, { replaceOnChanges: ["value"], deleteBeforeReplace: true });`;
    things(code("1", true));
    await w.stack.up();
    things(code("2", true));
    expect((await w.stack.up()).changes).to.deep.equal({ same: 6, replace: 1 });
    expect((await failureOf(w.stack.destroy())).message).to.contain('::guarded" cannot be deleted because it is protected').and.contain("pulumi state unprotect 'urn:");
    expect(world()).to.have.length(6);
    things(code("2", false));
    await w.stack.up();
    log();
    await w.stack.destroy();
    expect(log()).to.not.contain("inside").and.not.contain("kept");
    expect(world()).to.deep.equal(["inside", "kept"]);
  });

  it("follows an alias instead of replacing", async () => {
    things(`new Thing("before", { value: "x", name: "n" });`);
    await w.stack.up();
    log();
    things(`new Thing("after", { value: "x", name: "n" }, { aliases: [{ name: "before" }] });`);
    expect((await w.stack.up()).changes).to.deep.equal({ same: 2 });
    expect(log()).to.equal("");
    expect(names()).to.include("after").and.not.include("before");
  });

  it("runs hooks around operations; a refusing one keeps the resource as it was", async () => {
    const code = (value: string, body: string) => `
      const guard = new pulumi.ResourceHook("guard", async (args) => { ${body} });
      const seen = new pulumi.ResourceHook("seen", async (args) => { fs.appendFileSync("log", "hook " + args.id + " " + (args.newOutputs as any).value + "\\n"); });
      new Thing("a", { value: "${value}" }, { hooks: { beforeUpdate: [guard], afterCreate: [seen], afterUpdate: [seen] } });`;
    things(code("x", ""));
    await w.stack.up();
    expect(log()).to.equal("create a\nhook a x");
    things(code("y", `throw new Error("not on " + (args.newInputs as any).value);`));
    expect((await w.stack.preview()).changes).to.deep.equal({ same: 1, update: 1 });
    expect((await failureOf(w.stack.up())).message).to.contain("BeforeUpdate hook 'guard' failed: not on y");
    expect(log()).to.equal("");
    expect(w.read("world/a")).to.equal("x");
    things(code("y", ""));
    await w.stack.up();
    expect(log()).to.equal("update a\nhook a y");
  });

  it("brings the state in line with reality on refresh", async () => {
    things(`new Thing("a", { value: "x" }); new Thing("b", { value: "x" });`);
    await w.stack.up();
    writeFileSync(join(w.directory, "world/a"), "changed outside");
    rmSync(join(w.directory, "world/b"));
    expect((await w.stack.refresh()).changes).to.deep.equal({ update: 1, delete: 1 });
    log();
    expect((await w.stack.up()).changes).to.deep.equal({ same: 1, create: 1, update: 1 });
    expect(log().split("\n").sort()).to.deep.equal(["create b", "update a"]);
    expect(w.read("world/a")).to.equal("x");
  });

  it("never stores, shows or logs a secret", async () => {
    await w.stack.setConfig({ token: { value: "hunter2-token", secret: true } });
    const code = (more: string) => `
      import * as random from "@pulumi/random";
      const token = new pulumi.Config().requireSecret("token");
      const password = new random.RandomPassword("p", { length: 24 });
      const id = new random.RandomId("id", { byteLength: 4, keepers: { color: "${more}" } });
      const a = new Thing("a", { value: pulumi.interpolate\`\${token}${more}\`, other: password.result });
      export const out = a.value; export const generated = password.result; export const hex = id.hex;`;
    const heard: string[] = [];
    const options = { onOutput: (line: string) => void heard.push(line) };
    things(code("1"));
    await w.stack.up(options);
    const generated = (await w.stack.outputs())["generated"];
    things(code("2"));
    const preview = await w.stack.preview(options);
    await w.stack.up(options);
    const exported = JSON.stringify(await w.stack.exportDeployment());
    const everything = [w.stateText(), exported, w.read("Pulumi.test.yaml"), preview.text, JSON.stringify(preview.steps), ...heard].join("\n");
    expect(generated?.secret).to.equal(true);
    expect(String(generated?.value)).to.have.length(24);
    expect(everything).to.not.contain("hunter2").and.not.contain(String(generated?.value));
    expect(preview.text).to.contain("~ value  [secret] → [secret]");
    expect((await w.stack.outputs())["out"]).to.deep.equal({ value: "hunter2-token2", secret: true });
  });

  it("refuses a second run while one holds the lock, and a wrong passphrase", async () => {
    things(`new Thing("a", { value: "x" });`);
    const release = takeLock(join(w.directory, "state/.pulumi/locks/organization/fixture/test"));
    const failure = await failureOf(w.stack.up());
    expect(failure.message).to.contain(`(pid ${process.pid})`).and.contain("pulumi cancel");
    release();
    await w.stack.up();
    const other = await standInEngine().stack({ name: "test", workDir: w.directory, env: { ...w.env, PULUMI_CONFIG_PASSPHRASE: "wrong" } });
    expect((await failureOf(other.up())).message).to.contain("incorrect passphrase");
  });

  it("reports a program that throws, with its own words, and deletes nothing", async () => {
    things(`new Thing("a", { value: "x" });`);
    await w.stack.up();
    things(`throw new Error("the program gives up");`);
    expect((await failureOf(w.stack.up())).message).to.contain("the program gives up");
    expect(world()).to.deep.equal(["a"]);
    expect(names()).to.include("a");
  });
});
