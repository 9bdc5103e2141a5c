import { readFileSync } from "node:fs";

/** Of Linux, whatever the machine. */
const ticksPerSecond = 100;

/** User and system time, in seconds. */
export interface ProcessTime {
  own: number;
  /** Of the children that it has waited for. */
  children: number;
}

/** @returns undefined when there is no such process; @see proc(5) */
export function processTimeOf(pid: number | "self"): ProcessTime | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .map(Number);
  return { own: (user + system) / ticksPerSecond, children: (childUser + childSystem) / ticksPerSecond };
}
