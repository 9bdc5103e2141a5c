/**
 * `npm run bench:up`: how long a person waits for the program, on the local stage with the full stack, beside
 * a program of four resources on the same engine and cluster, which Node.js runs as it is written or which is
 * compiled in each update, as in a project that `pulumi new` makes; and where that time goes.
 * Times of one run on one machine; compare them with the alternative in the same table, not with another
 * day's. What has a goal has one in seconds, and an update also in processor seconds and in the time of the
 * small program. `--runs N` (5), `--json`.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import Table from "cli-table3";
import { program } from "commander";
import { Stack } from "../cli/pulumi/stack";
import { repositoryDir } from "../local/paths";
import { startStage } from "../local/stage";
import { run } from "../local/system/run";
import { costOf, type Cost, type Role } from "./cpuByRole";
import { patchSelector } from "./patchSelector";
import { runnerFor } from "./runner";
import { makeStack, twoVersions, type TestStack } from "../local/testing/testStack";
import { startUsers, type Users } from "../local/testing/users";

interface Measured {
  what: string;
  seconds: number[];
  /** Undefined for what is not one run of Pulumi's. */
  costs: Cost[] | undefined;
  /** What the project promises; undefined for the alternatives that it is compared with. */
  goal: Goal | undefined;
}

interface Goal {
  seconds: number;
  /** Of an update: processor seconds, and what it is compared with. */
  update?: { cpuSeconds: number; small: Measured; times: number };
}

/** A figure, and the most that it may be. */
interface Figure {
  what: string;
  value: number;
  most: number;
}

function figuresOf({ what, seconds, costs, goal }: Measured): Figure[] {
  if (goal === undefined) return [];
  const { update } = goal;
  return [
    { what: `${what}, s`, value: median(seconds), most: goal.seconds },
    ...(update === undefined || costs === undefined
      ? []
      : [
          { what: `${what}, processor s`, value: median(costs.map(allOf)), most: update.cpuSeconds },
          {
            what: `${what}, times ${update.small.what}`,
            value: median(seconds) / median(update.small.seconds),
            most: update.times,
          },
        ]),
  ];
}

function allOf({ cpu }: Cost): number {
  return Object.values(cpu).reduce((sum, each) => sum + each, 0);
}

/** What a wrapper takes beside Pulumi's own command. */
async function wrapped(runs: number, script: string, args: string[]): Promise<number[]> {
  const timed = async (command: string, of: string[]) => {
    const started = performance.now();
    await run(command, of, { cwd: repositoryDir });
    return (performance.now() - started) / 1000;
  };
  return repeat(runs, async () => {
    const bare = await timed("pulumi", ["version"]);
    return (await timed("npm", ["run", "--silent", script, "--", ...args])) - bare;
  });
}

async function repeat<Result>(runs: number, measure: (index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let index = 0; index < runs; index++) results.push(await measure(index));
  return results;
}

/** What any program costs here: as little as it can (small), or as `pulumi new` sets one up (plain). */
async function makeFour(
  kind: "small" | "plain",
  { stage, env, name, cluster }: TestStack,
): Promise<{ stack: Stack; remove: () => Promise<void> }> {
  const namespace = `${cluster.namespace}-${kind}`;
  const workDir = join(__dirname, kind);
  // Checked by the compiler, as everybody's is who sets no option.
  const compiler = { PULUMI_NODEJS_TRANSPILE_ONLY: "false" };
  const stack = await Stack.create({
    name,
    workDir,
    env: { ...env, ...compiler, KUBECONFIG: stage.kubeconfig },
  });
  await stack.setConfig({ namespace: { value: namespace } });
  await stack.up();
  return {
    stack,
    remove: async () => {
      await stack.destroy();
      await rm(join(workDir, `Pulumi.${name}.yaml`), { force: true });
    },
  };
}

/** From the command to the first answer of the color that takes over. */
async function firstAnswer(users: Users, color: string, command: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  const answered = users.answeredBy(color, 120_000).then(() => (performance.now() - started) / 1000);
  const [seconds] = await Promise.all([answered, command()]);
  return seconds;
}

