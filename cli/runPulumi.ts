import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Say } from "@bluegreen/release/step";

/** What `npm run pulumi` runs where there is no pulumi on PATH. */
const standIn = [process.execPath, join(__dirname, "..", "local", "bootstrap.mjs"), "local/pulumi.ts"] as const;

/** Runs the program as a person would. What is wrong with it stands on the error output. @returns whether it ended well */
export async function runPulumi(args: string[], say: Say): Promise<boolean> {
  say(`pulumi ${args.join(" ")}`);
  const code = (await ended("pulumi", args, say)) ?? (await ended(standIn[0], [...standIn.slice(1), ...args], say));
  if (code !== 0) console.error(`pulumi ${args.join(" ")} ended with ${code ?? "nothing: it could not be started"}.`);
  return code === 0;
}

/** Config is the truth: what was done to traffic is done to it, by the same program as always. @returns whether both ended well */
export async function bringInLine(stack: string, config: string[], say: Say): Promise<boolean> {
  return (await runPulumi(["config", ...config, "--stack", stack], say)) && runPulumi(["up", "--yes", "--skip-preview", "--stack", stack], say);
}

/** @returns undefined where there is no such program */
async function ended(command: string, args: string[], say: Say): Promise<number | string | undefined> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.on("data", (chunk: Buffer) => { say(chunk.toString().trimEnd()); });
  return once(child, "close").then(([code, signal]: unknown[]) => (typeof code === "number" ? code : String(signal)), () => undefined);
}
