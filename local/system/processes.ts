import { readdir, readFile } from "node:fs/promises";
import { waitFor } from "./wait";

/** What a process was started with. */
type Matches = (args: string[], environment: string[]) => boolean;

/**
 * One of the lists that the kernel keeps of a running process; undefined when there is none (a zombie has
 * none either).
 */
async function startedWith(pid: number, list: "cmdline" | "environ"): Promise<string[] | undefined> {
  try {
    const text = await readFile(`/proc/${String(pid)}/${list}`, "utf8");
    return text === "" ? undefined : text.split("\0").slice(0, -1);
  } catch {
    return undefined;
  }
}

/** Processes that satisfy the condition: found by what they are, so no recorded pid can go stale. */
export async function findProcesses(matches: Matches): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const args = await startedWith(pid, "cmdline");
      return args !== undefined && matches(args, (await startedWith(pid, "environ")) ?? []) ? [pid] : [];
    }),
  );
  return found.flat();
}

const killTimeoutMs = 20_000;

/** Kills the processes that satisfy the condition and waits until they are gone. */
export async function killProcesses(matches: Matches): Promise<void> {
  const pids = await findProcesses(matches);
  pids.forEach(kill);
  await waitFor(
    async () => ((await Promise.all(pids.map(hasEnded))).every((ended) => ended) ? true : undefined),
    killTimeoutMs,
    () =>
      Promise.resolve(
        new Error(`Process ${pids.join(", ")} does not end although it was killed. Inspect it with \`ps\`.`),
      ),
  );
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // It may have ended by itself in between.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/**
 * True when the process is gone or waits for its parent to notice, with its last
 * thread: the first one may be over before. Process 1 of a namespace gets there
 * only after every other process in it.
 */
async function hasEnded(pid: number): Promise<boolean> {
  try {
    const status = await readFile(`/proc/${String(pid)}/status`, "utf8");
    return /^State:\s+[ZX]/m.test(status) && /^Threads:\s+[01]$/m.test(status);
  } catch {
    return true;
  }
}
