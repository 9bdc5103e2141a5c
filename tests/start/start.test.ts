import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { connect, orUndefined, readLiveColor } from "@bluegreen/release";
import type { Figures } from "../../local/load/report";
import { repositoryDir } from "../../local/paths";
import { readStage, type Stage } from "../../local/stage";
import { localHome, stackFile } from "../../local/start/home";
import { runLocal } from "./support";

const runTimeoutMs = 400_000;

/** What every run has to show, wherever it went. */
function expectRelease(code: number | null, output: string, errors: string): void {
  expect(code, errors).to.equal(0);
  const { failures, failureTexts, requests, total, phases } = JSON.parse(output) as Figures;
  expect(failures, JSON.stringify(failureTexts)).to.equal(0);
  expect(requests).to.be.greaterThan(500);
  for (const { client, answers } of total) {
    expect(answers.blue, `${client} by blue`).to.be.greaterThan(0);
    expect(answers.green, `${client} by green`).to.be.greaterThan(0);
  }
  expect(phases.map(({ title }) => title)).to.deep.equal(["v1 alone", "v2 on green, not live", "switch to green", "rollback to blue"]);
  const [, released, switched, rolledBack] = phases;
  // The live color is untouched while the new version comes.
  for (const { answers } of released?.clients ?? []) expect(answers.green).to.equal(0);
  for (const client of [0, 1, 2]) {
    expect(switched?.clients[client]?.spans.green?.firstMs, "first answer of green after the switch").to.be.greaterThan(0);
    expect(rolledBack?.clients[client]?.spans.blue?.firstMs, "first answer of blue after the rollback").to.be.greaterThan(0);
    // Both colors had all clients in the end.
    expect(switched?.clients[client]?.spans.blue?.lastMs).to.be.lessThan(switched?.clients[client]?.spans.green?.lastMs ?? 0);
    expect(rolledBack?.clients[client]?.spans.green?.lastMs).to.be.lessThan(rolledBack?.clients[client]?.spans.blue?.lastMs ?? 0);
  }
}

describe("npm start", () => {
  let stage: Stage;

  before(async () => {
    const found = await readStage();
    if (found === undefined) throw new Error("the local stage is not running: npm test, which starts it");
    stage = found;
    process.env["KUBECONFIG"] = stage.kubeconfig;
  });

  after(async () => {
    // The stage of the tests goes, the one of the machine's user does not.
    if (process.env["BLUEGREEN_STAGE_DIR"] !== undefined) await rm(stackFile(localHome()), { force: true });
  });

  it("releases, switches and rolls back without a failed request, and says what to type next", async () => {
    const { code, output, errors } = await runLocal("start.ts", ["--json"]);
    expectRelease(code, output, errors);
    expect(errors).to.include("none failed").and.include("npm run pulumi -- config set activeColor green");
    const report = await readFile(new URL(/^Report: (file:.*)$/m.exec(errors)?.[1] ?? ""), "utf8");
    expect(report).to.include("Taken back: users went from green (v2) to blue (v1)").and.include("What clients saw").and.include("switch to green");
  }).timeout(runTimeoutMs);

  it("keeps no secret readable in the stack file, and shows the state of it all", async () => {
    const file = await readFile(stackFile(localHome()), "utf8");
    expect(file).to.include("secure:").and.not.include(stage.postgres.adminUrl);
    const { code, output } = await runLocal("status.ts", ["--json"]);
    expect(code, output).to.equal(0);
    expect(JSON.parse(output)).to.have.nested.property("release.colors").that.deep.includes.members([
      { color: "blue", role: "live", image: "bluegreen.local/chatgpt-app:v1", ready: 2, wanted: 2, users: 100 },
      { color: "green", role: "standby", image: "bluegreen.local/chatgpt-app:v2", ready: 2, wanted: 2, users: 0 },
    ]);
  }).timeout(60_000);

  it("lets the pulumi command of its last words switch, and begins again with green live, without a failed request", async () => {
    const set = await runLocal("pulumi.ts", ["config", "set", "activeColor", "green"]);
    expect(set.code, set.errors).to.equal(0);
    const up = await runLocal("pulumi.ts", ["up", "--yes"]);
    expect(up.code, up.errors + up.output).to.equal(0);
    expect(await readLiveColor(connect({ context: stage.context, namespace: "chatgpt-local", isolation: "shared" }), "chatgpt-app")).to.equal("green");
    const { code, output, errors } = await runLocal("start.ts", ["--json", "--rate", "100"]);
    expectRelease(code, output, errors);
  }).timeout(runTimeoutMs);
});

describe("npm start -- --context", () => {
  const namespace = "chatgpt-context-test";
  let stage: Stage;
  let dir: string;
  let args: string[];
  let env: Record<string, string>;

  before(async () => {
    const found = await readStage();
    if (found === undefined) throw new Error("the local stage is not running: npm test, which starts it");
    stage = found;
    process.env["KUBECONFIG"] = stage.kubeconfig;
    // The command gets a stage folder in which nothing runs: it has to do with what it is given.
    dir = await mkdtemp(join(tmpdir(), "bg-ctx-"));
    env = { KUBECONFIG: stage.kubeconfig, BLUEGREEN_STAGE_DIR: join(dir, "stage"), DATABASE_ADMIN_URL: stage.postgres.adminUrl };
    args = ["--context", stage.context, "--namespace", namespace, "--image-repository", stage.imageRepository, "--old-tag", "v1", "--new-tag", "v2", "--database-address", stage.postgres.address, "--redis-url", stage.redis.url];
  });

  after(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it("touches nothing when there is nobody to ask", async () => {
    const { code, errors } = await runLocal("start.ts", args, env);
    expect(code).to.equal(1);
    expect(errors).to.include("no terminal").and.include(`make the namespace ${namespace}`).and.include("--yes");
    expect(await orUndefined(connect({ context: stage.context, namespace, isolation: "shared" }).core.readNamespace({ name: namespace }))).to.equal(undefined);
  }).timeout(60_000);

  it("refuses a namespace that it has not made", async () => {
    const { code, errors } = await runLocal("start.ts", [...args, "--namespace", "default", "--yes"], env);
    expect(code).to.equal(1);
    expect(errors).to.include("Namespace default was refused");
  }).timeout(60_000);

  it("does the same in a cluster that it has not made, and can be taken away again", async () => {
    const { code, output, errors } = await runLocal("start.ts", [...args, "--yes", "--json", "--rate", "100"], env);
    expectRelease(code, output, errors);
    expect(errors).to.include("export PULUMI_STACK=");
    const exported = Object.fromEntries([...errors.matchAll(/^ {2}export (\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]));
    const destroyed = await runLocal("pulumi.ts", ["destroy", "--yes"], exported);
    expect(destroyed.code, destroyed.errors + destroyed.output).to.equal(0);
    expect(await orUndefined(connect({ context: stage.context, namespace, isolation: "shared" }).core.readNamespace({ name: namespace }))).to.equal(undefined);
    await rm(join(repositoryDir, `Pulumi.${exported["PULUMI_STACK"] ?? "unknown"}.yaml`));
  }).timeout(runTimeoutMs);
});
