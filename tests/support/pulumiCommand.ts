import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { repositoryDir } from "../../local/paths";
import type { TestStack } from "../../local/testing/testStack";

/** The command as a person types it, in a process group of its own; its output is for whoever wants it. */
export function pulumi(
  test: TestStack,
  env: Record<string, string>,
  ...args: string[]
): ChildProcessByStdio<null, Readable, null> {
  return spawn("pulumi", args, {
    cwd: repositoryDir,
    env: { ...process.env, PULUMI_NODEJS_TRANSPILE_ONLY: "true", ...test.env, ...env },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
}
