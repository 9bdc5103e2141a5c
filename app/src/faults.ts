import type { RequestHandler } from "express";
import { FAULT } from "./build";
import { PROBE_PATHS } from "./health";
import type { Log } from "./log";

/** Several runs of the smoke suite stay below it, a second or two of users' traffic does not. */
const HEALTHY_REQUESTS = 300;
/** Beyond it a leak proves nothing more, and would only harm a machine that sets no limit. */
const MAX_LEAK_BYTES = 2 ** 31;
const MEBIBYTE = 2 ** 20;

function crash(log: Log): never {
  log("error", `fault build ${FAULT}: the process ends now`);
  process.exit(1);
}

/** The fault that ends the process whether or not anybody uses it. */
export function startFault(log: Log): void {
  if (FAULT === "crash")
    setTimeout(() => {
      crash(log);
    }, 1000);
}

/**
 * The faults that show under users' traffic only: probes and the smoke gate pass, then it goes
 * wrong. Counted in requests, not time, so that waiting before the switch does not uncover them.
 */
export function faultyRequests(log: Log): RequestHandler {
  let requests = 0;
  const leaked: Buffer[] = [];

  return (request, _response, next) => {
    if (!PROBE_PATHS.has(request.path)) requests += 1;
    if (PROBE_PATHS.has(request.path) || requests <= HEALTHY_REQUESTS) {
      next();
    } else if (FAULT === "errors" && requests % 3 === 0) {
      next(new Error("fault build errors: this request fails"));
    } else if (FAULT === "late-crash") {
      crash(log);
    } else if (FAULT === "slow") {
      setTimeout(next, 2000);
    } else {
      // Filled, because memory that was never written is not counted against the limit.
      if (FAULT === "leak" && leaked.length * MEBIBYTE < MAX_LEAK_BYTES)
        leaked.push(Buffer.alloc(MEBIBYTE, 1));
      next();
    }
  };
}
