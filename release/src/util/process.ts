import { fstatSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";

/**
 * What tells this process from every other one, on any machine and at any time. A host's name would not do:
 * containers share names, and process ids come back. Empty where the system has no /proc.
 */
export async function processMark(): Promise<string> {
  const started = await readStart(process.pid);
  return started === undefined ? "" : [...(await whereAmI()), process.pid, started].join(" ");
}

/**
 * Whether the process of a mark is known to have ended: it was one of this machine, and is not there any
 * more.
 */
export async function hasEnded(mark: string): Promise<boolean> {
  const [boot, namespace, pid, started] = mark.split(" ");
  if (started === undefined) return false;
  const [ownBoot, ownNamespace] = await whereAmI();
  if (boot !== ownBoot || namespace !== ownNamespace) return false;
  if (isGone(Number(pid))) return true;
  const startedNow = await readStart(Number(pid));
  // Another user's process may be there without being readable.
  return startedNow !== undefined && startedNow !== started;
}

/** This start of the machine, and the world of process ids in it. */
async function whereAmI(): Promise<[string, string]> {
  return [
    (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim(),
    await readlink("/proc/self/ns/pid"),
  ];
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

/**
 * When a process started, in the machine's ticks; "ended" for one that only waits for its parent to notice.
 */
async function readStart(pid: number): Promise<string | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name before it is in parentheses, and may hold spaces and parentheses itself.
    const [state, ...fields] = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? "ended" : fields[18];
  } catch {
    return undefined;
  }
}

let gone: AbortController | undefined;

/**
 * Aborted once the process that started this one is gone. Pulumi's provider process outlives a
 * pulumi that was killed: nobody tells it, and its parent is a shell that lives on. What ends is
 * the pipe that its standard input is. Never aborted where that is no pipe.
 */
export function starterGone(): AbortSignal {
  if (gone !== undefined) return gone.signal;
  const controller = new AbortController();
  gone = controller;
  // What is said once nobody listens is lost. Otherwise it would be an error, which the provider process
  // says, which is an error: for ever.
  for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);
  if (!isPipe(process.stdin.fd)) return controller.signal;
  const end = () => {
    controller.abort(new Error("the process that started this one is gone"));
  };
  process.stdin.once("end", end).once("error", end).resume();
  // To listen is no reason to live on.
  process.stdin.unref();
  return controller.signal;
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}

/**
 * Ends this process, whatever still holds it, once all that it has printed was taken: where a pipe's reader is
 * slow, the end of a long text waits in this process, and would be lost with it.
 */
export function endProcess(code: number): void {
  process.stdout.write("", () => {
    process.stderr.write("", () => {
      process.exit(code);
    });
  });
}
