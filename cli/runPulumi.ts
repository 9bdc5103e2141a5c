import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { messageOf, Refusal } from "@bluegreen/release/refusal";
import type { Say } from "@bluegreen/release/step";

/** What `npm run pulumi` runs where there is no pulumi on PATH. */
const standIn = [process.execPath, join(__dirname, "..", "local", "bootstrap.mjs"), "local/pulumi.ts"] as const;

/** What a CLI says of a stack that another update has, or one that was killed and cannot give it back: of a state in files, and of Pulumi Cloud. */
const lockedPattern = /currently locked by|Another update is currently in progress/;

/**
 * Runs the program as a person would. What is wrong with it stands on the error output.
 * @returns whether it ended well
 * @throws Refusal when the stack is locked: nothing was done then
 */
export async function runPulumi(args: string[], say: Say): Promise<boolean> {
  say(`pulumi ${args.join(" ")}`);
  const errors: string[] = [];
  const error = (text: string) => {
    process.stderr.write(text);
    errors.push(text);
  };
  const code = await ended(args, { out: (text) => { say(text.trimEnd()); }, error });
  if (lockedPattern.test(errors.join(""))) {
    throw new Refusal({
      what: `pulumi ${args.join(" ")} has done nothing`,
      rule: "the stack is locked by another update, or by one that was killed",
      next: `wait for its end; if it was killed, pulumi cancel --yes --stack ${args[args.indexOf("--stack") + 1] ?? "NAME"}, then the same command again`,
    });
  }
  if (code !== 0) console.error(`pulumi ${args.join(" ")} ended with ${code}.`);
  return code === 0;
}

/** Runs it for what it prints. */
export async function askPulumi(args: string[]): Promise<{ isWell: boolean; out: string; errors: string }> {
  const said: Record<"out" | "errors", string[]> = { out: [], errors: [] };
  const code = await ended(args, { out: (text) => said.out.push(text), error: (text) => said.errors.push(text) });
  return { isWell: code === 0, out: said.out.join(""), errors: said.errors.join("") };
}

/** The version of the pulumi that commands use; undefined where there is none on PATH. */
export async function pulumiVersion(): Promise<string | undefined> {
  const said: string[] = [];
  const code = await endedAs("pulumi", ["version"], { out: (text) => said.push(text), error: () => undefined });
  return code === 0 ? said.join("").trim() : undefined;
}

/** An update that nobody is asked about. @returns, and throws, as runPulumi */
export function updateStack(stack: string, say: Say): Promise<boolean> {
  return runPulumi(["up", "--yes", "--skip-preview", "--stack", stack], say);
}

/** Config is the truth: what was done to traffic is done to it, by the same program as always. @returns whether both ended well */
export async function bringInLine(stack: string, config: string[], say: Say): Promise<boolean> {
  try {
    return (await runPulumi(["config", ...config, "--stack", stack], say)) && (await updateStack(stack, say));
  } catch (error) {
    // Users have moved: that has to be said, too.
    console.error(messageOf(error));
    return false;
  }
}

interface Heard {
  out: (text: string) => unknown;
  error: (text: string) => unknown;
}

/** @returns how it ended */
async function ended(args: string[], heard: Heard): Promise<number | string> {
  return (await endedAs("pulumi", args, heard)) ?? (await endedAs(standIn[0], [...standIn.slice(1), ...args], heard)) ?? "nothing: it could not be started";
}

/** @returns undefined where there is no such program */
async function endedAs(command: string, args: string[], { out, error }: Heard): Promise<number | string | undefined> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.setEncoding("utf8").on("data", out);
  child.stderr.setEncoding("utf8").on("data", error);
  return once(child, "close").then(([code, signal]: unknown[]) => (typeof code === "number" ? code : String(signal)), () => undefined);
}
