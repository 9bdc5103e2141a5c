import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Color } from "@bluegreen/release";
import { whyNotNow, type Job, type JobKind } from "../../pages/dashboard/state";
import { exitCodes } from "../exitCodes";
import type { Board } from "./board";

const command = join(__dirname, "..", "bluegreen.mjs");

/** Signals closer than this are one Ctrl-C: the terminal sends it to every process, and some pass it on. */
const sameKeyMs = 500;

/** How a command has ended, by what it ended with. */
const ends: Record<JobKind, Record<number, string>> = {
  switch: {
    [exitCodes.clean]: "traffic is there",
    [exitCodes.findings]: "the update failed; its last lines say where traffic is, and what to type",
    [exitCodes.usage]: "nothing was changed",
  },
  rollback: {
    [exitCodes.clean]: "traffic is back, and the stack's config is updated",
    [exitCodes.findings]:
      "traffic is back, and the stack's config is not updated yet; its last lines say what to type",
    [exitCodes.usage]: "nothing was moved",
    [exitCodes.partly]: "traffic of some clusters is back, and of others not",
  },
};

export interface Order {
  kind: JobKind;
  to: Color;
  /** As somebody has written it; empty where nobody has. */
  why: string;
}

/**
 * Runs what is asked for on the page: the commands that a person would type, each in a process of its own,
 * with the gates that it has.
 */
export class Jobs {
  readonly #running = new Map<ChildProcess, Promise<void>>();
  #interruptedAt = -Infinity;

  constructor(
    private readonly stack: string,
    private readonly board: Board,
    /** One has ended, well or not. */
    private readonly hasEnded: () => void,
  ) {}

  /** @returns why it does not begin; undefined: it has */
  start({ kind, to, why }: Order): string | undefined {
    const refusal = whyNotNow(this.board.state, kind) ?? this.whyThere(to);
    if (refusal !== undefined) return refusal;
    const job: Job = { kind, to, startedAt: new Date().toISOString(), end: null, lines: [] };
    this.board.tell({ type: "job", job });
    const reason = why.trim();
    const args =
      kind === "switch" ? ["switch", to] : ["rollback", ...(reason === "" ? [] : [`--reason=${reason}`])];
    const child = spawn(process.execPath, [command, ...args, "--yes", "--stack", this.stack], {
      env: { ...process.env, ...(reason !== "" && { BLUEGREEN_WHY: reason }) },
      stdio: ["ignore", "pipe", "pipe"],
      // In a group of its own: what Ctrl-C does to it is said by interrupt(), once.
      detached: true,
    });
    for (const output of [child.stdout, child.stderr])
      createInterface({ input: output }).on("line", (line) => {
        this.say(kind, line);
      });
    const ended = once(child, "close").then(
      ([code]: unknown[]) => {
        this.end(job, code);
      },
      (error: unknown) => {
        this.say(kind, String(error));
        this.end(job, null);
      },
    );
    this.#running.set(
      child,
      ended.finally(() => this.#running.delete(child)),
    );
    return undefined;
  }

  /** As Ctrl-C in a terminal: what is under way ends, and says where traffic is. */
  interrupt(): void {
    if (performance.now() - this.#interruptedAt < sameKeyMs) return;
    this.#interruptedAt = performance.now();
    for (const { pid } of this.#running.keys()) {
      try {
        if (pid !== undefined) process.kill(-pid, "SIGINT");
      } catch {
        // It has just ended by itself.
      }
    }
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** A page that has not heard it yet, or a second person. */
  private whyThere(to: Color): string | undefined {
    const { clusters } = this.board.state;
    return clusters.every(({ release }) => release?.live === to) ? `Traffic is on ${to} already.` : undefined;
  }

  private say(kind: JobKind, line: string): void {
    this.board.tell({ type: "said", kind, lines: [line] });
  }

  private end({ kind }: Job, code: unknown): void {
    const job = this.board.state.jobs[kind];
    if (job === undefined) return;
    const text =
      (typeof code === "number" ? ends[kind][code] : undefined) ??
      "it was killed: bluegreen status says where traffic is";
    this.board.tell({
      type: "job",
      job: { ...job, end: { at: new Date().toISOString(), isWell: code === exitCodes.clean, text } },
    });
    this.hasEnded();
  }
}
