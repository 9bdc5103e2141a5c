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
  const { code, locked } = (await ended("pulumi", args, say)) ?? (await ended(standIn[0], [...standIn.slice(1), ...args], say)) ?? { code: "nothing: it could not be started", locked: false };
  if (locked) {
    throw new Refusal({
      what: `pulumi ${args.join(" ")} has done nothing`,
      rule: "the stack is locked by another update, or by one that was killed",
      next: `wait for its end; if it was killed, pulumi cancel --yes --stack ${args[args.indexOf("--stack") + 1] ?? "NAME"}, then the same command again`,
    });
  }
  if (code !== 0) console.error(`pulumi ${args.join(" ")} ended with ${code}.`);
  return code === 0;
}

/** Config is the truth: what was done to traffic is done to it, by the same program as always. @returns whether both ended well */
export async function bringInLine(stack: string, config: string[], say: Say): Promise<boolean> {
  try {
    return (await runPulumi(["config", ...config, "--stack", stack], say)) && (await runPulumi(["up", "--yes", "--skip-preview", "--stack", stack], say));
  } catch (error) {
    // Users have moved: that has to be said, too.
    console.error(messageOf(error));
    return false;
  }
}

/** @returns undefined where there is no such program */
async function ended(command: string, args: string[], say: Say): Promise<{ code: number | string; locked: boolean } | undefined> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let locked = false;
  child.stdout.on("data", (chunk: Buffer) => { say(chunk.toString().trimEnd()); });
  child.stderr.on("data", (chunk: Buffer) => {
    process.stderr.write(chunk);
    locked ||= lockedPattern.test(chunk.toString());
  });
  return once(child, "close").then(([code, signal]: unknown[]) => ({ code: typeof code === "number" ? code : String(signal), locked }), () => undefined);
}
