/** The user's program, run unchanged by the SDK's own runner in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { messageOf } from "./errors";
import type { Project } from "./project";

/** The runner's exit code for "failed, and the user has been told why". */
const ALREADY_REPORTED = 32;
/** For every process the engine starts: it ends when the engine does, even if that is killed. */
export const DIE_WITH_PARENT = join(__dirname, "dieWithParent.cjs");
const KILL_AFTER_MS = 5_000;

export interface ProgramOptions {
  project: Project;
  stack: string;
  organization: string;
  monitorAddress: string;
  engineAddress: string;
  preview: boolean;
  parallel: number;
  config: Record<string, string>;
  secretKeys: string[];
  env: Record<string, string>;
  /** What the program prints. */
  output(line: string): void;
}

export class Program {
  private readonly child: ChildProcess;
  /** Undefined: ended well. Otherwise why not; empty when the program has said so itself. */
  readonly ended: Promise<string | undefined>;

  constructor(options: ProgramOptions) {
    const { project } = options;
    const runner = require.resolve("@pulumi/pulumi/cmd/run/index.js", { paths: [project.directory] });
    const args = [
      "-r",
      DIE_WITH_PARENT,
      ...project.nodeArgs,
      runner,
      `--monitor=${options.monitorAddress}`,
      `--engine=${options.engineAddress}`,
      `--organization=${options.organization}`,
      `--project=${project.name}`,
      `--stack=${options.stack}`,
      `--pwd=${project.directory}`,
      `--root-directory=${project.directory}`,
      ...(options.preview ? ["--dry-run"] : []),
      `--parallel=${options.parallel}`,
      project.main === "" ? "." : project.main,
    ];
    this.child = spawn(process.execPath, args, {
      cwd: project.directory,
      env: {
        // Types are checked in CI, not at every run; who wants it here too sets the variable to false.
        PULUMI_NODEJS_TRANSPILE_ONLY: "true",
        ...options.env,
        PULUMI_NODEJS_TYPESCRIPT: String(project.typescript),
        PULUMI_CONFIG: JSON.stringify(options.config),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(options.secretKeys),
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => { options.output(line); });
    }
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) => { resolve(`the program did not start: ${messageOf(error)}`); });
      this.child.once("close", (code, signal) => {
        if (code === 0) resolve(undefined);
        else if (code === ALREADY_REPORTED) resolve("");
        else resolve(signal ? `the program was ended by ${signal}` : `the program ended with exit code ${String(code)}`);
      });
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGTERM");
      const timer = setTimeout(() => this.child.kill("SIGKILL"), KILL_AFTER_MS);
      await this.ended;
      clearTimeout(timer);
    }
  }
}

