import type { Side } from "./side.js";

/**
 * Writes a mark into a server's log, and flushes it: what was committed before survives a crash.
 * @returns its place: who has come there has everything that was committed before
 */
export async function mark({ session }: Side): Promise<string> {
  const { rows } = await session.query<{ lsn: string }>("SELECT pg_logical_emit_message(true, 'bluegreen', '')::text AS lsn");
  const [found] = rows;
  if (found === undefined) throw new Error("PostgreSQL returned no place in its log");
  return found.lsn;
}
