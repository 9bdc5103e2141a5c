import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { layout } from "../../../local/cluster/layout";
import { componentStatuses, supervisorPid } from "../../../local/cluster/supervisor";
import { insideNetwork, stopStage } from "../../../local/stage";
import { waitFor } from "../../../local/system/wait";

const execute = promisify(execFile);

/** Makes the stage of this process one of its own, beside the user's. Returns how to remove it. */
export async function ownStageDir(): Promise<() => Promise<void>> {
  const parent = await mkdtemp(join(tmpdir(), "bg-stage-"));
  const before = process.env["BLUEGREEN_STAGE_DIR"];
  process.env["BLUEGREEN_STAGE_DIR"] = join(parent, "s");
  return async () => {
    process.env["BLUEGREEN_STAGE_DIR"] = join(parent, "s");
    await stopStage();
    if (before === undefined) delete process.env["BLUEGREEN_STAGE_DIR"];
    else process.env["BLUEGREEN_STAGE_DIR"] = before;
    await rm(parent, { recursive: true, force: true });
  };
}

/** Process id of the running supervisor. */
export async function runningSupervisor(): Promise<number> {
  const pid = await supervisorPid(layout());
  if (pid === undefined) throw new Error(`No supervisor of ${layout().root} runs.`);
  return pid;
}

/** Kills one component, which is known by its process id inside the stage only. */
export async function killComponent(name: string): Promise<void> {
  const status = (await componentStatuses(layout())).get(name);
  if (status === undefined || status.pid === 0) throw new Error(`${name} does not run.`);
  await execute("nsenter", [
    `--target=${String(await runningSupervisor())}`,
    "--pid",
    "--mount",
    "sh",
    "-c",
    `kill -9 ${String(status.pid)}`,
  ]);
  // Until the supervisor has noticed, its status still says that all is well.
  await waitFor(
    async () => ((await componentStatuses(layout())).get(name)?.pid === status.pid ? undefined : true),
    10_000,
    () => Promise.resolve(new Error(`The supervisor does not notice that ${name} was killed.`)),
  );
}

/** What a GET answers inside the stage's network. */
export async function getInside(url: string): Promise<string> {
  const [command = "", ...args] = await insideNetwork([
    process.execPath,
    "-e",
    "fetch(process.argv[1]).then(async (answer) => process.stdout.write(await answer.text()))",
    url,
  ]);
  return (await execute(command, args)).stdout;
}
