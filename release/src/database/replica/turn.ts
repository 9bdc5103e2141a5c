import { lockHolder } from "../../migrations/advisoryLock.js";
import { Refusal } from "../../refusal.js";
import type { Server } from "./server.js";

/** Identifies this lock among all advisory locks of a database: the letters "bgre". */
const advisoryLock = 0x6267_7265;

/**
 * One release at a time changes the roles of the servers. The lock ends with the session.
 * @throws Refusal naming who has it
 */
export async function takeTurn(live: Server): Promise<void> {
  const { taken } = await live.row<{ taken: boolean }>("SELECT pg_try_advisory_lock($1) AS taken", [advisoryLock]);
  if (taken) return;
  throw new Refusal({
    what: `The databases were not touched: another release is at work on the server of ${live.color} (${await lockHolder(live, advisoryLock)})`,
    rule: "one at a time changes which server is the primary",
    next: "wait for it, or end it if it is dead: SELECT pg_terminate_backend(PID)",
  });
}
