import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { repositoryDir } from "../../local/paths";
import type { TestStack } from "../../local/testing/testStack";

/** Where a command is typed: the folder of a program, and what its shell has exported. */
export type Desk = Pick<TestStack, "name" | "workDir" | "env">;

/** A command of `bluegreen` that has ended. */
export interface Typed {
  code: number | null;
  out: string;
  errors: string;
  /** Both, in the order in which they came, as a terminal shows them. */
  said: string;
}

interface Shell {
  /** Beside what a shell of the stack's has exported. */
  env?: Record<string, string>;
  /** In a process group of its own, as a shell with job control gives it one. */
  detached?: true;
}

/** Types a command in the folder of a stack's program. */
export function start(
  desk: Desk,
  { env, ...shell }: Shell,
  ...args: string[]
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [join(repositoryDir, "cli/bluegreen.mjs"), ...args, "--stack", desk.name], {
    cwd: desk.workDir,
    env: { ...process.env, ...desk.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...shell,
  });
}

/** The same, to its end. Not waited for in one piece: users and crowds of a test live in this process. */
export async function bluegreen(desk: Desk, ...args: string[]): Promise<Typed> {
  const child = start(desk, {}, ...args);
  const said: { out: string; errors: string; all: string } = { out: "", errors: "", all: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
    said.all += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.errors += text;
    said.all += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out: said.out, errors: said.errors, said: said.all };
}
