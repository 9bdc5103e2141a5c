import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { stickyMark } from "../../cli/planText";
import { repositoryDir } from "../../local/paths";
import { startReceiver } from "../support/receiver";
import { runCommands } from "../support/runJob";
import { readGitlabJobs, readWorkflow, type Workflow } from "../support/workflows";

const workflows = globSync(".github/workflows/*.yml").map((file) => ({
  file,
  workflow: readWorkflow(file.slice(file.lastIndexOf("/") + 1)),
}));

/** Every line that uses an action, of workflows and of the actions that they share. */
const uses = globSync(".github/**/*.yml").flatMap((file) =>
  [...readFileSync(file, "utf8").matchAll(/^ *(?:- )?uses: (.+)$/gm)].map(([, used = ""]) => ({
    file,
    used,
  })),
);

/** Every image that a build or a job takes, wherever it is named. */
const images = [
  ...globSync("{app,controller}/Dockerfile"),
  ".gitlab-ci.yml",
  ...globSync(".github/**/*.yml"),
].flatMap((file) =>
  [
    ...readFileSync(file, "utf8").matchAll(
      /^FROM (\S+)|\b(?:image|generator)[:=] ?"?([\w.-]+[/:][^\s"$]+)|^ +(?:COSIGN|BUILDKIT|SBOM_SCANNER): (\S+)|^ +services: \["(.+)"\]/gm,
    ),
  ].map(([, ...found]) => ({ file, image: found.find(Boolean) ?? "" })),
);

