import { globSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { parse } from "yaml";
import { stickyMark } from "../../cli/planText";
import { readGitlabJobs, readWorkflow, type Workflow } from "../support/workflows";

const workflows = globSync(".github/workflows/*.yml").map((file) => ({ file, workflow: readWorkflow(file.slice(file.lastIndexOf("/") + 1)) }));

/** Every line that uses an action, of workflows and of the actions that they share. */
const uses = globSync(".github/**/*.yml").flatMap((file) => [...readFileSync(file, "utf8").matchAll(/^ *(?:- )?uses: (.+)$/gm)].map(([, used = ""]) => ({ file, used })));

/** What the jobs of this name run that is ours: the same by GitHub and by GitLab. */
function ours(commands: string[]): string[] {
  return commands.filter((command) => /^(npm run --silent bluegreen -- (?!lint|plan)|pipeline\/)/.test(command));
}

function runsOf({ jobs }: Workflow, job: string): string[] {
  return jobs[job]?.steps.flatMap(({ run }) => run ?? []) ?? [];
}

describe("The pipeline", () => {
  it("pins every action to a commit, and says which version that is", () => {
    expect(uses).not.to.be.empty;
    for (const { file, used } of uses.filter((each) => !each.used.startsWith("./"))) expect(used, file).to.match(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const versions = new Map(uses.map(({ used }) => [used.split("@")[0], used]));
    for (const { file, used } of uses) expect(versions.get(used.split("@")[0]), file).to.equal(used);
  });

  it("gives no rights but those that a job names, lets no job run for ever, and lets no two of a kind overlap", () => {
    expect(workflows).to.have.length(4);
    for (const { file, workflow: { permissions, concurrency, jobs } } of workflows) {
      expect(permissions, file).to.deep.equal({});
      expect(concurrency?.group, file).to.be.a("string");
      for (const [name, job] of Object.entries(jobs)) {
        expect(job.permissions, `${file}: ${name}`).to.include.all.keys("contents");
        expect(job["timeout-minutes"], `${file}: ${name}`).to.be.within(1, 120);
      }
    }
  });

  it("keeps no right to write where nothing is pushed, and no way to the cluster without an environment", () => {
    for (const { file, workflow: { jobs } } of workflows) {
      for (const [name, { steps, permissions, environment }] of Object.entries(jobs)) {
        const checkout = steps.find((step) => step.uses?.startsWith("actions/checkout@") === true);
        const gives = steps.some(({ run }) => run?.startsWith("pipeline/give-config") === true);
        const reaches = steps.some((step) => step.uses === "./.github/actions/prepare");
        expect([permissions?.["contents"], checkout?.with?.["persist-credentials"]], `${file}: ${name}`).to.deep.equal(gives ? ["write", undefined] : ["read", false]);
        expect(environment !== undefined, `${file}: ${name}`).to.equal(reaches);
      }
    }
  });

  it("puts nothing that somebody else has written into a shell's text", () => {
    for (const { file, workflow: { jobs } } of workflows) for (const name of Object.keys(jobs)) for (const run of runsOf({ jobs } as Workflow, name)) expect(run, file).not.to.contain("${{");
  });

  it("waits for whoever is at work, and never stops a release in the middle", () => {
    const groups = Object.fromEntries(workflows.map(({ file, workflow: { concurrency } }) => [file.slice(file.lastIndexOf("/") + 1), concurrency]));
    for (const name of ["release.yml", "rollback.yml", "retire.yml"]) expect(groups[name]?.["cancel-in-progress"], name).to.equal(false);
    // A rollback must not wait behind a release that waits for its approval, and a retirement must not push one out.
    expect(new Set(Object.values(groups).map((each) => each?.group)).size).to.equal(4);
    expect(readWorkflow("release.yml").jobs["switch"]?.environment).to.equal("production");
  });

  it("finds its comment by the mark that the plan begins with", () => {
    const { steps = [] } = readWorkflow("preview.yml").jobs["plan"] ?? {};
    expect(steps.find((step) => step.uses?.startsWith("peter-evans/find-comment@") === true)?.with).to.include({ "body-includes": stickyMark, "comment-author": "github-actions[bot]" });
  });

  it("installs the Pulumi CLI of the version that the program is written for", () => {
    const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: Record<string, string> };
    const wanted = dependencies["@pulumi/pulumi"] ?? "";
    const { runs } = parse(readFileSync(".github/actions/prepare/action.yml", "utf8")) as { runs: { steps: { with?: Record<string, string> }[] } };
    expect(runs.steps.flatMap((step) => step.with?.["pulumi-version"] ?? step.with?.["version"] ?? [])).to.deep.equal([wanted, wanted]);
    expect(readFileSync(".gitlab-ci.yml", "utf8")).to.contain(`image: pulumi/pulumi-nodejs-24:${wanted}\n`);
  });

  it("does the same by GitLab, also after a job that failed", () => {
    const gitlab = readGitlabJobs();
    for (const [file, name] of [["release.yml", "deploy"], ["release.yml", "switch"], ["rollback.yml", "rollback"], ["retire.yml", "retire"]] as const) {
      const job = gitlab[name];
      const wanted = ours(runsOf(readWorkflow(file), name)).filter((command) => command !== "pipeline/take-program");
      expect(wanted, name).to.have.length.greaterThan(2);
      expect(ours(job?.script ?? []), name).to.deep.equal(wanted);
      expect(ours(job?.after_script ?? []), name).to.deep.equal(wanted.slice(-1));
      expect(job?.resource_group, name).to.be.a("string");
    }
    for (const [name, job] of Object.entries(gitlab)) expect([name, job.timeout, job.rules].includes(undefined), name).to.equal(false);
    expect(gitlab["plan"]?.script.join("\n")).to.contain("bluegreen -- plan --markdown").and.contain("--policy-pack policy");
    expect(gitlab["migrations"]?.script).to.include("npm run --silent bluegreen -- lint");
  });
});
