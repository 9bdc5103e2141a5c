/**
 * `npm test`: what every change has to pass, on a stage of its own that is removed at the end. `npm run test:all` adds
 * the long suites, and `npm test -- unit e2e` runs those alone. A suite that cannot run, runs no test or leaves one out
 * has failed; which ones were not asked for is said at the end.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startStage, stopStage } from "../local/stage";

interface Suite {
  name: string;
  /** Folders of tests/ with its files. @default the one of its name */
  folders?: string[];
  /** How many files at a time: more than one where most of the time is spent waiting. @default 1 */
  jobs?: number;
  /** Needs a stage with an edge. */
  edge?: true;
  /** Not for every change: its minutes are as many as those of all others. Runs by its name, and in `npm run test:all`. */
  long?: true;
}

/** Suites side by side, in lanes: within a lane one after the other. */
interface Round {
  /** Whether a stage runs beside it. */
  stage: boolean;
  lanes: Suite[][];
}

/** Type check and lint, counted as one test. */
const check: Suite = { name: "check" };

/** Quick ones first: a broken rule shows before a cluster is started. Then the longest, and the others beside it. */
const rounds: Round[] = [
  { stage: false, lanes: [[check], [{ name: "unit" }, { name: "lint" }]] },
  {
    stage: true,
    lanes: [
      [
        { name: "release", folders: ["e2e", "faults"], jobs: 2 },
        { name: "routes", jobs: 2, edge: true },
        { name: "changes", jobs: 2, long: true },
        { name: "databases", jobs: 2, long: true },
        { name: "traffic", jobs: 2, edge: true, long: true },
      ],
      [{ name: "integration" }, { name: "pulumi" }, { name: "provider" }, { name: "usage" }, { name: "docs", edge: true, long: true }, { name: "app" }, { name: "edge", edge: true }],
    ],
  },
  // These add to the stage, or start and end stages of their own.
  {
    stage: true,
    lanes: [
      [{ name: "start" }, { name: "outages", long: true }, { name: "stage", long: true }],
      [{ name: "pages" }, { name: "scale", long: true }, { name: "autoscaler", long: true }, { name: "clusters", edge: true, long: true }],
    ],
  },
  // Measures: nothing beside it.
  { stage: true, lanes: [[{ name: "bench", long: true }]] },
];

const everything = "--all";

interface Counts {
  passed: number;
  failed: number;
}

/** What the suites said of their failures: said once more at the very end, where somebody who was given only the end finds it. */
const failures: string[] = [];

/** @throws Error for a name that no suite has */
function choose(names: string[]): { chosen: Round[]; left: string[] } {
  const suites = rounds.flatMap(({ lanes }) => lanes.flat());
  const unknown = names.filter((each) => each !== everything && suites.every(({ name }) => name !== each));
  if (unknown.length > 0) throw new Error(`no suite ${unknown.join(", ")}; the suites are ${suites.map(({ name }) => name).join(", ")}`);
  const isWanted = ({ name, long }: Suite) => names.includes(everything) || (names.length === 0 ? long === undefined : names.includes(name));
  return {
    chosen: rounds.map(({ stage, lanes }) => ({ stage, lanes: lanes.map((lane) => lane.filter(isWanted)).filter(({ length }) => length > 0) })).filter(({ lanes }) => lanes.length > 0),
    // Whoever names suites knows which they are.
    left: names.length === 0 ? suites.filter((suite) => !isWanted(suite)).map(({ name }) => name) : [],
  };
}

