import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { endOf, type Ended } from "./endOf";

/** Processes that the tests of a file start and wait for. */
export class Children {
  readonly #running = new Set<ChildProcess>();

  /** Without a terminal. */
  run(
    command: string,
    args: string[],
    { cwd, env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Ended> {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#running.add(child);
    child.once("exit", () => this.#running.delete(child));
    return endOf(child);
  }

  /**
   * Ends what still runs, as Ctrl-C does, and waits for it: where a test did not come to its end, it would continue
   * with what is taken away next.
   */
  async end(): Promise<void> {
    await Promise.all(
      [...this.#running].map(async (child) => {
        child.kill("SIGINT");
        await once(child, "exit");
      }),
    );
  }
}
