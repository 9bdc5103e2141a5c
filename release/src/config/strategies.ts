/** How the two colors share their data. */
export const strategies = ["shared", "logicalReplication", "streamingReplica"] as const;
export type Strategy = (typeof strategies)[number];

/** The strategies in which each color has a database of its own. */
export type SeparateStrategy = Exclude<Strategy, "shared">;

export function isSeparate(strategy: Strategy | "none"): strategy is SeparateStrategy {
  return strategy === "logicalReplication" || strategy === "streamingReplica";
}
