import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { join } from "node:path";
import { repositoryDir } from "../../local/paths";
import { eventsFd, type TestEvent } from "./events";
import { check, type Batch } from "./suites";

export interface FailedTest {
  title: string;
  error: string;
}

export interface BatchResult {
  passed: number;
  failed: FailedTest[];
  seconds: number;
  /** 0 where it was not told. */
  cpuSeconds: number;
  updates: number;
  /** The end of what it printed. */
  output: string[];
}

export interface EndedTest {
  title: string;
  seconds: number;
  outcome: "passed" | "failed";
}

const running = new Set<ChildProcess>();

/** Ends what runs, as Ctrl-C does. Each batch cleans up then, and says what did not come to its end. */
export function interruptAll(): void {
  for (const child of running) child.kill("SIGINT");
}

/** Of what a batch prints. */
const linesKept = 200;

/** @param ended told after each test, of a failed one with its error */
export async function runBatch(
  batch: Batch,
  ended: (test: EndedTest, error?: string) => void,
): Promise<BatchResult> {
  const started = Date.now();
  const result: BatchResult = { passed: 0, failed: [], seconds: 0, cpuSeconds: 0, updates: 0, output: [] };
  const end = (test: EndedTest, error?: string) => {
    if (error === undefined) result.passed += 1;
    else result.failed.push({ title: test.title, error });
    ended(test, error);
  };
  await (batch.suite === check ? runCheck(end, result) : runMocha(batch, end, result));
  return { ...result, seconds: secondsSince(started) };
}

type End = (test: EndedTest, error?: string) => void;

async function runCheck(end: End, result: BatchResult): Promise<void> {
  const started = Date.now();
  const npm = spawn("npm", ["run", check.name], { cwd: repositoryDir, stdio: ["ignore", "pipe", "pipe"] });
  keep(npm, result.output);
  const code = await exitOf(npm);
  const test = { title: "npm run check", seconds: secondsSince(started) };
  if (code === 0) end({ ...test, outcome: "passed" });
  else end({ ...test, outcome: "failed" }, result.output.join("\n"));
}

async function runMocha({ files }: Batch, end: End, result: BatchResult): Promise<void> {
  const started = Date.now();
  const mocha = spawn(
    process.execPath,
    [require.resolve("mocha/bin/mocha.js"), "--reporter", join(__dirname, "reporter.ts"), ...files],
    { cwd: repositoryDir, stdio: ["ignore", "pipe", "pipe", "pipe"] },
  );
  keep(mocha, result.output);
  const told = { end: false };
  const events = createInterface({ input: mocha.stdio[eventsFd] as Readable });
  events.on("line", (line) => {
    const event = JSON.parse(line) as TestEvent;
    if (event.kind === "end") {
      told.end = true;
      result.cpuSeconds = event.cpuSeconds;
      result.updates = event.updates;
    } else if (event.kind === "passed") end({ ...event, outcome: "passed" });
    // What is left out has not been shown to work.
    else end({ ...event, outcome: "failed" }, event.kind === "failed" ? event.error : "it was left out");
  });
  const code = await exitOf(mocha);
  // What a test has left running may hold the other end open.
  if (!told.end)
    await Promise.race([
      new Promise((done) => events.once("close", done)),
      new Promise((done) => setTimeout(done, 1_000)),
    ]);
  const tests = result.passed + result.failed.length;
  // An end that the tests do not explain is one more failure.
  if (tests === 0 || !told.end || (code !== 0 && result.failed.length === 0)) {
    const why =
      tests === 0 ? "it ran no test" : told.end ? "no test of it has failed" : "it did not come to its end";
    end(
      { title: files.join(", "), seconds: secondsSince(started), outcome: "failed" },
      [`mocha ended with ${code ?? "a signal"}, and ${why}`, ...result.output].join("\n"),
    );
  }
}

function keep({ stdout, stderr }: ChildProcess, lines: string[]): void {
  for (const input of [stdout, stderr]) {
    if (input === null) continue;
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      if (lines.length > linesKept) lines.shift();
    });
  }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  running.add(child);
  try {
    return await new Promise<number | null>((done, fail) => {
      child.once("error", fail);
      child.once("exit", done);
    });
  } finally {
    running.delete(child);
  }
}

function secondsSince(started: number): number {
  return (Date.now() - started) / 1000;
}
