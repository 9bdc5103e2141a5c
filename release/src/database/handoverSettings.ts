import { isSeparate, type FlatSettings } from "../settings/schema.js";
import type { SeparateStrategy } from "./separate.js";

/** What it takes to hand the writing over to the other color's database. */
export type HandoverSettings = {
  strategy: SeparateStrategy;
  acceptLoss: boolean;
  /** Empty where nothing is run: somebody does it by hand, or a later update does. */
  rebuildCommand: string[];
  rebuildTimeoutSeconds: number;
  /** How long one database may take to have what the other has. */
  budgetSeconds: number;
  /** How long proxies may take to see that traffic has moved. */
  drainSeconds: number;
};

/** As config says it; null where no color has a database of its own. */
export function handoverSettings({ database, drainSeconds }: Pick<FlatSettings, "database" | "drainSeconds">): HandoverSettings | null {
  const { strategy, ...settings } = database;
  return isSeparate(strategy) ? { strategy, ...settings, drainSeconds } : null;
}