async function measure(test: TestStack, runs: number): Promise<Measured[]> {
  const { stack, cluster } = test;
  await test.set({ activeColor: "blue", blueTag: "v1", greenTag: "v2", smokeTests: "bench/gate/*.ts" });
  await stack.up();

  const small = await makeFour("small", test);
  const plain = await makeFour("plain", test);
  // In turn: whatever else the machine does meanwhile, it does to both.
  const costs = await repeat(runs, async () => ({
    smallPreview: await costOf(() => small.stack.preview()),
    plainPreview: await costOf(() => plain.stack.preview()),
    preview: await costOf(() => stack.preview()),
    smallUp: await costOf(() => small.stack.up()),
    plainUp: await costOf(() => plain.stack.up()),
    up: await costOf(() => stack.up()),
  }));
  await small.remove();
  await plain.remove();
  const row = (what: string, key: keyof (typeof costs)[number], goal?: Goal): Measured => {
    const of = costs.map((each) => each[key]);
    return { what, seconds: of.map(({ seconds }) => seconds), costs: of, goal };
  };
  const update = (small: Measured): Goal => ({ seconds: 5, update: { cpuSeconds: 6, small, times: 1.5 } });

  const users = await startUsers(cluster);
  const colorOf = (index: number) => (index % 2 === 0 ? "green" : "blue");
  const switched = await repeat(runs, async (index) => {
    const color = colorOf(index);
    await test.set({ activeColor: color });
    return firstAnswer(users, color, () => stack.up());
  });
  const patched = await repeat(runs, (index) => {
    // The program left traffic on the last run's color: patch it away from there, and so on in turn.
    const color = colorOf(runs + index);
    return firstAnswer(users, color, () => patchSelector(cluster, color));
  });
  const { failures, requests } = await users.stop();
  if (failures.length > 0)
    throw new Error(`${failures.length} of ${requests} requests failed: ${failures.slice(0, 3).join(", ")}`);

  const smallPreview = row("preview of four resources", "smallPreview");
  const smallUp = row("up of four resources", "smallUp");
  const once = (what: string, seconds: number[], most?: number): Measured => ({
    what,
    seconds,
    costs: undefined,
    goal: most === undefined ? undefined : { seconds: most },
  });
  return [
    row("preview", "preview", update(smallPreview)),
    smallPreview,
    row("preview of four, compiled", "plainPreview"),
    row("up without changes", "up", update(smallUp)),
    smallUp,
    row("up of four, compiled", "plainUp"),
    once("switch by up, to the first answer", switched, 6),
    once("switch by a bare patch (no gate)", patched),
    once("npm run pulumi, beside pulumi", await wrapped(runs, "pulumi", ["version"]), 0.5),
    once("npm run bluegreen, beside pulumi", await wrapped(runs, "bluegreen", ["--help"]), 0.5),
  ];
}

function median(seconds: number[]): number {
  return [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN;
}

function show(pulumi: string, measured: Measured[]): void {
  const table = new Table({
    head: [`Pulumi ${pulumi}`, "median s", "min", "max"],
    colAligns: ["left", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { what, seconds } of measured)
    table.push([
      what,
      ...[median(seconds), Math.min(...seconds), Math.max(...seconds)].map((figure) => figure.toFixed(2)),
    ]);
  console.log(table.toString());
  console.log(costTable(measured));
  console.log(goalTable(measured.flatMap(figuresOf)));
}

function isMet({ value, most }: Figure): boolean {
  return value <= most;
}

function goalTable(figures: Figure[]): string {
  const table = new Table({
    head: ["goal", "at most", "is", ""],
    colAligns: ["left", "right", "right", "left"],
    style: { head: [], border: [] },
  });
  for (const each of figures)
    table.push([each.what, each.most, each.value.toFixed(2), isMet(each) ? "met" : "MISSED"]);
  return table.toString();
}

const roles: Role[] = ["engine", "program", "steps", "Kubernetes provider", "others"];

/** Medians, of each column by itself. */
function costTable(measured: Measured[]): string {
  const table = new Table({
    head: ["processor s", ...roles, "all", "waiting s", "MiB"],
    colAligns: ["left", ...Array<"right">(roles.length + 3).fill("right")],
    style: { head: [], border: [] },
  });
  for (const { what, costs } of measured) {
    if (costs === undefined) continue;
    table.push([
      what,
      ...[
        ...roles.map((role) => costs.map(({ cpu }) => cpu[role])),
        costs.map(allOf),
        costs.map(({ waiting }) => waiting),
      ].map((each) => median(each).toFixed(2)),
      median(costs.map(({ memory }) => memory)).toFixed(0),
    ]);
  }
  return table.toString();
}

async function main(): Promise<void> {
  const options = program
    .description("How long a person waits for the program")
    .option("--runs <count>", "times that each thing is measured", "5")
    .option("--json", "figures for machines")
    .parse()
    .opts<{ runs: string; json?: true }>();
  const runs = Number(options.runs);
  if (!Number.isInteger(runs) || runs < 1 || runs > 100)
    throw new Error(`--runs ${options.runs} was refused: a whole number from 1 to 100`);
  await startStage({}, runnerFor(options));
  const test = await makeStack(twoVersions);
  try {
    const measured = await measure(test, runs);
    if (options.json === true) console.log(JSON.stringify({ pulumi: test.stack.pulumiVersion, measured }));
    else show(test.stack.pulumiVersion, measured);
    process.exitCode = measured.flatMap(figuresOf).every(isMet) ? 0 : 1;
  } finally {
    await test.remove();
  }
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
