import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** A process that has ended, and what it has said. */
export interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

export async function endOf(child: ChildProcess & { stdout: Readable; stderr: Readable }): Promise<Ended> {
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, output, errors };
}
