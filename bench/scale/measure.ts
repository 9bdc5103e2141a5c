import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

/** What a command has cost, with every process that it started. */
export interface Cost {
  seconds: number;
  cpuSeconds: number;
  /** The most at one moment, shared pages counted once (PSS), as seen ten times a second. */
  peakMiB: number;
}

const sampleEveryMs = 100;

/** Runs a command to its end. @throws Error with what it said when it fails */
export async function measureCommand(
  argv: string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<Cost> {
  const started = performance.now();
  // The shell adds up the time of all processes below it that have ended, down to the last. It waits for them
  // also when it is told to end: what is removed afterwards must not be at work any more.
  const child = spawn(
    "bash",
    ["-c", 'trap : INT TERM; "$@" 2>&1; code=$?; times >&3; exit $code', "bash", ...argv],
    { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "ignore", "pipe"] },
  );
  const times = child.stdio[3];
  if (child.stdout === null || times === null || times === undefined || !("readable" in times))
    throw new Error("the command was started without pipes");
  const said = Promise.all([text(child.stdout), text(times)]);
  const exit = once(child, "exit");
  let peakMiB = 0;
  const over = new AbortController();
  const sampling = (async () => {
    while (!over.signal.aborted) {
      peakMiB = Math.max(peakMiB, await memoryOf(child.pid ?? 0));
      await delay(sampleEveryMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  await exit;
  const seconds = (performance.now() - started) / 1000;
  over.abort();
  await sampling;
  const [output, cpu] = await said;
  if (child.exitCode !== 0)
    throw new Error(`${argv.join(" ")} ended with ${child.exitCode ?? "a signal"}:\n${output}`);
  return { seconds, cpuSeconds: cpuSecondsIn(cpu), peakMiB };
}

/** Bash's `times`: user and system time of itself, and on the second line of its children, as 1m2.345s. */
function cpuSecondsIn(times: string): number {
  return [...(times.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
}

/** Of a process and all below it. */
async function memoryOf(pid: number): Promise<number> {
  const [rollup, children] = await Promise.all([contentOf(`/proc/${pid}/smaps_rollup`), childrenOf(pid)]);
  const [, kib] = /^Pss:\s+(\d+) kB/m.exec(rollup) ?? [];
  const below = await Promise.all(children.map(memoryOf));
  return Number(kib ?? 0) / 1024 + below.reduce((sum, each) => sum + each, 0);
}

/** Whichever of its threads has started them. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((thread) => contentOf(`/proc/${pid}/task/${thread}/children`)));
  return lists.flatMap((list) =>
    list
      .split(" ")
      .filter((child) => child !== "")
      .map(Number),
  );
}

/** Of a process that may be gone. */
function contentOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}
