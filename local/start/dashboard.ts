/**
 * The dashboard that `npm start` leaves running: a process of the dev cluster, and not of the terminal that
 * started it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Layout } from "../cluster/layout";
import { repositoryDir } from "../paths";
import { findProcesses, killProcesses } from "../system/processes";
import { tail } from "../system/run";
import { waitFor } from "../system/wait";
import { stackEnvironment, type StackHome } from "./home";

/** Set for the dashboard and inherited by every command that it runs: the cluster that they belong to. */
const marker = "BLUEGREEN_DASHBOARD_OF";

function belongsTo({ root }: Layout): (args: string[], environment: string[]) => boolean {
  return (_args, environment) => environment.includes(`${marker}=${root}`);
}

/** Bundling the page takes seconds of processor time, and the machine may be busy. */
const startTimeoutMs = 120_000;

/** Starts the dashboard of a stack, or keeps the one that runs. */
export async function openDashboard(paths: Layout, home: StackHome): Promise<void> {
  if ((await dashboardUrl(paths)) !== undefined) return;
  await killDashboard(paths);
  const log = await open(paths.dashboardLog, "w", 0o600);
  const child = spawn(
    process.execPath,
    [join(repositoryDir, "dist", "cli", "main.js"), "dashboard", "--stack", home.stack],
    {
      cwd: repositoryDir,
      // A passphrase in the environment is another stack's, and would win over the file.
      env: {
        ...process.env,
        PULUMI_CONFIG_PASSPHRASE: undefined,
        KUBECONFIG: paths.kubeconfig,
        ...stackEnvironment(home),
        [marker]: paths.root,
      },
      stdio: ["ignore", log.fd, log.fd],
      // In a session of its own: the terminal's end is not its end.
      detached: true,
    },
  );
  try {
    await once(child, "spawn");
    child.unref();
    await waitFor(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null)
          throw await failure(paths, "ended while it started");
        return urlIn(await readFile(paths.dashboardLog, "utf8"));
      },
      startTimeoutMs,
      async () => failure(paths, `printed no address within ${startTimeoutMs / 1000} s`),
    );
  } catch (error) {
    await killDashboard(paths);
    throw error;
  } finally {
    await log.close();
  }
}

/** Address of the dashboard with its token, as it printed it; undefined when none runs. */
export async function dashboardUrl(paths: Layout): Promise<string | undefined> {
  const isDashboard = belongsTo(paths);
  const running = await findProcesses(
    (args, environment) => args.includes("dashboard") && isDashboard(args, environment),
  );
  return running.length === 0 ? undefined : urlIn(await readFile(paths.dashboardLog, "utf8"));
}

/** Ends the dashboard and every command that it runs. */
export async function killDashboard(paths: Layout): Promise<void> {
  const isOfIt = belongsTo(paths);
  do await killProcesses(isOfIt);
  while (
    // One that was killed may have started another just before.
    (await findProcesses(isOfIt)).length > 0
  );
}

function urlIn(printed: string): string | undefined {
  return /^http:\/\/127\.0\.0\.1:\d+\/\?token=\S+$/m.exec(printed)?.[0];
}

async function failure(paths: Layout, reason: string): Promise<Error> {
  return new Error(
    `The dashboard ${reason}. The end of ${paths.dashboardLog}:\n${tail(await readFile(paths.dashboardLog, "utf8"))}`,
  );
}
