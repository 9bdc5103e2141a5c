import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { poll } from "@bluegreen/release";
import { repositoryDir } from "../../local/paths";
import { killProcesses } from "../../local/system/processes";
import type { TestStack } from "./testStack";

/** Starts `up` as a person would, and kills it with everything it started once `reached` is true. */
export async function killedUpdate({ name, env }: TestStack, reached: () => Promise<boolean>): Promise<void> {
  const child = pulumi("up");
  const exit = once(child, "exit");
  let ended = false;
  void exit.then(() => { ended = true; });
  await poll(
    async () => {
      if (ended) throw new Error("the update ended before it could be killed");
      return (await reached()) ? true : undefined;
    },
    { timeoutMs: 120_000, intervalMs: 20 },
  );
  // The whole process group: nothing of it gets to clean up.
  process.kill(-(child.pid ?? 0), "SIGKILL");
  await exit;
  // The real CLI puts its plugins into groups of their own, where they outlive it.
  await killProcesses((_args, environment) => environment.includes(`PULUMI_BACKEND_URL=${env["PULUMI_BACKEND_URL"] ?? ""}`));
  // A killed update leaves the state locked. The stand-in sees that the owner is dead; the real CLI wants to be told.
  await once(pulumi("cancel"), "exit");

  function pulumi(operation: string) {
    const command = ["-r", "ts-node/register/transpile-only", join(repositoryDir, "local/engine/cli.ts"), operation, "--yes", "--stack", name];
    return spawn(process.execPath, command, { cwd: repositoryDir, env: { ...process.env, ...env }, stdio: "ignore", detached: true });
  }
}
