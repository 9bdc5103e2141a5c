import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Runs `work` while no other process holds the lock on `file`.
 * The lock is the kernel's, held by a child that ends with its standard input:
 * a process that is killed leaves nothing locked.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  // Own process group: Ctrl-C at a terminal must not take the lock away before the work has ended.
  const holder = spawn("flock", [file, "sh", "-c", "echo locked; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const waiting = setTimeout(() => onWait?.(), 500);
  try {
    const locked = await Promise.race([
      once(holder.stdout, "data"),
      once(holder, "exit").then(() => undefined),
    ]);
    if (locked === undefined)
      throw new Error(`Cannot lock ${file}: flock ended. Check that the folder can be written to.`);
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    holder.stdin.end();
  }
}
