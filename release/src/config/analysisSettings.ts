import { handoverSettings, type HandoverConfig, type HandoverSettings } from "./handoverSettings.js";
import { movedRoute, type RouterName } from "../routers/routers.js";
import type { AnalysisLimits } from "../analysis/limits.js";
import type { MetricsSource } from "../analysis/metricsSource.js";
import type { Color } from "../app/color.js";
import { seriesOf } from "../routers/meshes.js";
import type { ColorNamespaces } from "../app/namespaces.js";
import type { FlatSettings } from "./schema.js";
import type { Followers } from "./followers.js";
import { hasWorkers } from "./workers.js";

/**
 * How traffic is rolled back. Config says it to whoever does that: to the update and the command line by the
 * stack's file, to the analysis controller by its Deployment. Nothing of it is read back from a cluster
 * (docs/decisions/025-records-hold-facts.md).
 */
export type RollbackSettings = {
  /** Whose weights move; null where the active Service is all there is. */
  route: RouterName | null;
  /** Null where both colors share a database. */
  database: HandoverSettings | null;
  /** How long connections of the old color are drained; 0: they are not. */
  connectionDrainSeconds: number;
  /** What follows traffic to the color that gets it; absent where nothing does. */
  followers?: Followers;
};

/** The same, by what a color is evaluated before, and how long the rollback is kept. */
export type AnalysisSettings = RollbackSettings & {
  limits: AnalysisLimits;
  standbyHours: number;
};

/** What config says of an analysis, in an update and out of it. */
export type AnalysisConfig = BackConfig &
  Pick<FlatSettings, "standbyHours" | "canaryStepSeconds"> &
  LimitsConfig;

type BackConfig = HandoverConfig &
  Pick<FlatSettings, "traffic" | "connectionDrain"> & { followers: Followers | undefined };

export function rollbackSettings({
  traffic,
  connectionDrain,
  followers,
  ...settings
}: BackConfig): RollbackSettings {
  return {
    route: movedRoute(traffic),
    database: handoverSettings(settings),
    connectionDrainSeconds: connectionDrain.timeoutSeconds,
    ...(followers !== undefined && { followers }),
  };
}

/** @param release a shift is one step of many, and only with a database that both colors use */
export function analysisSettings(
  app: string,
  settings: AnalysisConfig,
  release: { weight: number },
): AnalysisSettings {
  return settingsOf(release, {
    ...rollbackSettings(settings),
    limits: limitsOf(app, settings),
    standbyHours: settings.standbyHours,
    canaryStepSeconds: settings.canaryStepSeconds,
  });
}

type LimitsConfig = Pick<FlatSettings, "analysis" | "http" | "traffic"> &
  ColorNamespaces & {
    /** Of each color. Undefined for whoever samples no pods. */
    pods: Record<Color, { workers: readonly unknown[] }> | undefined;
  };

export function limitsOf(
  app: string,
  { analysis, http, traffic, namespace, namespacePerColor, pods }: LimitsConfig,
): AnalysisLimits {
  const limits: AnalysisLimits & { controllerImage?: string } = {
    ...analysis,
    metrics: metricsOf({ analysis, http }),
    series: seriesOf(analysis, { ...traffic, namespace, namespacePerColor, app }) ?? null,
    ...(pods !== undefined &&
      hasWorkers({ blue: pods.blue.workers, green: pods.green.workers }) && { workers: true }),
  };
  // Where it runs is not what it goes by: another image is no other analysis.
  delete limits.controllerImage;
  return limits;
}

export function metricsOf({
  analysis: { metrics },
  http,
}: Pick<FlatSettings, "analysis" | "http">): MetricsSource {
  return { ...metrics, ownPaths: [http.livenessPath, http.readinessPath, metrics.path] };
}

/** What of the settings of an app is for such a release. */
export function settingsOf(
  { weight }: { weight: number },
  { canaryStepSeconds, ...whole }: AnalysisSettings & { canaryStepSeconds: number },
): AnalysisSettings {
  if (weight === 100) return whole;
  const { limits } = whole;
  return {
    ...whole,
    database: null,
    limits: {
      ...limits,
      durationSeconds: canaryStepSeconds,
      intervalSeconds: Math.max(
        1,
        Math.min(limits.intervalSeconds, Math.floor(canaryStepSeconds / observations)),
      ),
    },
  };
}

/** The analysis's own rule: fewer could never end it. */
const observations = 4;
