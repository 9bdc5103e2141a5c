import { globSync } from "node:fs";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";
import { brokenBy, storiesAbout, subjects } from "../runner/changed";
import { filesOf, suites } from "../runner/suites";

describe("What npm test -- --changed runs", () => {
  const long = new Set(suites.filter((suite) => suite.long === true).flatMap(filesOf));
  const longAbout = (path: string) => storiesAbout(path).filter((file) => long.has(file));

  it("is what loads a file, the story of a release, and the stories that it is the subject of", () => {
    const broken = brokenBy(["release/src/gates/preflight.ts"]);
    expect([...broken].sort()).to.include.members([
      "tests/changes/liveChange.test.ts",
      "tests/e2e/release.test.ts",
      "tests/provider/preflight.test.ts",
    ]);
    expect([...broken].filter((file) => long.has(file))).to.deep.equal(["tests/changes/liveChange.test.ts"]);
  });

  it("is, of the long stories, no other", () => {
    expect(longAbout("release/src/gates/smoke.ts")).to.deep.equal(["tests/failing/gates.test.ts"]);
    expect(longAbout("release/src/workers/cronJobs.ts")).to.have.members([
      "tests/changes/cronJobs.test.ts",
      "tests/changes/cronJobsSteps.test.ts",
    ]);
    expect(longAbout("release/src/relay/relays.ts")).to.have.members([
      "tests/databases/runIn.test.ts",
      "tests/databases/runInRelease.test.ts",
    ]);
    expect(longAbout("release/src/analysis/evaluate.ts"), "its own takes 17 minutes").to.deep.equal([]);
  });

  it("is one long story at most for a change of a gate, which takes minutes", () => {
    const gates = globSync("release/src/gates/*.ts", { cwd: repositoryDir });
    expect(gates).to.include("release/src/gates/smoke.ts");
    expect(gates.filter((gate) => longAbout(gate).length > 1)).to.deep.equal([]);
  });

  it("is no story that only makes use of what was changed", () => {
    const broken = brokenBy(["release/src/gates/schemaGate.ts"]);
    expect([...broken]).to.include.members([
      "tests/failing/gates.test.ts",
      "tests/provider/preflight.test.ts",
    ]);
    expect([...broken].filter((file) => /^tests\/(pages|routes|usage)\//.test(file))).to.deep.equal([]);
    expect([...brokenBy(["release/src/releases/status.ts"])]).to.include("tests/pages/pages.test.ts");
  });

  it("names no subject that is gone, and no story", () => {
    const there = globSync(
      "{.github,app,cli,components,examples,local,pages,pipeline,release,controller}/**",
      {
        cwd: repositoryDir,
        exclude: ["**/node_modules", "**/dist"],
      },
    );
    const paths = Object.values(subjects).flat();
    expect(paths.filter((path) => !there.some((each) => each.startsWith(path)))).to.deep.equal([]);
    expect(suites.flatMap(filesOf)).to.include.members(Object.keys(subjects));
  });
});
