import { expect } from "chai";
import type { SuiteResult } from "@bluegreen/release/gates/suite";
import { newlyFailing } from "@bluegreen/release/releases/liveSuite";

const run = (passed: string[], failed: string[], part: Partial<SuiteResult> = {}): SuiteResult => ({
  passed,
  failed: failed.map((title) => ({ title, error: "500" })),
  timedOut: false,
  exitCode: failed.length,
  stderr: "",
  ...part,
});
const accused = (before: SuiteResult, now: SuiteResult) =>
  newlyFailing(before, now).map(({ title }) => title);
const hook = 'Users "before all" hook for "finds one"';

describe("The smoke suite against the live color", () => {
  it("accuses an update by what has passed before it and fails after", () => {
    expect(accused(run(["a", "b"], []), run(["b"], ["a"]))).to.deep.equal(["a"]);
    expect(accused(run(["a", "b"], []), run(["a", "b"], []))).to.deep.equal([]);
  });

  it("accuses nobody of what only the new version can pass, nor of what was wrong before", () => {
    expect(accused(run(["a"], ["has the new page"]), run(["a"], ["has the new page"]))).to.deep.equal([]);
    expect(accused(run([], ["a", "b"]), run([], ["a", "b"]))).to.deep.equal([]);
  });

  it("takes a hook that fails for the tests that it hides", () => {
    expect(accused(run(["Users finds one"], []), run([], [hook]))).to.deep.equal([hook]);
    expect(accused(run(["a"], [hook]), run(["a"], [hook]))).to.deep.equal([]);
    expect(accused(run(["a"], [hook]), run(["a"], ["Users finds one"])), "hidden before").to.deep.equal([]);
  });

  it("accuses nobody of what it did not get to before", () => {
    const before = run(["a"], [], { timedOut: true, exitCode: null });
    expect(accused(before, run(["a"], ["late", hook]))).to.deep.equal([]);
    expect(accused(before, run([], ["a"], { timedOut: true, exitCode: null }))).to.deep.equal(["a"]);
  });
});
