import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface CommandOptions {
  /** @default this process's */
  cwd?: string;
  /** All that it gets of an environment. */
  env: NodeJS.ProcessEnv;
  /** How long it may take, in milliseconds. */
  budgetMs: number;
  /** Ends it at once. */
  signal?: AbortSignal;
  /** Whether what it has started may continue when it has ended by itself, as a server does. @default false */
  leavesOthers?: boolean;
  /** Told each line that it, or what it has started, writes. */
  onLine: (line: string, stream: "stdout" | "stderr") => void;
}

/** How a command has ended. */
export interface CommandEnd {
  /** Null when a signal has ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The budget ran out first. */
  timedOut: boolean;
}

/** So long the last lines of a command that has ended may be on their way. */
const lastLinesMs = 1000;

/**
 * Runs a command, without a shell and without input, in a process group of its own: when its budget runs out,
 * or the signal comes, everything ends that it has started. Whoever calls it has to pass Ctrl-C on: a
 * terminal does not tell that group.
 * @param command words
 * @throws Error when it could not be started; the reason of the signal when that came before
 */
export async function runCommand(
  command: readonly string[],
  { cwd, env, budgetMs, signal, leavesOthers = false, onLine }: CommandOptions,
): Promise<CommandEnd> {
  signal?.throwIfAborted();
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const closed = new Promise<void>((done) =>
    child.once("close", () => {
      done();
    }),
  );
  for (const stream of ["stdout", "stderr"] as const)
    createInterface(child[stream]).on("line", (line) => {
      onLine(line, stream);
    });
  let timedOut = false;
  const end = () => {
    killGroup(child.pid);
  };
  const budget = setTimeout(() => {
    timedOut = true;
    end();
  }, budgetMs);
  signal?.addEventListener("abort", end);
  try {
    const exit = await new Promise<Omit<CommandEnd, "timedOut">>((done, fail) => {
      child.once("error", fail);
      child.once("exit", (code, by) => {
        done({ code, signal: by });
      });
    });
    if (!leavesOthers) end();
    // Whoever continues, or has left the group, may keep its output open for ever.
    const cut = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, lastLinesMs);
    await closed;
    clearTimeout(cut);
    return { ...exit, timedOut };
  } finally {
    clearTimeout(budget);
    signal?.removeEventListener("abort", end);
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended by itself.
  }
}
