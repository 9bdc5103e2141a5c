/**
 * `npm test`: what every change has to pass, on a stage of its own that is removed at the end. `npm run
 * test:all` adds the long suites and all cases of the others, `npm test -- unit provider` runs those alone, `npm test --
 * tests/e2e/cli.test.ts` that file, and `npm test -- --changed` what a change can break. A suite that cannot
 * run, runs no test or leaves one out has failed; which ones were not asked for is said at the end.
 */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "commander";
import { readStage, startStage, stopStage } from "../local/stage";
import { brokenBy, changedFiles } from "./runner/changed";
import { interruptAll, runBatch } from "./runner/runBatch";
import { longestFirst, runAll } from "./runner/schedule";
import { batchesOf, check, filesOf, suites, type Batch, type Suite } from "./runner/suites";
import { formatTimes, keepTimes, keyOf, readTimes, type Ran } from "./runner/times";

interface Options {
  all?: true;
  changed?: string | true;
  here?: true;
  jobs?: string;
}

/** Of an error, as soon as its test has failed. */
const linesAtOnce = 12;

interface Chosen {
  batches: Batch[];
  /** What was not asked for, by nobody's choice but the default's. */
  left: string[];
}

/** @throws Error for a name that neither a suite nor a file has */
function choose(names: string[], { all, changed }: Options): Chosen {
  if (all === true && names.length === 0)
    return { batches: suites.flatMap((suite) => batchesOf(suite)), left: [] };
  if (changed !== undefined) {
    const files = changedFiles(changed === true ? "HEAD" : changed);
    const broken = brokenBy(files);
    return {
      batches: suites.flatMap((suite) => batchesOf(suite, suite === check ? undefined : broken)),
      left: [],
    };
  }
  if (names.length === 0)
    return {
      batches: suites.filter(({ long }) => long !== true).flatMap((suite) => batchesOf(suite)),
      left: suites.filter(({ long }) => long === true).map(({ name }) => name),
    };
  const unknown = names.filter((each) =>
    suites.every((suite) => suite.name !== each && !filesOf(suite).includes(each)),
  );
  if (unknown.length > 0)
    throw new Error(
      `no suite or file ${unknown.join(", ")}; the suites are ${suites.map(({ name }) => name).join(", ")}`,
    );
  const named = (suite: Suite) =>
    names.includes(suite.name) ? batchesOf(suite) : batchesOf(suite, new Set(names));
  return { batches: suites.flatMap(named), left: [] };
}

/** Starts the stage while `work` begins with what needs none. */
async function onStage(
  kinds: ReadonlySet<Suite["stage"]>,
  here: boolean,
  work: (stage: Promise<void>) => Promise<void>,
): Promise<void> {
  if (kinds.size === 0) return work(Promise.resolve());
  const start = async () => {
    await startStage({ edge: kinds.has("edge") });
  };
  if (here) {
    if ((await readStage()) === undefined)
      throw new Error("--here was refused: no stage runs; npm start starts it");
    return work(start());
  }
  // Beside a stage that somebody uses, not in it.
  const folder = (process.env["BLUEGREEN_STAGE_DIR"] ??= mkdtempSync(join(tmpdir(), "bg-test-")));
  const stage = start();
  try {
    await work(stage);
  } finally {
    await Promise.allSettled([stage]);
    await stopStage();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ctrl-C ends what runs, which cleans up first, and begins nothing more; a stage that was started is ended, too. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (!signal.aborted) console.log("Stopping: what was started is taken away first.");
      controller.abort();
      interruptAll();
    });
  }
  return signal;
}

async function main(names: string[], options: Options): Promise<void> {
  const started = Date.now();
  const { batches, left } = choose(names, options);
  if (options.all === true) process.env["BLUEGREEN_EVERY_CASE"] = "1";
  const times = readTimes();
  const signal = untilInterrupted();
  const ran: Ran[] = [];
  const run = async (batch: Batch) => {
    const { name } = batch.suite;
    const result = await runBatch(batch, ({ title, seconds, outcome }, error) => {
      console.log(
        `${outcome === "passed" ? "✔ passed" : "✘ FAILED"} ${seconds.toFixed(1).padStart(6)} s  ${name.padEnd(12)} ${title}`,
      );
      // All of it stands at the end; who waits wants to know now.
      if (error !== undefined) console.log(error.split("\n").slice(0, linesAtOnce).join("\n"));
    });
    times[keyOf(batch)] = { seconds: result.seconds, cpuSeconds: result.cpuSeconds, updates: result.updates };
    ran.push({ batch, result });
  };
  const places = options.jobs === undefined ? availableParallelism() : Number(options.jobs);
  if (!Number.isInteger(places) || places < 1 || places > 64)
    throw new Error(`--jobs ${String(options.jobs)} was refused: a whole number from 1 to 64`);
  const kinds = new Set(batches.map(({ suite }) => suite.stage).filter((stage) => stage !== undefined));
  const failed = () => ran.flatMap(({ result }) => result.failed);
  await onStage(kinds, options.here === true, (stage) =>
    runAll(longestFirst(batches, times), { places, signal, stage }, run),
  );
  for (const { batch, result } of ran.filter((each) => each.result.failed.length > 0)) {
    console.log(`\n── ${keyOf(batch)} ${"─".repeat(50)}`);
    for (const { title, error } of result.failed) console.log(`✘ ${title}\n${error}\n`);
    if (result.output.length > 0)
      console.log(`the end of what it printed:\n${result.output.slice(-40).join("\n")}`);
  }
  console.log(`\n${formatTimes(ran)}`);
  console.log(
    `${Math.round((Date.now() - started) / 60_000)} min; each file's are in ${keepTimes(times)}${left.length > 0 ? `; not run: ${left.join(", ")} and most points of each matrix, which npm run test:all adds` : ""}`,
  );
  const passed = ran.reduce((sum, { result }) => sum + result.passed, 0);
  console.log(`${passed} passed, ${failed().length} failed`);
  process.exitCode = failed().length === 0 && passed > 0 && !signal.aborted ? 0 : 1;
}

program
  .name("npm test --")
  .argument("[names...]", "suites, or test files by their path")
  .option("--all", "the long suites too, and each case of each matrix")
  .option("--changed [ref]", "what the changes since a commit can break (HEAD)")
  .option("--here", "on the stage that npm start has started, which stays")
  .option("--jobs <count>", `files at a time (${availableParallelism()} here)`)
  .action(main);

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.log("\n0 passed, 1 failed");
  process.exitCode = 1;
});
