/**
 * The three ways by which traffic is moved: this program, its flip without anything around it, and what
 * Kubernetes does by itself.
 */
export const ways = ["up", "bare patch", "rolling update"] as const;
export type Way = (typeof ways)[number];

/** Switches in a row, all by the same way. */
export interface Block {
  way: Way;
  switches: number;
}

/** How many switches in a row at the most: what disturbs the machine for a while then meets all ways. */
const inARow = 5;

/** The blocks of a run, in turn, each way as often as it was asked for. */
export function planBlocks(wanted: Record<Way, number>): Block[] {
  const rounds = Math.ceil(Math.max(...Object.values(wanted)) / inARow);
  const share = (total: number, round: number): number =>
    Math.floor((total * (round + 1)) / rounds) - Math.floor((total * round) / rounds);
  return Array.from({ length: rounds }, (_, round) =>
    ways.map((way) => ({ way, switches: share(wanted[way], round) })),
  )
    .flat()
    .filter(({ switches }) => switches > 0);
}
