import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { masked, shown } from "./shown.js";
import type { Say } from "./step.js";

interface CommandOptions {
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

/** How a program of the user's has ended. */
export interface ProgramEnd {
  hasPassed: boolean;
  timedOut: boolean;
  /** A sentence's end: "ended with code 1". */
  how: string;
}

/** So many lines are shown as they come; a program that writes more is read in its own log. */
const shownMax = 2000;
const keptMax = 20;
const widthMax = 500;
/** A shorter value would be found in ordinary words, which then nobody could read. */
const secretMin = 4;

/**
 * What a program of the user's writes: each line is shown as it comes, without secrets and without what a
 * terminal or a CI system would obey, and the last ones are kept.
 */
export class CommandOutput {
  private readonly last: string[] = [];
  private readonly secrets: string[];
  private told = 0;
  private isInKey = false;

  /** @param secrets values that are shown nowhere */
  constructor(
    private readonly title: string,
    secrets: readonly string[],
    private readonly say: Say,
  ) {
    // A longer one may begin with a shorter one.
    this.secrets = secrets
      .flatMap((secret) => [secret, ...secret.split(/\r?\n/)])
      .map((secret) => secret.trim())
      .filter((secret) => secret.length >= secretMin)
      .toSorted((a, b) => b.length - a.length);
  }

  readonly take = (line: string): void => {
    const text = this.hide(line);
    if (text === undefined) return;
    this.last.push(text);
    if (this.last.length > keptMax) this.last.shift();
    this.told++;
    if (this.told <= shownMax) this.say(`${this.title}: ${text}`);
    else if (this.told === shownMax + 1)
      this.say(`${this.title}: more than ${shownMax} lines; further ones are not shown here`);
  };

  /** The last lines, as they may come before people. */
  get lines(): string[] {
    return [...this.last];
  }

  /** Undefined for what is only an end of a secret. */
  private hide(line: string): string | undefined {
    // A key has many lines, of which each looks like nothing.
    const isInside = this.isInKey;
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(line)) this.isInKey = true;
    if (/-----END [A-Z ]*PRIVATE KEY-----/.test(line)) this.isInKey = false;
    if (isInside) return undefined;
    const known = this.secrets.reduce((text, secret) => text.replaceAll(secret, "[secret]"), line);
    const text = shown(masked(known, this.secrets)).trimEnd();
    return text.length <= widthMax ? text : `${text.slice(0, widthMax - 1)}…`;
  }
}
