/**
 * The stack's lock, in the real CLI's place and form. Whoever holds it is named to whoever comes second. A lock
 * whose process has died on this machine is taken over; one from another machine only `cancel` removes.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { hostname, uptime, userInfo } from "node:os";
import { join } from "node:path";
import { EngineError } from "./errors";
import { isRecord } from "./project";

const CLOCK_TICKS_PER_SECOND = 100;
const START_TOLERANCE_MS = 2_000;

interface Holder {
  path: string;
  pid: number;
  host: string;
  user: string;
  time: string;
}

/** When the process with this id started, on systems that say so. */
function startedAt(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    return Date.now() - uptime() * 1000 + (ticks / CLOCK_TICKS_PER_SECOND) * 1000;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** A process id may have been given to another process since: that one started after the lock was made. */
function isStale(holder: Holder): boolean {
  if (holder.host !== hostname()) return false;
  if (!isAlive(holder.pid)) return true;
  const started = startedAt(holder.pid);
  return started !== undefined && started > Date.parse(holder.time) + START_TOLERANCE_MS;
}

function readHolder(path: string): Holder | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // released, or still being written: its owner looks for us after writing
  }
  if (!isRecord(json)) return undefined;
  return {
    path,
    pid: Number(json["pid"]),
    host: String(json["hostname"]),
    user: String(json["username"]),
    time: String(json["timestamp"]),
  };
}

function holders(directory: string, except?: string): Holder[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .map((name) => join(directory, name))
    .filter((path) => path !== except)
    .flatMap((path) => readHolder(path) ?? []);
}

function assertFree(directory: string, own?: string): void {
  const held = holders(directory, own).filter((holder) => {
    if (!isStale(holder)) return true;
    rmSync(holder.path, { force: true });
    return false;
  });
  if (held.length === 0) return;
  const list = held.map((holder) => `\n  ${holder.path}: created by ${holder.user}@${holder.host} (pid ${holder.pid}) at ${holder.time}`);
  throw new EngineError(
    `the stack is currently locked by ${held.length} lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.${list.join("")}`,
  );
}

/** Takes the lock or throws; returns what releases it. */
export function takeLock(directory: string): () => void {
  assertFree(directory);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${randomUUID()}.json`);
  const content = { pid: process.pid, username: userInfo().username, hostname: hostname(), timestamp: new Date().toISOString() };
  writeFileSync(path, JSON.stringify(content));
  const release = (): void => { rmSync(path, { force: true }); };
  try {
    // Two that wrote at the same time both see the other here, and both give way.
    assertFree(directory, path);
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/** Removes every lock of the stack; returns how many there were. */
export function breakLocks(directory: string): number {
  const found = holders(directory);
  found.forEach((holder) => { rmSync(holder.path, { force: true }); });
  return found.length;
}
