/**
 * `npm run bench:up`: how long a person waits for the program, on the local stage with the full stack, beside a program
 * of four resources on the same engine and cluster; and where that time goes.
 * Times of one run on one machine; compare them with the alternative in the same table, not with another day's.
 * `--runs N` (5), `--json`.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import Table from "cli-table3";
import { program } from "commander";
import { Stack } from "../cli/pulumi/stack";
import { startStage } from "../local/stage";
import { costOf, type Cost, type Role } from "./cpuByRole";
import { patchSelector } from "./patchSelector";
import { runnerFor } from "./runner";
import { makeStack, twoVersions, type TestStack } from "../tests/support/testStack";
import { startUsers, type Users } from "../tests/support/users";

interface Measured {
  what: string;
  seconds: number[];
  /** Undefined for what is not one run of Pulumi's. */
  costs: Cost[] | undefined;
  /** What the project promises, in seconds; undefined for the alternatives that it is compared with. */
  goal: number | undefined;
}

async function repeat<Result>(runs: number, measure: (run: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let run = 0; run < runs; run++) results.push(await measure(run));
  return results;
}

/** What any program costs here. */
async function makeSmall({ stage, env, name, cluster }: TestStack): Promise<{ stack: Stack; remove: () => Promise<void> }> {
  const namespace = `${cluster.namespace}-small`;
  const workDir = join(__dirname, "small");
  const stack = await Stack.create({ name, workDir, env: { ...env, KUBECONFIG: stage.kubeconfig } });
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
  let answered = 0;
  const started = performance.now();
  const watching = users.answeredBy(color, 120_000).then(() => {
    answered = (performance.now() - started) / 1000;
  });
  await command();
  await watching;
  return answered;
}

async function measure(test: TestStack, runs: number): Promise<Measured[]> {
  const { stack, cluster } = test;
  await test.set({ activeColor: "blue", blueTag: "v1", greenTag: "v2", smokeSuite: "bench/gate/*.ts" });
  await stack.up();

  const small = await makeSmall(test);
  // In turn: whatever else the machine does meanwhile, it does to both.
  const costs = await repeat(runs, async () => ({
    smallPreview: await costOf(() => small.stack.preview()),
    preview: await costOf(() => stack.preview()),
    smallUp: await costOf(() => small.stack.up()),
    up: await costOf(() => stack.up()),
  }));
  await small.remove();
  const row = (what: string, key: keyof (typeof costs)[number], goal?: number): Measured => {
    const of = costs.map((each) => each[key]);
    return { what, seconds: of.map(({ seconds }) => seconds), costs: of, goal };
  };

  const users = await startUsers(cluster);
  const colorOf = (run: number) => (run % 2 === 0 ? "green" : "blue");
  const switched = await repeat(runs, async (run) => {
    const color = colorOf(run);
    await test.set({ activeColor: color });
    return firstAnswer(users, color, () => stack.up());
  });
  const patched = await repeat(runs, (run) => {
    // The program left traffic on the last run's color: patch it away from there, and so on in turn.
    const color = colorOf(runs + run);
    return firstAnswer(users, color, () => patchSelector(cluster, color));
  });
  const { failures, requests } = await users.stop();
  if (failures.length > 0) throw new Error(`${failures.length} of ${requests} requests failed: ${failures.slice(0, 3).join(", ")}`);

  return [
    row("preview", "preview", 5),
    row("preview of four resources", "smallPreview"),
    row("up without changes", "up", 5),
    row("up of four resources", "smallUp"),
    { what: "switch by up, to the first answer", seconds: switched, costs: undefined, goal: 6 },
    { what: "switch by a bare patch (no gate)", seconds: patched, costs: undefined, goal: undefined },
  ];
}

function median(seconds: number[]): number {
  return [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN;
}

function show(pulumi: string, measured: Measured[]): void {
  const table = new Table({
    head: [`Pulumi ${pulumi}`, "median s", "min", "max", "goal s", ""],
    colAligns: ["left", "right", "right", "right", "right", "left"],
    style: { head: [], border: [] },
  });
  for (const { what, seconds, goal } of measured) {
    const verdict = goal === undefined ? "" : median(seconds) <= goal ? "met" : "MISSED";
    table.push([what, ...[median(seconds), Math.min(...seconds), Math.max(...seconds)].map((figure) => figure.toFixed(2)), goal ?? "–", verdict]);
  }
  console.log(table.toString());
  console.log(costTable(measured));
}

const roles: Role[] = ["engine", "program", "steps", "Kubernetes provider", "others"];

/** Medians, of each column by itself. */
function costTable(measured: Measured[]): string {
  const table = new Table({ head: ["processor s", ...roles, "all", "waiting s", "MiB"], colAligns: ["left", ...Array<"right">(roles.length + 3).fill("right")], style: { head: [], border: [] } });
  for (const { what, costs } of measured) {
    if (costs === undefined) continue;
    const all = costs.map(({ cpu }) => Object.values(cpu).reduce((sum, seconds) => sum + seconds, 0));
    table.push([what, ...[...roles.map((role) => costs.map(({ cpu }) => cpu[role])), all, costs.map(({ waiting }) => waiting)].map((each) => median(each).toFixed(2)), median(costs.map(({ memory }) => memory)).toFixed(0)]);
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
  if (!Number.isInteger(runs) || runs < 1 || runs > 100) throw new Error(`--runs ${options.runs} was refused: a whole number from 1 to 100`);
  await startStage({}, runnerFor(options));
  const test = await makeStack(twoVersions);
  try {
    const measured = await measure(test, runs);
    if (options.json === true) console.log(JSON.stringify({ pulumi: test.stack.pulumiVersion, measured }));
    else show(test.stack.pulumiVersion, measured);
    process.exitCode = measured.every(({ seconds, goal }) => goal === undefined || median(seconds) <= goal) ? 0 : 1;
  } finally {
    await test.remove();
  }
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