/** A command of pipeline/ in a folder of its own with these files. */
function runHere(command: string, files: Record<string, string>, env: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "bg-command-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const { status, stdout, stderr } = spawnSync(join(repositoryDir, "pipeline", command), {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    return { code: status, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the jobs of this name run that is ours: the same by GitHub and by GitLab. */
function ours(commands: string[]): string[] {
  return commands.filter((command) =>
    /^(npm run --silent bluegreen -- (?!lint|plan)|pipeline\/)/.test(command),
  );
}

function runsOf({ jobs }: Workflow, job: string): string[] {
  return jobs[job]?.steps.flatMap(({ run }) => run ?? []) ?? [];
}

describe("The pipeline", () => {
  it("pins every action to a commit, and says which version that is", () => {
    expect(uses).not.to.be.empty;
    for (const { file, used } of uses.filter((each) => !each.used.startsWith("./")))
      expect(used, file).to.match(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const versions = new Map(uses.map(({ used }) => [used.split("@")[0], used]));
    for (const { file, used } of uses) expect(versions.get(used.split("@")[0]), file).to.equal(used);
  });

  it("gives no rights but those that a job names, lets no job run for ever, and lets no two of a kind overlap", () => {
    expect(workflows).to.have.length(6);
    for (const {
      file,
      workflow: { permissions, concurrency, jobs },
    } of workflows) {
      expect(permissions, file).to.deep.equal({});
      expect(concurrency?.group, file).to.be.a("string");
      for (const [name, job] of Object.entries(jobs)) {
        expect(job.permissions, `${file}: ${name}`).to.include.all.keys("contents");
        expect(job["timeout-minutes"], `${file}: ${name}`).to.be.within(1, 120);
      }
    }
  });

  it("keeps no right to write where nothing is pushed, and no way to the cluster without an environment", () => {
    for (const {
      file,
      workflow: { jobs },
    } of workflows) {
      for (const [name, { steps, permissions, environment }] of Object.entries(jobs)) {
        const checkout = steps.find((step) => step.uses?.startsWith("actions/checkout@") === true);
        const gives = steps.some(({ run }) => run?.startsWith("pipeline/give-config") === true);
        const reaches = steps.some((step) => step.uses === "./.github/actions/prepare");
        expect(
          [permissions?.["contents"], checkout?.with?.["persist-credentials"]],
          `${file}: ${name}`,
        ).to.deep.equal(gives ? ["write", undefined] : ["read", false]);
        expect(environment !== undefined, `${file}: ${name}`).to.equal(reaches);
      }
    }
  });

  it("puts nothing that somebody else has written into a shell's text", () => {
    for (const {
      file,
      workflow: { jobs },
    } of workflows)
      for (const name of Object.keys(jobs))
        for (const run of runsOf({ jobs } as Workflow, name)) expect(run, file).not.to.contain("${{");
  });

  it("waits for whoever is at work, and never stops a release in the middle", () => {
    const groups = Object.fromEntries(
      workflows.map(({ file, workflow: { concurrency } }) => [
        file.slice(file.lastIndexOf("/") + 1),
        concurrency,
      ]),
    );
    for (const name of ["release.yml", "rollback.yml", "retire.yml"])
      expect(groups[name]?.["cancel-in-progress"], name).to.equal(false);
    // A rollback must not wait behind a release that waits for its approval, and a retirement must not push
    // one out.
    expect(new Set(Object.values(groups).map((each) => each?.group)).size).to.equal(6);
    expect(readWorkflow("release.yml").jobs["switch"]?.environment).to.equal("production");
  });

  it("takes every image by its digest, but for one whose digest docs/guides/ci-pipeline.md tells how to find", () => {
    expect(new Set(images.map(({ file }) => file))).to.include.all.keys(
      "app/Dockerfile",
      "controller/Dockerfile",
      ".gitlab-ci.yml",
      ".github/workflows/release.yml",
    );
    const byTag = images
      .filter(({ image }) => !/^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/.test(image))
      .map(({ image }) => image);
    expect(byTag).to.deep.equal([
      /image: (pulumi\/pulumi-nodejs-24:\S+)/.exec(readFileSync(".gitlab-ci.yml", "utf8"))?.[1],
    ]);
    expect(readFileSync("docs/guides/ci-pipeline.md", "utf8")).to.contain(
      "docker buildx imagetools inspect pulumi/pulumi-nodejs-24:",
    );
    const digests = new Map(images.map(({ image }) => image.split("@") as [string, string]));
    for (const { image, file } of images)
      expect(image.split("@")[1], file).to.equal(digests.get(image.split("@")[0] ?? ""));
    for (const script of Object.values(readGitlabJobs()).flatMap((job) => job.script))
      expect(script).not.to.match(/\b(apk|apt-get|pip|npx|curl|wget)\b/);
  });

  it("lets no package run anything of its own while it is installed", () => {
    const installs = [
      ".gitlab-ci.yml",
      ...globSync(".github/**/*.yml"),
      ...globSync("{app,controller}/Dockerfile"),
    ].flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/\bnpm (?:ci|install|i)\b.*/g)].map(([command]) => command),
    );
    expect(installs).to.have.length.greaterThan(3);
    for (const command of installs) expect(command).to.contain("--ignore-scripts");
  });

  it("asks Pulumi Cloud for the rights of a team or of a user, of each environment its own, and never for those of an organization", () => {
    for (const file of [...globSync(".github/**/*.yml"), ".gitlab-ci.yml"])
      expect(readFileSync(file, "utf8"), file).not.to.contain("access_token:organization");
    const prepares = workflows.flatMap(({ workflow: { jobs } }) =>
      Object.values(jobs).flatMap(({ steps }) =>
        steps.filter(({ uses }) => uses === "./.github/actions/prepare"),
      ),
    );
    expect(prepares).to.have.length(5);
    for (const { with: given } of prepares) expect(given).to.include({ scope: "${{ vars.PULUMI_SCOPE }}" });
    expect(readFileSync(".gitlab-ci.yml", "utf8")).to.match(
      /pulumi login .*"--oidc-\$\{PULUMI_SCOPE%%:\*\}" "\$\{PULUMI_SCOPE#\*:\}"/,
    );
  });

  it("gives a fork's pull request no job with credentials", () => {
    for (const [name, job] of Object.entries(readWorkflow("preview.yml").jobs)) {
      if (job.environment === undefined) expect(job.permissions, name).to.deep.equal({ contents: "read" });
      else
        expect(job.if, name).to.equal("github.event.pull_request.head.repo.full_name == github.repository");
    }
    expect(readGitlabJobs()["plan"]?.rules).to.deep.equal([
      {
        if: '$CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID',
      },
    ]);
    expect(
      workflows.filter(
        ({ workflow }) => "pull_request_target" in workflow.on || "workflow_run" in workflow.on,
      ),
    ).to.deep.equal([]);
  });

  it("begins no pipeline of GitLab with credentials on what is not protected", () => {
    const { workflow } = parse(readFileSync(".gitlab-ci.yml", "utf8")) as {
      workflow: { rules: { if: string }[] };
    };
    const [forReview, ...others] = workflow.rules;
    expect(forReview).to.deep.equal({ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' });
    expect(others).to.have.length(3);
    for (const rule of others) expect(rule.if).to.match(/^\$CI_COMMIT_REF_PROTECTED == "true" && [^|]*$/);
  });

  it("finds its comment by the mark that the plan begins with, and writes it again whatever came of the plan", () => {
    const { steps = [] } = readWorkflow("preview.yml").jobs["plan"] ?? {};
    expect(
      steps.find((step) => step.uses?.startsWith("peter-evans/find-comment@") === true)?.with,
    ).to.include({ "body-includes": stickyMark, "comment-author": "github-actions[bot]" });
    const comments = steps.filter(({ name = "" }) => /comment/i.test(name));
    expect(comments).to.have.length(3);
    for (const step of comments) expect(step.if, step.name).to.equal("${{ always() }}");
  });

  describe("writes a comment", () => {
    const comment = (plan: string | undefined, CODE: string) => {
      const { code, stdout, stderr } = runHere(
        "plan-comment",
        plan === undefined ? {} : { "plan.md": plan },
        { CODE, COMMIT: "c0ffee", RUN: "https://github.com/a/b/actions/runs/7" },
      );
      expect([code, stderr]).to.deep.equal([0, ""]);
      expect(
        stdout.startsWith(
          `${stickyMark}\nCommit c0ffee, by [this run](https://github.com/a/b/actions/runs/7).`,
        ),
        stdout.slice(0, 200),
      ).to.equal(true);
      return stdout;
    };

    it("with the plan, which may be refused", () => {
      expect(comment("the plan\n", "0")).to.contain("\n\nthe plan").and.not.contain("refused");
      expect(comment("the plan\n", "1")).to.contain("**It is refused.**\n\nthe plan");
    });

    it("that there is none, instead of one of another commit, where it could not be made", () => {
      for (const code of ["2", "", "127"])
        expect(comment("half of a pl", code))
          .to.contain("There is no plan of this commit")
          .and.not.contain("half");
      expect(comment(undefined, "")).to.contain("There is no plan of this commit");
    });

    it("of as much as a comment can hold, in characters, and says where the whole is", () => {
      const long = comment("ä🎉".repeat(50_000), "1");
      expect(Array.from(long)).to.have.length(65_536);
      expect(long)
        .to.contain("The summary of the run has the whole.")
        .and.contain("**It is refused.**")
        .and.match(/[ä🎉]$/u);
      expect(comment("x".repeat(65_000), "0"))
        .to.match(/x{65000}$/)
        .and.not.contain("the whole");
    });
  });

  it("logs in to the registry that config names in one word, and to nothing else", () => {
    const repository = (config: string) =>
      runHere("image-repository", { "Pulumi.production.yaml": config }, { STACK: "production" });
    expect(
      repository("config:\n  shop:blueTag: v1\n  shop:imageRepository: ghcr.io/a/b_c.d\n"),
    ).to.deep.equal({ code: 0, stdout: "ghcr.io/a/b_c.d\n", stderr: "" });
    expect(repository("config:\n  shop:imageRepository: registry.example.com:5000/shop\n").stdout).to.equal(
      "registry.example.com:5000/shop\n",
    );
    for (const value of [
      "",
      "shop",
      "-v/a",
      "ghcr.io/a b",
      "ghcr.io/$(id)",
      '"ghcr.io/a/b"',
      "ghcr.io/a/b\n  x:imageRepository: evil.example.com/c",
      "ghcr.io/a\r",
    ]) {
      const { code, stdout, stderr } = repository(`config:\n  shop:imageRepository: ${value}\n`);
      expect([code, stdout], JSON.stringify(value)).to.deep.equal([1, ""]);
      expect(stderr).to.match(
        /^The imageRepository of Pulumi\.production\.yaml was refused\n {2}why: {2}.+\n {2}next: /,
      );
    }
  });

  it("sends an alert's text as it is, whatever it begins with", async () => {
    const receiver = await startReceiver();
    const { code, said } = await runCommands('pipeline/alert "--version"', {
      folder: repositoryDir,
      env: { ALERT_URL: receiver.url },
    });
    await receiver.close();
    expect(code, said).to.equal(0);
    expect(receiver.received.map(({ body }) => body)).to.deep.equal(['{"text":"--version"}']);
  });

  it("installs the Pulumi CLI of the version that the program is written for", () => {
    const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
      dependencies: Record<string, string>;
    };
    const wanted = dependencies["@pulumi/pulumi"] ?? "";
    const { runs } = parse(readFileSync(".github/actions/prepare/action.yml", "utf8")) as {
      runs: { steps: { with?: Record<string, string> }[] };
    };
    expect(
      runs.steps.flatMap((step) => step.with?.["pulumi-version"] ?? step.with?.["version"] ?? []),
    ).to.deep.equal([wanted, wanted]);
    expect(readFileSync(".gitlab-ci.yml", "utf8")).to.contain(`image: pulumi/pulumi-nodejs-24:${wanted}\n`);
  });

  it("does the same by GitLab, also after a job that failed", () => {
    const gitlab = readGitlabJobs();
    for (const [file, name] of [
      ["release.yml", "deploy"],
      ["release.yml", "switch"],
      ["rollback.yml", "rollback"],
      ["retire.yml", "retire"],
    ] as const) {
      const job = gitlab[name];
      const wanted = ours(runsOf(readWorkflow(file), name)).filter(
        (command) => command !== "pipeline/take-program",
      );
      expect(wanted, name).to.have.length.greaterThan(2);
      expect(ours(job?.script ?? []), name).to.deep.equal(wanted);
      expect(ours(job?.after_script ?? []), name).to.deep.equal(wanted.slice(-1));
      expect(job?.resource_group, name).to.be.a("string");
    }
    for (const [name, job] of Object.entries(gitlab))
      expect([name, job.timeout, job.rules].includes(undefined), name).to.equal(false);
    expect(gitlab["plan"]?.script.join("\n"))
      .to.contain("bluegreen -- plan --markdown")
      .and.contain("--policy-pack policy");
    expect(gitlab["migrations"]?.script).to.include("npm run --silent bluegreen -- lint");
  });
});
