import { handoverSettings, type HandoverSettings } from "../database/handoverSettings.js";
import { movedRoute, type RouteKind } from "../route/route.js";
import type { FlatSettings } from "../settings/schema.js";
import type { Release } from "./record.js";

/**
 * How users are taken back. Config says it to whoever does that: to the update and the command line by the stack's
 * file, to the watcher by its Deployment. Nothing of it is read back from a cluster (docs/decisions/025-records-hold-facts.md).
 */
export type RollbackSettings = {
  /** Whose weights move; null where the active Service is all there is. */
  route: RouteKind | null;
  /** Null where both colors share a database. */
  database: HandoverSettings | null;
  /** How long clients are led away from the color that users were taken from; 0: they are not. */
  connectionDrainSeconds: number;
};

/** The same, and by what a color is judged before. */
export type AnalysisSettings = RollbackSettings & { limits: FlatSettings["watch"] };

export function rollbackSettings({ traffic, drain, ...settings }: Pick<FlatSettings, "traffic" | "drain" | "database" | "drainSeconds">): RollbackSettings {
  return { route: movedRoute(traffic), database: handoverSettings(settings), connectionDrainSeconds: drain.seconds };
}

/** @param release a share is one step of many, and only with a database that both colors use */
export function analysisSettings({ watch, shareSeconds, ...settings }: Pick<FlatSettings, "watch" | "shareSeconds" | "traffic" | "drain" | "database" | "drainSeconds">, release: Pick<Release, "share">): AnalysisSettings {
  return settingsOf(release, { ...rollbackSettings(settings), limits: watch, shareSeconds });
}

/** What of the settings of an app is for such a release. */
export function settingsOf({ share }: Pick<Release, "share">, { shareSeconds, ...whole }: AnalysisSettings & { shareSeconds: number }): AnalysisSettings {
  if (share === 100) return whole;
  const { limits } = whole;
  return { ...whole, database: null, limits: { ...limits, seconds: shareSeconds, everySeconds: Math.max(1, Math.min(limits.everySeconds, Math.floor(shareSeconds / readings))) } };
}

/** The watch's own rule: fewer could never end it. */
const readings = 4;
