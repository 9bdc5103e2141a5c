import { fstatSync } from "node:fs";

let gone: AbortController | undefined;

/**
 * Aborted once the process that started this one is gone. Pulumi's provider process outlives a
 * pulumi that was killed: nobody tells it, and its parent is a shell that lives on. What ends is
 * the pipe that its standard input is. Never aborted where that is no pipe.
 */
export function starterGone(): AbortSignal {
  if (gone !== undefined) return gone.signal;
  const controller = new AbortController();
  gone = controller;
  // What is said once nobody listens is lost. Otherwise it would be an error, which the provider process says, which is an error: for ever.
  for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);
  if (!isPipe(process.stdin.fd)) return controller.signal;
  const end = () => {
    controller.abort(new Error("the process that started this one is gone"));
  };
  process.stdin.once("end", end).once("error", end).resume();
  // To listen is no reason to live on.
  process.stdin.unref();
  return controller.signal;
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
