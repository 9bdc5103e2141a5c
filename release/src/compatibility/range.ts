import { z } from "zod";

/**
 * The schemas that an image works with, as it says itself in the answer of /ready:
 * `{"schema": {"needs": "0002", "knows": "0004"}}`.
 */
export type SchemaRange = {
  /** The migration that it cannot do without. */
  needs: string;
  /**
   * The newest migration that there was when it was built. Younger expand migrations and backfills
   * leave it whole, because the linter lets nothing else pass; a younger contract migration takes
   * away what it may still use.
   */
  knows: string;
};

const id = z.string().regex(/^\d{4,}$/);
const answer = z.object({ schema: z.object({ needs: id, knows: id }) });

/** The range in the body of /ready; undefined when the app states none. */
export function parseRange(body: unknown): SchemaRange | undefined {
  const parsed = answer.safeParse(body);
  if (!parsed.success) return undefined;
  const { needs, knows } = parsed.data.schema;
  return { needs, knows };
}

interface SchemaChange {
  id: string;
  name: string;
  phase: string | null;
}

/** What a schema consists of: the migrations that are applied to it, or will be, in the order of their ids. */
export type Schema = SchemaChange[];

/** Whether an image may still use what a migration takes away. One that states no range may use anything. */
export function mayUseWhatGoes(range: SchemaRange | undefined, { id, phase }: SchemaChange): boolean {
  return phase === "contract" && (range === undefined || id > range.knows);
}

/** Why an image cannot work on a schema; undefined when it can. */
export function whyIncompatible(range: SchemaRange | undefined, schema: Schema): string | undefined {
  const newest = schema.at(-1)?.id ?? "none";
  if (range !== undefined && !schema.some(({ id: each }) => each === range.needs)) return `it needs migration ${range.needs}, and the schema is at ${newest}`;
  const taken = schema.find((change) => mayUseWhatGoes(range, change));
  return taken && `it ${describeKnowledge(range)}, and ${taken.id}_${taken.name} takes away what older versions use`;
}

export function describeKnowledge(range: SchemaRange | undefined): string {
  return range === undefined ? "states no schema range in the answer of /ready" : `knows migrations up to ${range.knows}`;
}