async function runRounds(chosen: Round[]): Promise<Counts> {
  const total: Counts = { passed: 0, failed: 0 };
  const run = async (lanes: Suite[][]) => {
    const show = lanes.length > 1 ? "afterwards" : "live";
    await Promise.all(
      lanes.map(async (lane) => {
        for (const suite of lane) {
          const { passed, failed } = suite === check ? await runCheck(show) : await runSuite(suite, show);
          total.passed += passed;
          total.failed += failed;
        }
      }),
    );
  };
  for (const { lanes } of chosen.filter(({ stage }) => !stage)) await run(lanes);
  const onStage = chosen.filter(({ stage }) => stage);
  if (onStage.length === 0) return total;
  // Beside a stage that somebody uses, not in it.
  const folder = (process.env["BLUEGREEN_STAGE_DIR"] ??= mkdtempSync(join(tmpdir(), "bg-test-")));
  try {
    await startStage({ edge: onStage.some(({ lanes }) => lanes.flat().some(({ edge }) => edge)) });
    for (const { lanes } of onStage) await run(lanes);
  } finally {
    await stopStage();
    await rm(folder, { recursive: true, force: true });
  }
  return total;
}

async function runCheck(show: Show): Promise<Counts> {
  const print = printer(check.name, show);
  const npm = spawn("npm", ["run", check.name], { stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  for (const output of [npm.stdout, npm.stderr]) {
    createInterface({ input: output }).on("line", (line) => {
      print.line(line);
      said.push(line);
    });
  }
  const code = await ended(npm);
  print.end();
  if (code !== 0) failures.push(`\n── failures of ${check.name} ${"─".repeat(50)}`, ...said);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
}

/** Two suites at a time would be hard to read line by line. */
type Show = "live" | "afterwards";

function printer(title: string, show: Show): { line: (text: string) => void; end: () => void } {
  const lines = [`\n── ${title} ${"─".repeat(50)}`];
  console.log(show === "live" ? lines[0] : `${title} runs; what it says follows when it ends`);
  return {
    line: (text) => {
      if (show === "live") console.log(text);
      else lines.push(text);
    },
    end: () => {
      if (show === "afterwards") console.log(lines.join("\n"));
    },
  };
}

async function runSuite({ name, folders = [name], jobs = 1 }: Suite, show: Show): Promise<Counts> {
  const started = Date.now();
  const print = printer(name, show);
  const mocha = spawn(process.execPath, [require.resolve("mocha/bin/mocha.js"), ...(jobs > 1 ? ["--parallel", "--jobs", String(jobs)] : []), ...folders.map((folder) => `tests/${folder}/**/*.test.ts`)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  createInterface({ input: mocha.stderr }).on("line", print.line);
  const counts = { passing: 0, failing: 0, pending: 0 };
  const failing: string[] = [];
  createInterface({ input: mocha.stdout }).on("line", (line) => {
    print.line(line);
    const [, count, kind] = /^ {2}(\d+) (passing|failing|pending)\b/.exec(line) ?? [];
    if (kind === "passing" || kind === "failing" || kind === "pending") counts[kind] = Number(count);
    if (counts.failing > 0) failing.push(line);
  });
  const code = await ended(mocha);
  const failed = counts.failing + counts.pending;
  // No test at all, or an end that mocha's own figures do not explain, is one more failure.
  const unexplained = counts.passing + failed === 0 || (code !== 0 && failed === 0) ? 1 : 0;
  print.line(`   ${name}: ${counts.passing} passed, ${failed + unexplained} failed, ${Math.round((Date.now() - started) / 1000)} s`);
  print.end();
  if (failed + unexplained > 0) failures.push(`\n── failures of ${name} ${"─".repeat(50)}`, ...(unexplained > 0 ? [`mocha ended with ${code ?? "a signal"}`] : []), ...failing);
  return { passed: counts.passing, failed: failed + unexplained };
}

async function main(names: string[]): Promise<void> {
  const started = Date.now();
  const { chosen, left } = choose(names);
  const { passed, failed } = await runRounds(chosen);
  if (failures.length > 0) console.log(failures.join("\n"));
  console.log(`\n${Math.round((Date.now() - started) / 60_000)} min${left.length > 0 ? `; not run: ${left.join(", ")}, which npm run test:all adds` : ""}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.log("\n0 passed, 1 failed");
  process.exitCode = 1;
});
