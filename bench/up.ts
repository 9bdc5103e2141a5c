/**
 * `npm run bench:up`: how long a person waits for the program, on the local stage with the full stack.
 * Times of one run on one machine; compare them with the alternative in the same table, not with another day's.
 * `--runs N` (5), `--json`.
 */
import { spawnSync } from "node:child_process";
import Table from "cli-table3";
import { program } from "commander";
import { repositoryDir } from "../local/paths";
import { startStage } from "../local/stage";
import { patchSelector } from "./patchSelector";
import { runnerFor } from "./runner";
import { makeStack, twoVersions, type TestStack } from "../tests/support/testStack";
import { startUsers, type Users } from "../tests/support/users";

interface Measured {
  what: string;
  seconds: number[];
  /** What the project promises, in seconds; undefined for the alternative it is compared with. */
  goal: number | undefined;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

async function repeat(runs: number, measure: (run: number) => Promise<number>): Promise<number[]> {
  const seconds: number[] = [];
  for (let run = 0; run < runs; run++) seconds.push(await measure(run));
  return seconds;
}

/** The whole process that loads the program's modules and ends, as Pulumi starts it. */
function startProgram(): Promise<unknown> {
  const load = 'process.argv[1] = "bench"; require("@pulumi/pulumi"); require("@bluegreen/components");';
  const { status, stderr } = spawnSync(process.execPath, ["-e", load], { cwd: repositoryDir, encoding: "utf8" });
  if (status !== 0) throw new Error(`the program did not load: ${stderr}`);
  return Promise.resolve();
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

  const start = await repeat(runs, () => timed(startProgram));
  const preview = await repeat(runs, () => timed(() => stack.preview()));
  const unchanged = await repeat(runs, () => timed(() => stack.up()));

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
    { what: "program start", seconds: start, goal: 1.5 },
    { what: "preview", seconds: preview, goal: 4 },
    { what: "up without changes", seconds: unchanged, goal: 5 },
    { what: "switch by up, to the first answer", seconds: switched, goal: 5 },
    { what: "switch by a bare patch (no gate)", seconds: patched, goal: undefined },
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
