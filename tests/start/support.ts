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

/** Whether nothing listens at the address of a URL any more. */
export async function isRefused(url: string): Promise<boolean> {
  const failure = await fetch(url).then(() => undefined, (error: unknown) => error);
  return failure instanceof TypeError && failure.cause instanceof Error && "code" in failure.cause && failure.cause.code === "ECONNREFUSED";
}

/** The two links that the last words of npm start show. */
export function linksIn(words: string): { app: string; dashboard: string } {
  const [, app, dashboard] = /^Open in a browser:\n {2}the app +(http:\/\/127\.0\.0\.1:\d+\/)\n {2}the dashboard +(http:\/\/127\.0\.0\.1:\d+\/\?token=\S+)$/m.exec(words) ?? [];
  if (app === undefined || dashboard === undefined) throw new Error(`There are no two links in:\n${words}`);
  return { app, dashboard };
}
