import { isSeparate, type SeparateStrategy } from "./strategies.js";
import type { FlatSettings } from "./schema.js";

/** What it takes to hand the writing over to the other color's database. */
export type HandoverSettings = {
  strategy: SeparateStrategy;
  /** What the names of the colors' Secrets begin with. */
  databaseSecret: string;
  allowDataLoss: boolean;
  /** Empty where nothing is run: somebody does it by hand, or a later update does. */
  rebuildCommand: string[];
  rebuildTimeoutSeconds: number;
  /** How long one database may take to have what the other has. */
  timeoutSeconds: number;
  /** How long proxies may take to see that traffic has moved. */
  preStopDelaySeconds: number;
};

export type HandoverConfig = Pick<FlatSettings, "database" | "databaseSecret" | "preStopDelaySeconds">;

/** As config says it; null where no color has a database of its own. */
export function handoverSettings({
  database,
  databaseSecret,
  preStopDelaySeconds,
}: HandoverConfig): HandoverSettings | null {
  const { strategy, allowDataLoss, rebuildCommand, rebuildTimeoutSeconds, timeoutSeconds } = database;
  const settings = { allowDataLoss, rebuildCommand, rebuildTimeoutSeconds, timeoutSeconds };
  return isSeparate(strategy) ? { strategy, databaseSecret, ...settings, preStopDelaySeconds } : null;
}
