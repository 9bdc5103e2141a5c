import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readWorkflow, type WorkflowStep } from "./workflows";

export interface JobRun {
  /** Of each step that has commands: how it ended. */
  codes: Record<string, number | null>;
  said: string;
  /** What takes GitHub or a registry. */
  notRun: string[];
}

export interface Runner {
  folder: string;
  /** Wins over what a workflow sets. */
  env: Record<string, string>;
}

export interface JobOptions {
  /** What GitHub would put in place of an expression. */
  values?: Record<string, string>;
  /** Called with each process, when it has begun. */
  started?: (step: string, child: ChildProcess) => void;
}

/**
 * Runs a job's own commands, as a runner would, one step after the other: after one that failed, those alone
 * that are for it.
 */
export async function runJob(
  { folder, env }: Runner,
  file: string,
  name: string,
  { values = {}, started }: JobOptions = {},
): Promise<JobRun> {
  const workflow = readWorkflow(file);
  const job = workflow.jobs[name];
  if (job === undefined) throw new Error(`${file} has no job ${name}`);
  const id = randomUUID();
  const known: Record<string, string> = { ...values };
  const run: JobRun = { codes: {}, said: "", notRun: [] };
  let hasFailed = false;
  for (const [index, step] of job.steps.entries()) {
    const title = step.name ?? step.uses ?? String(index);
    if (step.run === undefined) run.notRun.push(step.uses ?? title);
    if (step.run === undefined || (hasFailed && !runsAfterFailure(step))) continue;
    const output = join(folder, ".git", `output-${index}`);
    writeFileSync(output, "");
    const evaluated = Object.fromEntries(
      Object.entries({ ...workflow.env, ...job.env, ...step.env }).map(([key, value]) => [
        key,
        evaluate(value, known),
      ]),
    );
    const { code, said } = await runCommands(
      step.run,
      {
        folder,
        env: {
          ...evaluated,
          GITHUB_RUN_ID: id,
          GITHUB_OUTPUT: output,
          GITHUB_STEP_SUMMARY: join(folder, ".git", "summary"),
          ...env,
        },
      },
      (child) => started?.(title, child),
    );
    run.codes[title] = code;
    run.said += said;
    hasFailed ||= code !== 0;
    for (const line of readFileSync(output, "utf8").split("\n")) {
      const [, key, value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (key !== undefined && step.id !== undefined) known[`steps.${step.id}.outputs.${key}`] = value;
    }
  }
  return run;
}

/** As GitHub and GitLab do, in a shell that ends with the first command that fails. */
export async function runCommands(
  commands: string,
  { folder, env }: Runner,
  started: (child: ChildProcess) => void = () => undefined,
): Promise<{ code: number | null; said: string }> {
  const child = spawn("bash", ["-e", "-o", "pipefail", "-c", commands], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  started(child);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said: said.join("") };
}

function runsAfterFailure({ if: condition = "" }: WorkflowStep): boolean {
  return /always\(\)|!cancelled\(\)/.test(condition);
}

function evaluate(text: string, known: Record<string, string>): string {
  return text.replaceAll(/\$\{\{ *(.+?) *\}\}/g, (_all, expression: string) => {
    const value = known[expression];
    if (value === undefined) throw new Error(`the test says nothing of \${{ ${expression} }}`);
    return value;
  });
}
