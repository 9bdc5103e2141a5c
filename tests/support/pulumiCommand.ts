import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { repositoryDir, typescript } from "../../local/paths";
import type { TestStack } from "./testStack";

/** The command as a person types it, in a process group of its own; its output is for whoever wants it. */
export function pulumi(test: TestStack, env: Record<string, string>, ...args: string[]): ChildProcessByStdio<null, Readable, null> {
  const command = ["-r", typescript, join(repositoryDir, "local/engine/cli.ts"), ...args];
  return spawn(process.execPath, command, { cwd: repositoryDir, env: { ...process.env, ...test.env, ...env }, stdio: ["ignore", "pipe", "ignore"], detached: true });
}
