import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { messageOf, poll } from "@bluegreen/release";
import { stickyMark } from "../../cli/planText";
import { makeCheckout, type Checkout } from "../support/checkout";
import { endKilled } from "../support/killUpdate";
import { liveColor } from "../support/read";
import { startReceiver } from "../support/receiver";
import { runCommands, runJob, type JobRun } from "../support/runJob";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";
import { readGitlabJobs } from "../support/workflows";

/**
 * A release as its jobs do it: what their files say is run, and what it takes GitHub or a registry for is
 * left out, by name.
 */
describe("The jobs of the pipeline, on a real cluster", function () {
  let checkout: Checkout;
  let test: TestStack;
  let file: string;
  /** The commit that is released. */
  let tagged: string;
  const notRun = new Set<string>();

  before(async () => {
    checkout = makeCheckout();
    test = await makeStack(twoVersions, { workDir: checkout.folder });
    file = `Pulumi.${test.name}.yaml`;
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
    checkout.git("add", "--force", file);
    checkout.git("commit", "--quiet", "--message=The first release");
    checkout.git("push", "--quiet", "origin", "main");
    tagged = checkout.git("rev-parse", "HEAD").trim();
  });
  after(async () => {
    console.log(
      `      not run here: ${[...notRun]
        .map((each) => each.replace(/@.*/, ""))
        .sort()
        .join(", ")}`,
    );
    await test.remove();
    checkout.remove();
  });

  const runner = () => ({
    folder: checkout.folder,
    env: { ...test.env, STACK: test.name, GITHUB_ACTOR: "anna" },
  });
  /** Of a release, what its tag names; of the others, main. */
  const checkOut = (commit: string) => {
    checkout.git("fetch", "--quiet", "origin", "main");
    checkout.git("checkout", "--quiet", "--force", "--detach", commit);
  };
  const job = async (name: string, of: string, values: Record<string, string> = {}): Promise<JobRun> => {
    const run = await runJob(runner(), name, of, { values });
    for (const each of run.notRun) notRun.add(each);
    return run;
  };
  const release = (of: string, tag: string) => {
    checkOut(tagged);
    return job("release.yml", of, { "needs.build.outputs.tag": tag });
  };
  const onMain = (name: string, of: string, values: Record<string, string> = {}) => {
    checkOut("origin/main");
    return job(name, of, values);
  };
  const configAtOrigin = (key: string) =>
    new RegExp(`:${key}: (.*)$`, "m").exec(checkout.atOrigin(file))?.[1];
  const lastCommit = () => {
    checkout.git("fetch", "--quiet", "origin", "main");
    return checkout.git("log", "--max-count=1", "--format=%an: %B", "FETCH_HEAD").trim();
  };

  it("lint the migrations of a pull request, and check its preview by the policy pack", async () => {
    expect((await job("preview.yml", "migrations")).codes).to.deep.equal({ Lint: 0 });
    await test.set({ greenTag: "v2" });
    const [planned = "", checked = ""] = readGitlabJobs()["plan"]?.script ?? [];
    expect(planned).to.contain("plan --markdown");
    const { code, said } = await runCommands(checked, runner());
    expect(code, said).to.equal(0);
    expect(said, "the pack was asked").to.contain("image-digest");
  });

  it("write what a pull request would do into a comment, and fail where it is refused", async () => {
    const plan = async () => {
      const values = {
        "github.event.pull_request.head.sha": tagged,
        "github.server_url": "https://github.com",
        "github.repository": "a/b",
        "github.run_id": "7",
      };
      const { codes, said } = await job("preview.yml", "plan", values);
      const comment = readFileSync(join(checkout.folder, "comment.md"), "utf8");
      expect(
        comment.startsWith(
          `${stickyMark}\nCommit ${tagged}, by [this run](https://github.com/a/b/actions/runs/7).`,
        ),
        said,
      ).to.equal(true);
      for (const secret of Object.values(test.secrets)) expect(comment + said).not.to.contain(secret);
      return { codes, comment };
    };
    const good = await plan();
    expect(good.codes).to.deep.equal({ Plan: 0, "Text of the comment": 0, Verdict: 0 });
    expect(good.comment)
      .to.contain("| **rolls out** | green: none → v2 |")
      .and.contain("Nothing is refused.");
    await test.set({ blueTag: "v2" });
    const bad = await plan();
    expect(bad.codes).to.deep.equal({ Plan: 0, "Text of the comment": 0, Verdict: 1 });
    expect(bad.comment).to.contain("**Refused:**").and.contain("blue serves traffic with");
    checkout.git("checkout", "--", file);
  });

  it("bring a version to the idle color, and config back to main beside what others have changed there", async () => {
    checkout.pushChange(file, (text) => text.replace(/(:progressDeadlineSeconds: ).*/, '$1"80"'));
    const { codes, said } = await release("deploy", "v2");
    expect(codes, said).to.deep.equal({ Config: 0, Deploy: 0, "Smoke tests": 0, "Config, back to main": 0 });
    expect(said).to.match(/^green \(v2\) passed [1-9]\d* smoke tests\.$/m);
    expect([
      configAtOrigin("activeColor"),
      configAtOrigin("greenTag"),
      configAtOrigin("progressDeadlineSeconds"),
    ]).to.deep.equal(["blue", "v2", '"80"']);
    expect(lastCommit()).to.equal(`anna: Deploy v2 to ${test.name} [skip ci]\n\nProgram: ${tagged}`);
    expect(checkout.git("diff", "--name-only", "HEAD", "FETCH_HEAD"), "nothing else is committed").to.equal(
      `${file}\n`,
    );
  });

  it("switch to the version that was approved, and to no other", async () => {
    const { codes, said } = await release("switch", "v3");
    expect(codes, said).to.deep.equal({ Config: 0, "Switch, and analyze": 2, "Config, back to main": 0 });
    expect(said).to.contain("v3 was not found").and.contain("v1 on blue and v2 on green");
    expect(await liveColor(test.cluster)).to.equal("blue");
  });

  it("say in main where traffic is, also when the job was killed in the middle", async () => {
    const killedWhen = async (reached: () => Promise<unknown>) => {
      checkOut(tagged);
      const { codes, said } = await runJob(runner(), "release.yml", "switch", {
        values: { "needs.build.outputs.tag": "v2" },
        started: (step, { pid = 0 }) => {
          if (step === "Switch, and analyze")
            reached().then(
              () => process.kill(-pid, "SIGKILL"),
              (error: unknown) => {
                console.error(messageOf(error));
              },
            );
        },
      });
      expect(codes, said).to.deep.equal({
        Config: 0,
        "Switch, and analyze": null,
        "Config, back to main": 0,
      });
      await endKilled(test);
      await test.stack.cancel();
    };
    const users = await startUsers(test.cluster);
    const inFile = () => readFileSync(join(checkout.folder, file), "utf8");
    await killedWhen(() =>
      poll(() => Promise.resolve(inFile().includes(":activeColor: green") || undefined), {
        timeoutMs: 300_000,
        intervalMs: 20,
      }),
    );
    expect(
      [configAtOrigin("activeColor"), await liveColor(test.cluster)],
      "before traffic moved",
    ).to.deep.equal(["blue", "blue"]);
    await killedWhen(() => users.answeredBy("green", 120_000));
    expect(configAtOrigin("activeColor"), "after they have").to.equal("green");
    const again = await release("switch", "v2");
    expect(again.codes, again.said).to.deep.equal({
      Config: 0,
      "Switch, and analyze": 0,
      "Config, back to main": 0,
    });
    const before = lastCommit();
    const deployed = await release("deploy", "v2");
    expect(deployed.codes, deployed.said).to.deep.equal({
      Config: 0,
      Deploy: 0,
      "Smoke tests": 0,
      "Config, back to main": 0,
    });
    expect(deployed.said).to.contain("Version v2 is live already, on green: nothing is deployed.");
    expect(lastCommit(), "nothing to give back").to.equal(before);
    expect([await liveColor(test.cluster), (await users.stop()).failures]).to.deep.equal(["green", []]);
  });

  it("leave the standby as long as somebody may have to roll back, and say so", async () => {
    const { codes, said } = await onMain("retire.yml", "retire");
    expect(codes, said).to.deep.equal({
      "Program of the last update": 0,
      Config: 0,
      "Retire, if it is time": 0,
      "Config, back to main": 0,
    });
    expect(said).to.match(
      /^blue \(v1\) stays: it is what a rollback returns to until \d{4}-.*: standbyHours is 24\.$/m,
    );
  });

  it("roll back with the program of the last update, whatever was merged since", async () => {
    checkout.pushChange("index.ts", () => "throw new Error('not released');\n");
    const users = await startUsers(test.cluster);
    const { codes, said } = await onMain("rollback.yml", "rollback", {
      "inputs.why": 'checkout fails; "$(touch plan.sh)"',
    });
    expect(codes, said).to.deep.equal({
      "Program of the last update": 0,
      Config: 0,
      Rollback: 0,
      "Config, back to main": 0,
    });
    await users.answeredBy("blue");
    expect((await users.stop()).failures).to.deep.equal([]);
    expect([
      await liveColor(test.cluster),
      configAtOrigin("activeColor"),
      checkout.git("rev-parse", "HEAD").trim(),
    ]).to.deep.equal(["blue", "blue", tagged]);
    expect(checkout.git("status", "--porcelain")).not.to.contain("plan.sh");
  });

  it("leave a color alone that is not what traffic came from: it may be the next release", async () => {
    const { codes, said } = await onMain("retire.yml", "retire");
    expect(codes["Retire, if it is time"], said).to.equal(0);
    expect(said).to.contain("green (v2) is not what was live before the last switch: it stays.");
  });

  it("tell somebody that a job has failed, in words that stay words", async () => {
    const receiver = await startReceiver();
    const values = {
      "github.ref_name": 'v2"; rm -rf',
      "github.server_url": "https://github.com",
      "github.repository": "a/b",
      "github.run_id": "7",
      "env.STACK": test.name,
    };
    const silent = await job("release.yml", "alert", { ...values, "secrets.ALERT_URL": "" });
    expect([silent.codes, silent.said.trim()]).to.deep.equal([
      { Alert: 0 },
      "Nobody is told: ALERT_URL is not set.",
    ]);
    const told = await job("release.yml", "alert", {
      ...values,
      "secrets.ALERT_URL": `${receiver.url}/hook`,
    });
    expect(told.codes, told.said).to.deep.equal({ Alert: 0 });
    expect(
      (await job("retire.yml", "alert", { ...values, "secrets.ALERT_URL": `${receiver.url}/hook` })).codes,
    ).to.deep.equal({ Alert: 0 });
    await receiver.close();
    expect(receiver.received.map(({ body }) => (JSON.parse(body) as { text: string }).text)).to.deep.equal([
      'The release of v2"; rm -rf has failed, https://github.com/a/b/actions/runs/7',
      `The standby of ${test.name} could not be retired, https://github.com/a/b/actions/runs/7`,
    ]);
  });
});
