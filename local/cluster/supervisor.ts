import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { findProcesses, killProcesses } from "../system/processes";
import { run } from "../system/run";
import { waitFor } from "../system/wait";
import { components, type Component } from "./components";
import { inside, network, nodeName, type Layout } from "./layout";
import type { Programs } from "../programs/programs";

/** What the supervisor says about one component. */
export interface ComponentStatus {
  /** Process id inside the stage; 0 while it waits or is down. */
  pid: number;
  /** How often it was started: more than once means that it ended. */
  starts: number;
  /** When it was started last, in milliseconds since 1970. */
  since: number;
  lastExit: string;
}

/**
 * Sysctls that the kubelet insists on and that belong to the whole machine: it
 * finds what it wants in files of the stage, and the machine's stay as they are.
 */
const kernelSettings: Record<string, string> = {
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

/** Folders that components write to under fixed names. */
const fixedFolders = ["/var/lib", "/var/log"];

/**
 * Loopback ports outside, by what they lead to. Nothing answers at the edge's or the app's until there is an
 * edge or an app.
 */
export interface Ports {
  api: number;
  edge: number;
  app: number;
}

/** Starts the supervisor, which starts everything else, and returns the ports that lead into the stage. */
export async function startSupervisor(paths: Layout, programs: Programs): Promise<Ports> {
  await writeFile(paths.supervisor, JSON.stringify(await description(paths, programs), undefined, 2), {
    mode: 0o600,
  });
  const answer: unknown = JSON.parse(
    await run(join(programs.supervisor, "supervisor"), ["start", paths.supervisor]),
  );
  const ports: unknown =
    typeof answer === "object" && answer !== null && "ports" in answer ? answer.ports : undefined;
  const [api, edge, app] = Array.isArray(ports) ? (ports as unknown[]) : [];
  if (typeof api !== "number" || typeof edge !== "number" || typeof app !== "number") {
    throw new Error(
      `The supervisor answered ${JSON.stringify(answer)} instead of its ports. Its log: ${supervisorLog(paths)}`,
    );
  }
  return { api, edge, app };
}

/** Notes the ports of a stage whose start is complete. */
export async function writePorts(paths: Layout, ports: Ports): Promise<void> {
  await writeFile(`${paths.ports}.new`, JSON.stringify(ports));
  await rename(`${paths.ports}.new`, paths.ports);
}

export async function readPorts(paths: Layout): Promise<Ports> {
  return JSON.parse(await readFile(paths.ports, "utf8")) as Ports; // written by writePorts
}

const addTimeoutMs = 10_000;

/** Adds a component to the supervisor that runs; whatever runs already stays as it is. */
export async function addComponent(paths: Layout, component: Component): Promise<void> {
  const pid = await supervisorPid(paths);
  if (pid === undefined) throw new Error("The stage does not run. Start it: npm start");
  const stage = JSON.parse(await readFile(paths.supervisor, "utf8")) as { components: Component[] }; // written by startSupervisor
  const components = [...stage.components.filter(({ name }) => name !== component.name), component];
  await writeFile(`${paths.supervisor}.new`, JSON.stringify({ ...stage, components }, undefined, 2), {
    mode: 0o600,
  });
  await rename(`${paths.supervisor}.new`, paths.supervisor);
  process.kill(pid, "SIGHUP");
  await waitFor(
    async () => ((await componentStatuses(paths)).has(component.name) ? true : undefined),
    addTimeoutMs,
    () =>
      Promise.resolve(
        new Error(
          `The supervisor does not start ${component.name}. Its log: ${supervisorLog(paths)}. Restart the stage: npm run stop && npm start`,
        ),
      ),
  );
}

/** Log of the supervisor itself. */
export function supervisorLog(paths: Layout): string {
  return join(paths.logs, "supervisor.log");
}

function isSupervisor(paths: Layout): (args: string[]) => boolean {
  return ([program, command, file]) =>
    program !== undefined &&
    basename(program) === "supervisor" &&
    (command === "init" || command === "start") &&
    file === paths.supervisor;
}

/** Process id of the supervisor, outside; undefined when it does not run. */
export async function supervisorPid(paths: Layout): Promise<number | undefined> {
  return (await findProcesses(isSupervisor(paths)))[0];
}

/** Ends the supervisor. It is process 1 of its namespace: the kernel ends everything in there with it. */
export async function killSupervisor(paths: Layout): Promise<void> {
  await killProcesses(isSupervisor(paths));
}

/** Status of every component; empty before the first one started. */
export async function componentStatuses(paths: Layout): Promise<Map<string, ComponentStatus>> {
  let text: string;
  try {
    text = await readFile(paths.status, "utf8");
  } catch {
    return new Map();
  }
  const statuses = JSON.parse(text) as Record<string, ComponentStatus>; // our own program's file
  return new Map(Object.entries(statuses));
}

async function description(paths: Layout, programs: Programs): Promise<object> {
  return {
    hostname: nodeName,
    log: supervisorLog(paths),
    status: paths.status,
    mounts: [
      ...(await kernelMounts(paths)),
      ...(await folderMounts(paths)),
      { target: "/run", mode: "755" },
      // PostgreSQL's and the containers' shared memory goes with the stage.
      { target: "/dev/shm", mode: "1777" },
      { source: paths.postgres, target: inside.postgres },
      { source: paths.redis, target: inside.redis },
    ],
    sysctls: [{ file: "/proc/sys/net/ipv4/ip_forward", value: "1" }],
    setup: [
      ["ip", "link", "set", "lo", "up"],
      ["ip", "link", "add", "node0", "type", "bridge"],
      ["ip", "address", "add", network.nodePrefix, "dev", "node0"],
      ["ip", "link", "set", "node0", "up"],
      // Without a route, a connection to a Service fails before the Service rules are asked.
      ["ip", "route", "add", network.services, "dev", "node0"],
    ],
    // In the order of Ports.
    forwards: [
      `127.0.0.1:${String(network.apiPort)}`,
      `${network.node}:${String(network.edgePort)}`,
      paths.appAddress,
    ],
    components: await components(paths, programs),
  };
}

interface Mount {
  source: string;
  target: string;
}

async function kernelMounts(paths: Layout): Promise<Mount[]> {
  return Promise.all(
    Object.entries(kernelSettings).map(async ([name, value]) => {
      const source = join(paths.fixed, name.replaceAll("/", "-"));
      await writeFile(source, value);
      return { source, target: `/proc/sys/${name}` };
    }),
  );
}

async function folderMounts(paths: Layout): Promise<Mount[]> {
  return Promise.all(
    fixedFolders.map(async (target) => {
      const source = join(paths.fixed, target.slice(1).replaceAll("/", "-"));
      await mkdir(source, { recursive: true });
      return { source, target };
    }),
  );
}
