import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, poll } from "@bluegreen/release";
import { killProcesses } from "../../local/system/processes";
import { pulumi } from "./pulumiCommand";
import type { TestStack } from "../../local/testing/testStack";

/**
 * Starts `up` as a person would, and kills it with everything it started once `reached` is true.
 * @param reached gets what the update has printed so far
 */
export async function killUpdate(
  test: TestStack,
  reached: (said: string) => Promise<boolean>,
): Promise<void> {
  const child = pulumi(test, {}, "up", "--yes", "--stack", test.name);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const exit = once(child, "exit");
  let ended = false;
  void exit.then(() => {
    ended = true;
  });
  await poll(
    async () => {
      if (ended) throw new Error("the update ended before it could be killed");
      return (await reached(said)) ? true : undefined;
    },
    { timeoutMs: 600_000, intervalMs: 20 },
  );
  // The whole process group: nothing of it gets to clean up.
  process.kill(-(child.pid ?? 0), "SIGKILL");
  await exit;
  await endKilled(test);
  // A killed update leaves the stack locked.
  await test.stack.cancel().catch(async (error: unknown) => {
    // At that very moment it wrote its state: the one before is beside it, as docs/runbooks/troubleshooting.md says.
    if (!messageOf(error).includes("failed to load checkpoint")) throw error;
    const file = join(test.backend, ".pulumi", "stacks", "chatgpt-app", `${test.name}.json`);
    await copyFile(`${file}.bak`, file);
    await test.stack.cancel();
  });
}

/** Pulumi puts its plugins into groups of their own, where they outlive it. */
export async function endKilled({ env }: TestStack): Promise<void> {
  await killProcesses((_args, environment) =>
    environment.includes(`PULUMI_BACKEND_URL=${env["PULUMI_BACKEND_URL"] ?? ""}`),
  );
}
