import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { repositoryDir } from "../../local/paths";

export interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

/** Runs a command of this folder as a user would, without a terminal. */
export async function runLocal(file: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(repositoryDir, "local", "bootstrap.mjs"), join("local", file), ...args], {
    cwd: repositoryDir,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close") as Promise<[number | null]>]);
  return { code, output, errors };
}
