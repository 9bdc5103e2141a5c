/**
 * Pulumi's command line, asked for what it prints. What has events is run by the Automation API: stack.ts.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { UserError, type UserErrorParts } from "@bluegreen/release/util/userError";

/** A newer version is for whoever keeps this machine, not for whoever reads an update. */
export const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true" };

export const noPulumi: UserErrorParts = {
  code: "BG-PULUMI-NOT-FOUND",
  what: "Pulumi was not found",
  rule: "there is no pulumi on PATH",
  next: "install it: https://www.pulumi.com/docs/install/; in the repository of bluegreen, npm run bluegreen -- … brings one",
};

export interface AskOptions {
  cwd?: string;
  /** On top of this process's environment. */
  env?: Record<string, string>;
  /** Given on standard input: other users of the machine see arguments. */
  input?: string;
}

/**
 * What it prints.
 * @throws UserError when there is no pulumi on PATH
 * @throws Error with what it said, when it failed
 */
export async function askPulumi(args: string[], { cwd, env, input = "" }: AskOptions = {}): Promise<string> {
  const child = spawn("pulumi", [...args, "--non-interactive"], {
    cwd,
    env: { ...process.env, ...quiet, ...env },
    stdio: "pipe",
  });
  const said = { out: "", errors: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.errors += text;
  });
  // It may end without having read it: how it ended says why.
  child.stdin.on("error", () => undefined).end(input);
  const [code, signal] = (await once(child, "close").catch((error: unknown) => {
    throw isMissing(error) ? new UserError(noPulumi) : error;
  })) as [number | null, NodeJS.Signals | null];
  if (code !== 0)
    throw new Error(wordsOf(said.errors) || `pulumi ${args.join(" ")} ended with ${code ?? signal}`);
  return said.out;
}

/** Undefined where there is none on PATH. */
export async function pulumiVersion(): Promise<string | undefined> {
  try {
    return (await askPulumi(["version"])).trim();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** What Pulumi says of its own failure, without the word that it begins with. */
export function wordsOf(errors: string): string {
  return errors.trim().replace(/^error: /, "");
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
