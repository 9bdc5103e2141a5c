import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Account } from "./account";
import { tail } from "./run";
import { waitFor } from "./wait";

/** A program that runs as long as this process, or until it is stopped. */
export interface Owned {
  /** Waits until the program answers; fails with the end of its log when it ends before that. */
  ready: (answers: () => Promise<boolean>, timeoutMs: number) => Promise<void>;
  stop: (signal: NodeJS.Signals) => Promise<void>;
}

/**
 * Starts a program as another account. The kernel ends it when this process ends, however that happens.
 * @param within a command that runs another one elsewhere, for example in a network namespace
 */
export function startOwned(
  name: string,
  argv: string[],
  account: Account,
  log: string,
  within: string[] = [],
): Owned {
  const output = openSync(log, "a", 0o600);
  // Changing the account takes root; without root it is the same account already.
  const identity =
    process.getuid?.() === 0
      ? ["--reuid", String(account.uid), "--regid", String(account.gid), "--clear-groups"]
      : [];
  const [command = "", ...args] = [...within, "setpriv", ...identity, "--pdeathsig", "KILL", "--", ...argv];
  const child = spawn(command, args, {
    cwd: "/",
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  const ended = once(child, "exit");
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (alive()) child.kill(signal);
    await ended;
  };
  const failure = async (reason: string): Promise<Error> =>
    new Error(`${name} ${reason}. The end of ${log}:\n${tail(await readFile(log, "utf8"))}`);
  return {
    stop,
    ready: async (answers, timeoutMs) => {
      try {
        await waitFor(
          async () => {
            if (!alive()) throw await failure("ended while it started");
            return (await answers()) ? true : undefined;
          },
          timeoutMs,
          async () => failure(`did not answer within ${String(timeoutMs / 1000)} s`),
        );
      } catch (error) {
        await stop("SIGKILL");
        throw error;
      }
    },
  };
}
