/**
 * `npm test`: every suite, on a stage of its own that is removed at the end. `npm test -- unit e2e` runs those alone.
 * A suite that cannot run, runs no test or leaves one out has failed.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { findPulumi } from "../local/engine/engine";
import { startStage, stopStage } from "../local/stage";

interface Suite {
  name: string;
  /** first: nothing but Node. stage: with the stage running, and all that starting it has installed. last: starts and ends stages itself. */
  when: "first" | "stage" | "last";
  /** Folders of tests/ with its files. @default the one of its name */
  folders?: string[];
  /** How many files at a time: more than one where most of the time is spent waiting. @default 1 */
  jobs?: number;
  /** Suites on the stage that bear company run side by side with the release, which mostly waits for pods. */
  company?: true;
  /** Runs on each engine there is, and has to give the same results. */
  engines?: true;
  /** Needs a stage with an edge. */
  edge?: true;
}

/** Type check and lint, counted as one test. */
const check = "check";

/** Quick ones first: a broken rule shows before a cluster is started. */
const suites: Suite[] = [
  { name: "unit", when: "first" },
  { name: "lint", when: "first" },
  { name: "release", folders: ["e2e", "faults"], when: "stage", jobs: 2, engines: true, company: true },
  { name: "routes", when: "stage", jobs: 2, engines: true, company: true, edge: true },
  { name: "integration", when: "stage", company: true },
  { name: "engine", when: "stage", company: true },
  { name: "provider", when: "stage", company: true },
  { name: "app", when: "stage", company: true },
  { name: "edge", when: "stage", company: true, edge: true },
  { name: "scale", when: "stage" },
  { name: "autoscaler", when: "stage" },
  { name: "start", when: "stage" },
  { name: "outages", when: "last" },
  { name: "stage", when: "last" },
];

interface Counts {
  passed: number;
  failed: number;
}

/** What the suites said of their failures: said once more at the very end, where somebody who was given only the end finds it. */
const failures: string[] = [];

async function main(wanted: string[]): Promise<Counts> {
  const known = [check, ...suites.map(({ name }) => name)];
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no suite ${unknown.join(", ")}; the suites are ${known.join(", ")}`);
  const chosen = suites.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const total: Counts = { passed: 0, failed: 0 };
  const add = ({ passed, failed }: Counts) => {
    total.passed += passed;
    total.failed += failed;
  };

  if (wanted.length === 0 || wanted.includes(check)) add(await runCheck());
  for (const suite of chosen.filter(({ when }) => when === "first")) add(await runSuite(suite));
  const onStage = chosen.filter(({ when }) => when === "stage");
  if (onStage.length > 0) {
    // Beside a stage that somebody uses, not in it.
    process.env["BLUEGREEN_STAGE_DIR"] ??= mkdtempSync(join(tmpdir(), "bg-test-"));
    await startStage({ edge: onStage.some(({ edge }) => edge === true) });
    try {
      const inCompany = onStage.filter(({ company }) => company === true);
      const lanes = [inCompany.filter(({ engines }) => engines === true), inCompany.filter(({ engines }) => engines === undefined)].filter(({ length }) => length > 0);
      const inTurn = async (lane: Suite[], show: Show) => {
        for (const suite of lane) {
          for (const engine of enginesFor(suite)) add(await runSuite(suite, engine, show));
        }
      };
      await Promise.all(lanes.map((lane) => inTurn(lane, lanes.length > 1 ? "afterwards" : "live")));
      await inTurn(onStage.filter(({ company }) => company === undefined), "live");
    } finally {
      await stopStage();
      await rm(process.env["BLUEGREEN_STAGE_DIR"], { recursive: true, force: true });
    }
  }
  for (const suite of chosen.filter(({ when }) => when === "last")) add(await runSuite(suite));
  return total;
}

type EngineName = "stand-in" | "pulumi";

function enginesFor({ name, engines }: Suite): EngineName[] {
  if (engines === undefined) return ["stand-in"];
  if (findPulumi() !== undefined) return ["stand-in", "pulumi"];
  console.log(`\n${name} on the real Pulumi: not run, there is no pulumi on PATH`);
  return ["stand-in"];
}

/** The program uses a pulumi on PATH; without one, the stand-in. */
function pathFor(engine: EngineName): string {
  let path = process.env["PATH"] ?? "";
  for (let pulumi = findPulumi(path); engine === "stand-in" && pulumi !== undefined; pulumi = findPulumi(path)) {
    const folder = dirname(pulumi);
    path = path.split(delimiter).filter((each) => each !== folder).join(delimiter);
  }
  return path;
}

async function runCheck(): Promise<Counts> {
  console.log(`\n── ${check} ${"─".repeat(50)}`);
  const code = await ended(spawn("npm", ["run", check], { stdio: ["ignore", "inherit", "inherit"] }));
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

async function runSuite({ name, folders = [name], jobs = 1, engines }: Suite, engine?: EngineName, show: Show = "live"): Promise<Counts> {
  const started = Date.now();
  const title = `${name}${engines === undefined ? "" : ` (${engine ?? ""})`}`;
  const lines = [`\n── ${title} ${"─".repeat(50)}`];
  const print = (line: string) => {
    if (show === "live") console.log(line);
    else lines.push(line);
  };
  console.log(show === "live" ? lines[0] : `${title} runs; what it says follows when it ends`);
  const mocha = spawn(process.execPath, [require.resolve("mocha/bin/mocha.js"), ...(jobs > 1 ? ["--parallel", "--jobs", String(jobs)] : []), ...folders.map((folder) => `tests/${folder}/**/*.test.ts`)], {
    env: { ...process.env, PATH: pathFor(engine ?? "stand-in") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  createInterface({ input: mocha.stderr }).on("line", print);
  const counts = { passing: 0, failing: 0, pending: 0 };
  const failing: string[] = [];
  createInterface({ input: mocha.stdout }).on("line", (line) => {
    print(line);
    const [, count, kind] = /^ {2}(\d+) (passing|failing|pending)\b/.exec(line) ?? [];
    if (kind === "passing" || kind === "failing" || kind === "pending") counts[kind] = Number(count);
    if (counts.failing > 0) failing.push(line);
  });
  const code = await ended(mocha);
  const failed = counts.failing + counts.pending;
  // No test at all, or an end that mocha's own figures do not explain, is one more failure.
  const unexplained = counts.passing + failed === 0 || (code !== 0 && failed === 0) ? 1 : 0;
  print(`   ${name}: ${counts.passing} passed, ${failed + unexplained} failed, ${Math.round((Date.now() - started) / 1000)} s`);
  if (show === "afterwards") console.log(lines.join("\n"));
  if (failed + unexplained > 0) failures.push(`\n── failures of ${title} ${"─".repeat(50)}`, ...(unexplained > 0 ? [`mocha ended with ${code ?? "a signal"}`] : []), ...failing);
  return { passed: counts.passing, failed: failed + unexplained };
}

void main(process.argv.slice(2)).then(
  ({ passed, failed }) => {
    if (failures.length > 0) console.log(failures.join("\n"));
    console.log(`\n${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    console.log("\n0 passed, 1 failed");
    process.exitCode = 1;
  },
);
