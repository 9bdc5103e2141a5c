import { expect } from "chai";
import { diffProps } from "../../local/engine/diff";
import type { Step } from "../../local/engine/events";
import { containsPath, formatPath, keepOldAt, parsePath } from "../../local/engine/paths";
import { completeDiff, decide, type Old, type Wanted } from "../../local/engine/plan";
import { renderChanges, renderSteps } from "../../local/engine/render";
import { type Props, Secret, UNKNOWN } from "../../local/engine/value";

const old = (more: Partial<Old> = {}): Old => ({ inputs: { a: 1 }, external: false, pendingReplacement: false, initErrors: [], ...more });
const wanted = (more: Partial<Wanted> = {}): Wanted => ({
  inputs: { a: 2 }, replaceOnChanges: [], deleteBeforeReplace: undefined, replacementTrigger: undefined, forced: [], ...more,
});
const some = { changes: "some" as const, replaces: [], deleteBeforeReplace: false };
const none = { ...some, changes: "none" as const };

describe("planning", () => {
  it("creates what is not there, keeps what did not change, updates what did", () => {
    expect(decide(undefined, wanted(), none).op).to.equal("create");
    expect(decide(old(), wanted(), none).op).to.equal("same");
    expect(decide(old(), wanted(), some).op).to.equal("update");
  });

  it("replaces for the provider's reasons, in the provider's order unless the program says otherwise", () => {
    const diff = { ...some, replaces: ["a"], deleteBeforeReplace: true };
    expect(decide(old(), wanted(), diff)).to.deep.equal({ op: "replace", deleteBeforeReplace: true, reasons: ["a"] });
    expect(decide(old(), wanted({ deleteBeforeReplace: false }), diff)).to.have.property("deleteBeforeReplace", false);
  });

  it("replaces for replaceOnChanges, a changed trigger and what other resources force", () => {
    expect(decide(old(), wanted({ replaceOnChanges: ["a"] }), some)).to.have.deep.property("reasons", ["a"]);
    expect(decide(old(), wanted({ replaceOnChanges: ["b"] }), some).op).to.equal("update");
    expect(decide(old({ replacementTrigger: 1 }), wanted({ replacementTrigger: 2 }), none).op).to.equal("replace");
    expect(decide(old(), wanted({ forced: ["deletedWith"] }), none).op).to.equal("replace");
  });

  it("finishes what an earlier run left: a half replacement, a resource that did not come up", () => {
    expect(decide(old({ pendingReplacement: true }), wanted(), none)).to.have.property("op", "replace");
    expect(decide(old({ initErrors: ["x"] }), wanted(), none).op).to.equal("update");
  });

  it("compares inputs itself when the provider does not say, and does not see secret marks", () => {
    const unknown = { ...none, changes: "unknown" as const };
    expect(completeDiff(unknown, { a: new Secret("x") }, { a: "x" }).changes).to.equal("none");
    expect(completeDiff(unknown, { a: "x" }, { a: new Secret("x") }).changes).to.equal("none");
    expect(completeDiff(unknown, { a: "x" }, { a: UNKNOWN }).changes).to.equal("some");
    expect(completeDiff(undefined, { a: 1 }, { a: 1 }).changes).to.equal("none");
  });
});

describe("property paths", () => {
  it("are read and written as Pulumi does", () => {
    for (const text of ["spec.template.containers[0].image", 'metadata.annotations["pulumi.com/skipAwait"]', "a[1][2]"]) {
      expect(formatPath(parsePath(text))).to.equal(text);
    }
    expect(() => parsePath("a[")).to.throw("malformed");
    expect(containsPath(parsePath("spec.containers[*]"), parsePath("spec.containers[1].image"))).to.equal(true);
    expect(containsPath(parsePath("spec.selector"), parsePath("spec.replicas"))).to.equal(false);
  });

  it("keep old values for ignoreChanges, also of fields that one side has not", () => {
    const before: Props = { spec: { replicas: 5, items: [{ v: 1 }, { v: 2 }] } };
    const after: Props = { spec: { replicas: 3, items: [{ v: 8 }, { v: 9 }], extra: "new" } };
    expect(keepOldAt(after, before, ["spec.replicas", "spec.extra", "spec.items[*].v"])).to.deep.equal(before);
    expect(keepOldAt({ spec: {} }, before, ["spec.replicas"])).to.deep.equal({ spec: { replicas: 5 } });
  });
});

describe("preview text", () => {
  const step = (op: Step["op"], name: string, before: Props = {}, after: Props = {}): Step => ({
    op, name, urn: `urn:pulumi:s::p::t:t:T::${name}`, type: "t:t:T", diff: diffProps(before, after), reasons: [], visibility: "counted",
  });

  it("says what happens in symbols and words, with old and new values and no secret", () => {
    const steps = [
      step("create", "one"),
      step("update", "two", { image: "app:v1", token: new Secret("hush"), gone: true }, { image: "app:v2", token: new Secret("hush2"), list: [UNKNOWN] }),
      step("same", "three"),
      step("delete", "four"),
    ];
    expect(renderSteps(steps, { color: false })).to.equal(
      [
        "   +  create  t:t:T  one",
        "   ~  update  t:t:T  two",
        '        ~ image  "app:v1" → "app:v2"',
        "        ~ token  [secret] → [secret]",
        "        - gone   true",
        '        + list   ["[unknown]"]',
        "   -  delete  t:t:T  four",
      ].join("\n"),
    );
    expect(renderChanges({ create: 1, same: 2 }, false)).to.equal("Resources: + 1 to create, 2 unchanged");
  });

  it("colors only what is also said in words", () => {
    const text = renderSteps([step("replace", "one")], { color: true });
    expect(text).to.match(/\x1b\[/).and.contain("+-  replace");
  });
});
