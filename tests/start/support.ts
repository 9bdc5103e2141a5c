import { spawn } from "node:child_process";
import { join } from "node:path";
import { repositoryDir } from "../../local/paths";
import { endOf, type Ended } from "../support/endOf";

/** Runs a command of this folder as a user would, without a terminal. */
export function runLocal(file: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  return endOf(spawn(process.execPath, [join(repositoryDir, "local", "bootstrap.mjs"), join("local", file), ...args], {
    cwd: repositoryDir,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  }));
}
