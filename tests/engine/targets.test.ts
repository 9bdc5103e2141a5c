import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Targets } from "../../local/engine/targets";
import { failureOf, THINGS } from "./things";
import { makeWorkspace, type Workspace } from "./workspace";

const urn = (name: string) => `urn:pulumi:test::fixture::pulumi-nodejs:dynamic:Resource::${name}`;

describe("What an update is limited to", () => {
  it("is nothing where no target is named", () => {
    const targets = new Targets();
    expect(targets.limited).to.equal(false);
    expect(targets.include(urn("a"), new Set())).to.equal(true);
    expect(targets.missing([])).to.deep.equal([]);
  });

  it("is URNs, and patterns in which * stays in its part and ** does not", () => {
    const included = (target: string, of: string) => new Targets([target]).include(of, new Set());
    expect(included(urn("a"), urn("a"))).to.equal(true);
    expect(included(urn("a"), urn("ab"))).to.equal(false);
    expect(included(urn("a*"), urn("ab"))).to.equal(true);
    expect(included("urn:*::ab", urn("ab"))).to.equal(false);
    expect(included("**ab", urn("ab"))).to.equal(true);
    expect(included(urn("a.b"), urn("axb")), "a dot is a dot").to.equal(false);
  });

  it("takes in what depends on a target only when that is asked for", () => {
    const needs = new Set([urn("a")]);
    const narrow = new Targets([urn("a")]);
    expect([narrow.include(urn("a"), new Set()), narrow.include(urn("b"), needs)]).to.deep.equal([true, false]);
    const wide = new Targets([urn("a")], true);
    expect([wide.include(urn("a"), new Set()), wide.include(urn("b"), needs), wide.include(urn("c"), new Set([urn("b")]))]).to.deep.equal([true, true, true]);
  });

  it("names a target that is not there", () => {
    expect(new Targets([urn("a"), urn("b"), "**c"]).missing([urn("a")])).to.deep.equal([urn("b")]);
  });
});

describe("an update of targets, with the stand-in engine", function () {
  this.timeout(240_000);
  let w: Workspace;
  beforeEach(async () => {
    w = await makeWorkspace();
    mkdirSync(join(w.directory, "world"));
    writeFileSync(join(w.directory, "log"), "");
  });
  afterEach(() => {
    w.remove();
  });
  const things = (code: string) => { w.program(THINGS + code); };
  const inWorld = (name: string) => w.read(`world/${name}`);
  const names = () => (w.state().checkpoint.latest?.resources ?? []).map((resource) => resource.urn.split("::").at(-1));
  const pair = (value: string) => `
    const a = new Thing("a", { value: "${value}" });
    new Thing("b", { value: pulumi.interpolate\`\${a.value}!\` });
    new Thing("c", { value: "${value}" }, { dependsOn: a });`;

  it("changes the target, leaves what depends on it and everything else as it is, and knows so afterwards", async () => {
    things(pair("1"));
    await w.stack.up();
    things(pair("2"));
    const options = { targets: [urn("a")] };
    expect((await w.stack.preview(options)).changes).to.deep.equal({ same: 3, update: 1 });
    expect((await w.stack.up(options)).changes).to.deep.equal({ same: 3, update: 1 });
    expect([inWorld("a"), inWorld("b"), inWorld("c")]).to.deep.equal(["2", "1!", "1"]);
    expect((await w.stack.up()).changes).to.deep.equal({ same: 2, update: 2 });
    expect([inWorld("b"), inWorld("c")]).to.deep.equal(["2!", "2"]);
  });

  it("changes what depends on the target where that is asked for", async () => {
    things(pair("1"));
    await w.stack.up();
    things(`${pair("2")} new Thing("d", { value: "2" });`);
    expect((await w.stack.up({ targets: [urn("a")], targetDependents: true })).changes).to.deep.equal({ same: 1, update: 3 });
    expect(readdirSync(join(w.directory, "world"))).to.not.include("d");
  });

  it("asks nothing of what is no target: its check, its hooks, its protection do not matter", async () => {
    const code = (value: string, first: string) => `
      const guard = new pulumi.ResourceHook("guard", async () => { throw new Error("asked"); });
      new Thing("a", { value: "${value}" });
      new Thing("b", { value: "${value}", first: "${first}" }, { hooks: { beforeUpdate: [guard] }, protect: true });`;
    things(code("1", "good"));
    await w.stack.up();
    things(code("2", "bad"));
    await w.stack.up({ targets: [urn("a")] });
    expect([inWorld("a"), inWorld("b")]).to.deep.equal(["2", "1"]);
  });

  it("meets the hook of the target itself", async () => {
    const code = (value: string) => `
      const guard = new pulumi.ResourceHook("guard", async () => { throw new Error("no permit"); });
      new Thing("gate", { value: "${value}" });
      new Thing("a", { value: "${value}" }, { hooks: { beforeUpdate: [guard] } });`;
    things(code("1"));
    await w.stack.up();
    things(code("2"));
    expect((await failureOf(w.stack.up({ targets: [urn("a")] }))).message).to.contain("no permit");
    expect(inWorld("a")).to.equal("1");
  });

  it("makes nothing that is no target, and refuses a target that needs it", async () => {
    things(`new Thing("a", { value: "1" });`);
    await w.stack.up();
    things(`const b = new Thing("b", { value: "1" }); new Thing("a", { value: "2" }, { dependsOn: b });`);
    const failure = await failureOf(w.stack.up({ targets: [urn("a")] }));
    expect(failure.message).to.contain(`'${urn("a")}' depends on '${urn("b")}'`).and.contain("--target");
    expect(inWorld("a")).to.equal("1");
    things(`new Thing("b", { value: "1" }); new Thing("a", { value: "2" });`);
    await w.stack.up({ targets: [urn("a")] });
    expect(inWorld("a")).to.equal("2");
    expect(names()).to.include("a").and.not.include("b");
  });

  it("deletes what the program has no more only where it is a target", async () => {
    things(`const a = new Thing("a", { value: "1" }); new Thing("b", { value: "1" }, { dependsOn: a }); new Thing("c", { value: "1" });`);
    await w.stack.up();
    things("");
    expect((await failureOf(w.stack.up({ targets: [urn("a")] }))).message).to.contain(`'${urn("b")}' will be destroyed but was not specified`);
    await w.stack.up({ targets: [urn("b")] });
    expect(readdirSync(join(w.directory, "world")).sort()).to.deep.equal(["a", "c"]);
    expect(names()).to.include.members(["a", "c"]).and.not.include("b");
  });

  it("names a target that does not exist", async () => {
    things(`new Thing("a", { value: "1" });`);
    expect((await failureOf(w.stack.up({ targets: [urn("nowhere")] }))).message).to.contain(`Target '${urn("nowhere")}' could not be found`);
  });
});
