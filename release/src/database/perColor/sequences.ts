import type { Direction } from "./side.js";
import { ofUsers } from "./tables.js";

/**
 * A sequence goes on so far ahead of the other side's: numbers that a late writer still draws there
 * are not drawn here again. Less where a sequence has little left.
 */
const jump = 1000;

const sequencesOf = `SELECT format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement AS step,
    coalesce(pg_sequence_last_value(c.oid), s.seqstart) AS value, CASE WHEN s.seqincrement > 0 THEN s.seqmax ELSE s.seqmin END AS bound
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid WHERE ${ofUsers}`;

/** Logical replication does not carry sequences. To be called while nobody writes rows. */
export async function copySequences({ from, to }: Direction): Promise<void> {
  const { rows } = await from.session.query<{ name: string; value: string }>(
    `SELECT name, (value + step * least(${jump}, trunc((bound::numeric - value) / step / 100)))::text AS value FROM (${sequencesOf}) s`,
  );
  if (rows.length === 0) return;
  await to.session.query("SELECT setval(name::regclass, value::bigint) FROM unnest($1::text[], $2::text[]) AS s (name, value)", [rows.map(({ name }) => name), rows.map(({ value }) => value)]);
}
