import type { Side } from "./side.js";
import { replicatedTables } from "./tables.js";

export function publicationOf({ color }: Side): string {
  return `bluegreen_${color}`;
}

/** Publishes the tables that there are now. A subscription sees new ones when it is refreshed. */
export async function publish(side: Side): Promise<void> {
  const { session } = side;
  const name = publicationOf(side);
  const tables = (await replicatedTables(side)).map((table) => table.name);
  const { rows } = await session.query<{ tables: string[] }>(
    `SELECT array(SELECT format('%I.%I', schemaname, tablename) FROM pg_publication_tables t WHERE t.pubname = p.pubname ORDER BY 1) AS tables FROM pg_publication p WHERE p.pubname = $1`,
    [name],
  );
  const [found] = rows;
  if (found?.tables.join() === tables.join()) return;
  if (found !== undefined && tables.length > 0) {
    await session.query(`ALTER PUBLICATION ${name} SET TABLE ${tables.join(", ")}`);
    return;
  }
  // There is no statement that takes the last table from a publication.
  await session.query(`DROP PUBLICATION IF EXISTS ${name}`);
  await session.query(`CREATE PUBLICATION ${name}${tables.length > 0 ? ` FOR TABLE ${tables.join(", ")}` : ""}`);
}
