import { readdirSync, readFileSync } from "node:fs";
import { processTimeOf } from "../local/system/processTime";

/** What a process of an update is there for, by its command line. The first that fits. */
const roles = {
  program: /@pulumi\/pulumi\/cmd\/run\//,
  steps: /pulumi-resource-pulumi-nodejs/,
  "Kubernetes provider": /pulumi-resource-kubernetes/,
  engine: /^\S*pulumi(-language-\S+)? /,
} as const;

export type Role = keyof typeof roles | "others";

export interface Cost {
  seconds: number;
  /** Processor seconds of the processes that the work has started. */
  cpu: Record<Role, number>;
  /** Seconds in which none of them was at work: they waited for the cluster, a database or each other. */
  waiting: number;
  /** The most memory that they had together, in MiB. */
  memory: number;
}

const pageBytes = 4096;

/** Often enough that little of a process that ends is missed. */
const sampleMs = 20;

interface Seen {
  role: Role;
  seconds: number;
}

/** What some work costs in the processes that it starts. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const seen = new Map<number, Seen>();
  const before = new Set(below(process.pid));
  const started = performance.now();
  let [waiting, memory, at, worked] = [0, 0, started, 0];
  const sample = () => {
    const pids = below(process.pid).filter((pid) => !before.has(pid));
    for (const pid of pids) {
      const found = read(pid, seen.get(pid));
      if (found !== undefined) seen.set(pid, found);
    }
    const now = performance.now();
    const total = [...seen.values()].reduce((sum, each) => sum + each.seconds, 0);
    if (total === worked) waiting += (now - at) / 1000;
    [at, worked, memory] = [
      now,
      total,
      Math.max(
        memory,
        pids.reduce((sum, pid) => sum + residentMiB(pid), 0),
      ),
    ];
  };
  const timer = setInterval(sample, sampleMs);
  try {
    await work();
    sample();
  } finally {
    clearInterval(timer);
  }
  const cpu: Record<Role, number> = { program: 0, steps: 0, "Kubernetes provider": 0, engine: 0, others: 0 };
  for (const each of seen.values()) cpu[each.role] += each.seconds;
  return { seconds: (performance.now() - started) / 1000, cpu, waiting, memory };
}

/** All that a process has started, and what those have. */
function below(pid: number): number[] {
  const children = tasksOf(pid).flatMap((task) =>
    textOf(`/proc/${pid}/task/${task}/children`)
      .split(" ")
      .filter((each) => each !== "")
      .map(Number),
  );
  return children.flatMap((child) => [child, ...below(child)]);
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** @returns undefined when it has ended */
function read(pid: number, known: Seen | undefined): Seen | undefined {
  const time = processTimeOf(pid);
  if (time === undefined) return undefined;
  const command = textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
  const [role] = Object.entries(roles).find(([, pattern]) => pattern.test(command)) ?? ["others"];
  // One that nobody has waited for yet has no command line any more.
  return { role: command === "" && known !== undefined ? known.role : (role as Role), seconds: time.own };
}

function residentMiB(pid: number): number {
  return (Number(textOf(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * pageBytes) / 2 ** 20;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
