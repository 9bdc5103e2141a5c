import { messageOf, Refusal } from "../refusal.js";
import type { Say } from "../step.js";

const unreachableCodes = new Set(["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOENT", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT"]);

/** Nobody answers at a database's URL, or not to who asks. */
export class UnreachableError extends Refusal {}

/**
 * Looks into a database that may be out of reach: of the machine that checks a pull request, or in a
 * rollback at night. That refuses nothing, but it is said. Any other failure stays one.
 */
export async function ifReachable<T>(look: () => Promise<T>, say: Say): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    say(`The database was not asked: it cannot be reached from here (${messageOf(error)})`);
    return undefined;
  }
}

function isUnreachable(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  if (!(error instanceof Error)) return false;
  // pg's own time-out carries no code.
  return ("code" in error && unreachableCodes.has(String(error.code))) || error.message === "timeout expired";
}
