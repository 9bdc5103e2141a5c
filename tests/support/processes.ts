import { readFileSync } from "node:fs";
import { poll } from "@bluegreen/release";

/** Whether a process is there, and not only waited for by its parent. */
export function lives(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** @throws DeadlineError when it does not end */
export async function gone(pid: number): Promise<void> {
  await poll(() => Promise.resolve(lives(pid) ? undefined : true), { timeoutMs: 300_000 });
}
