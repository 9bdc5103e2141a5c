import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../system/wait";

const mountPoint = "/sys/fs/cgroup";

/** True on a machine with the unified hierarchy (cgroup v2) alone. */
export function unifiedCgroups(): boolean {
  return existsSync(join(mountPoint, "cgroup.controllers"));
}

/** The folder of a cgroup in every hierarchy of the machine. */
async function foldersOf(name: string): Promise<string[]> {
  if (unifiedCgroups()) return [join(mountPoint, name)];
  return (await readdir(mountPoint)).map((hierarchy) => join(mountPoint, hierarchy, name));
}

/**
 * The pods' weight against everything else on the machine, each group and each process of the root
 * group being one other. By default all pods together weigh as much as one compiler, and starve
 * beside a build or an update; as on a real cluster, those shall not slow down what users get.
 */
const cpuWeight = { v1: ["cpu.shares", "16384"], v2: ["cpu.weight", "1600"] } as const;

/** Makes the cgroup that the kubelet puts pods below, so that two stages never clear away each other's. */
export async function makeCgroup(name: string): Promise<void> {
  for (const folder of await foldersOf(name)) {
    await mkdir(folder, { recursive: true });
    if (unifiedCgroups()) await delegate(name);
    // An empty cpuset (v1) lets no process in: take what the parent has.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      if (!unifiedCgroups() && existsSync(join(folder, file))) {
        await writeFile(join(folder, file), await readFile(join(folder, "..", file), "utf8"));
      }
    }
    const [file, weight] = unifiedCgroups() ? cpuWeight.v2 : cpuWeight.v1;
    if (existsSync(join(folder, file))) await writeFile(join(folder, file), weight);
  }
}

const controllers = "+cpu +cpuset +memory +pids";

async function delegate(name: string): Promise<void> {
  try {
    for (const folder of [mountPoint, join(mountPoint, name)]) {
      await writeFile(join(folder, "cgroup.subtree_control"), controllers);
    }
  } catch (error) {
    throw new Error(
      `The cgroup controllers ${controllers} cannot be handed down from ${mountPoint}. In a container that happens when its processes are in the root cgroup: start it with a cgroup namespace of its own and a manager such as systemd, or use a cluster you have: \`npm start -- --context NAME\`.`,
      { cause: error },
    );
  }
}

const removalTimeoutMs = 10_000;

/** Removes the cgroup with everything below it. Its processes have to be gone. */
export async function removeCgroup(name: string): Promise<void> {
  for (const folder of await foldersOf(name)) {
    // The kernel lets go of a cgroup a moment after its last process.
    await waitFor(
      async () => ((await removed(folder)) ? true : undefined),
      removalTimeoutMs,
      async () =>
        new Error(
          `The cgroup ${folder} cannot be removed: processes ${await processesBelow(folder)} are still in it.`,
        ),
    );
  }
}

async function removed(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return true;
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !(await removed(join(folder, entry.name)))) return false;
    }
    await rmdir(folder);
    return true;
  } catch {
    return false;
  }
}

async function processesBelow(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith("cgroup.procs"));
  const lists = await Promise.all(files.map(async (file) => readFile(join(folder, file), "utf8")));
  return lists.join("").trim().split("\n").join(", ");
}
