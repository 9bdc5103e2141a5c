import { messageOf, UserError } from "../util/userError.js";
import type { Say } from "../util/step.js";

const unreachableCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
]);

/** Nobody answers at a database's URL, or not to who asks. */
export class UnreachableError extends UserError {}

/** Nobody is asked here: the database is only reached from the cluster, by a pod that an update makes. */
export class NotAskedError extends Error {
  constructor() {
    super("database.runIn is cluster, and only an update makes the relay pod");
  }
}

/**
 * Asks a database that may be out of reach: of the machine that checks a pull request, or in a
 * rollback at night. That refuses nothing, but it is said. Any other failure stays one.
 */
export async function ifReachable<T>(ask: () => Promise<T>, say: Say): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    say(
      error instanceof NotAskedError
        ? `The database was not asked: ${error.message}`
        : `The database was not asked: it cannot be reached from here (${messageOf(error)})`,
    );
    return undefined;
  }
}

/** The database does not exist, or the role of its URL; to a server that tells nobody which, the password is wrong. */
const notMadeCodes = new Set(["3D000", "28000", "28P01"]);

/**
 * The same before an update that may make the database, or its account: there is nothing to ask yet. Where it
 * makes none, its first step in that database fails.
 */
export async function ifMade<T>(ask: () => Promise<T>, say: Say): Promise<T | undefined> {
  try {
    return await ifReachable(ask, say);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && notMadeCodes.has(String(error.code)))) throw error;
    say(`The database was not asked: it is not there yet (${messageOf(error)})`);
    return undefined;
  }
}

function isUnreachable(error: unknown): boolean {
  if (error instanceof UnreachableError || error instanceof NotAskedError) return true;
  if (!(error instanceof Error)) return false;
  // pg's own time-out carries no code.
  return ("code" in error && unreachableCodes.has(String(error.code))) || error.message === "timeout expired";
}
