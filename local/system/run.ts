import { spawn } from "node:child_process";

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Called with every whole line of standard error, for progress. */
  onErrorLine?: (line: string) => void;
}

/** A command that could not be started or ended with something other than 0. */
export class CommandError extends Error {
  constructor(
    readonly command: string,
    readonly reason: string,
    readonly output: string,
  ) {
    super(`\`${command}\` ${reason}${output === "" ? "" : `:\n${tail(output)}`}`);
  }
}

const tailLines = 15;

/** The last lines of a text, for error messages. */
export function tail(text: string): string {
  return text.trimEnd().split("\n").slice(-tailLines).join("\n");
}

/** Runs a command to its end and returns its standard output. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  let partial = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
    const lines = (partial + text).split("\n");
    partial = lines.pop() ?? "";
    lines.forEach((line) => options.onErrorLine?.(line));
  });
  return new Promise((resolve, reject) => {
    const shown = [command, ...args].join(" ");
    child.on("error", (error) => {
      reject(new CommandError(shown, `could not be started (${error.message})`, ""));
    });
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(
          new CommandError(
            shown,
            signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}`,
            errors + output,
          ),
        );
    });
  });
}
