import { z } from "zod";
import type { HandoverSettings } from "../database/handoverSettings.js";
import { routeKinds } from "../route/route.js";
import { strategies, watchLimits, type FlatSettings } from "../settings/schema.js";
import { rollbackSettings, settingsOf, type AnalysisSettings } from "./analysisSettings.js";
import type { Release } from "./record.js";

const watcherSettings = z.strictObject({
  limits: watchLimits,
  shareSeconds: z.number(),
  contractAfterHours: z.number(),
  route: z.enum(routeKinds).nullable(),
  /** Without a rebuild command: nothing in the cluster runs one. */
  database: z.strictObject({ strategy: z.enum(strategies).exclude(["shared"]), acceptLoss: z.boolean(), budgetSeconds: z.number(), drainSeconds: z.number() }).nullable(),
  connectionDrainSeconds: z.number(),
});

/** What the watcher in the cluster goes by: its Deployment says it, and nothing else does. */
export type WatcherSettings = z.output<typeof watcherSettings>;

/** For its Deployment, as config says it. */
export function writeWatcherSettings({ watch, shareSeconds, contractAfterHours, ...settings }: Pick<FlatSettings, "watch" | "shareSeconds" | "contractAfterHours" | "traffic" | "drain" | "database" | "drainSeconds">): string {
  const { route, database, connectionDrainSeconds } = rollbackSettings(settings);
  const written: WatcherSettings = { limits: watch, shareSeconds, contractAfterHours, route, database: database && withoutRebuild(database), connectionDrainSeconds };
  return JSON.stringify(written);
}

function withoutRebuild({ strategy, acceptLoss, budgetSeconds, drainSeconds }: HandoverSettings): WatcherSettings["database"] {
  return { strategy, acceptLoss, budgetSeconds, drainSeconds };
}

/** @throws Error when it is not what a program of this version writes */
export function readWatcherSettings(text: string): WatcherSettings {
  return watcherSettings.parse(JSON.parse(text));
}

/** How a release is watched, and undone. */
export function settingsFor(release: Pick<Release, "share">, { limits, shareSeconds, route, database, connectionDrainSeconds }: WatcherSettings): AnalysisSettings {
  return settingsOf(release, { limits, shareSeconds, route, connectionDrainSeconds, database: database && { ...database, rebuildCommand: [], rebuildTimeoutSeconds: 0 } });
}
