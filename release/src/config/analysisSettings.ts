import { z } from "zod";
import type { AnalysisLimits, MetricsSource } from "../analysis/limits.js";
import type { Color, ColorNamespaces } from "../app/color.js";
import { seriesOf } from "../routers/routedRequests.js";
import { movedRoute, routerNames, type RouterName } from "../routers/routers.js";
import { hasWorkers, type Followers } from "./background.js";
import type { FlatSettings } from "./schema.js";
import { analysisLimits } from "./schema/analysis.js";
import { isSeparate, strategies, type SeparateStrategy } from "./schema/database.js";

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
type AnalysisConfig = BackConfig & Pick<FlatSettings, "standbyHours" | "canaryStepSeconds"> & LimitsConfig;

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
function settingsOf(
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

type HandoverConfig = Pick<FlatSettings, "database" | "databaseSecret" | "preStopDelaySeconds">;

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

const workers = z.array(z.strictObject({ name: z.string(), replicas: z.int(), overlap: z.boolean() }));

const cronJobs = z.array(z.string());

const controllerSettings = z.strictObject({
  limits: analysisLimits,
  standbyHours: z.number(),
  canaryStepSeconds: z.number(),
  contractDelayHours: z.number(),
  route: z.enum(routerNames).nullable(),
  /** Without a rebuild command: nothing in the cluster runs one. */
  database: z
    .strictObject({
      strategy: z.enum(strategies).exclude(["shared"]),
      databaseSecret: z.string(),
      allowDataLoss: z.boolean(),
      timeoutSeconds: z.number(),
      preStopDelaySeconds: z.number(),
    })
    .nullable(),
  connectionDrainSeconds: z.number(),
  followers: z
    .strictObject({
      workers: z.strictObject({ blue: workers, green: workers }),
      cronJobs: z.strictObject({ blue: cronJobs, green: cronJobs }).exactOptional(),
      colorFile: z.literal(true).exactOptional(),
    })
    .exactOptional(),
});

/** What the analysis controller goes by: its Deployment says it, and nothing else does. */
export type ControllerSettings = z.output<typeof controllerSettings>;

/** For its Deployment, as config says it. */
export function writeControllerSettings(
  app: string,
  settings: AnalysisConfig & Pick<FlatSettings, "contractDelayHours">,
): string {
  const { standbyHours, canaryStepSeconds, contractDelayHours } = settings;
  const { route, database, ...back } = rollbackSettings(settings);
  const written: ControllerSettings = {
    limits: limitsOf(app, settings),
    standbyHours,
    canaryStepSeconds,
    contractDelayHours,
    route,
    database: database && withoutRebuild(database),
    ...back,
  };
  return JSON.stringify(written);
}

function withoutRebuild({
  strategy,
  databaseSecret,
  allowDataLoss,
  timeoutSeconds,
  preStopDelaySeconds,
}: HandoverSettings): ControllerSettings["database"] {
  return { strategy, databaseSecret, allowDataLoss, timeoutSeconds, preStopDelaySeconds };
}

/** @throws Error when it is not what a program of this version writes */
export function readControllerSettings(text: string): ControllerSettings {
  return controllerSettings.parse(JSON.parse(text));
}

/** How a release is analyzed, and undone. */
export function settingsFor(
  release: { weight: number },
  {
    limits,
    standbyHours,
    canaryStepSeconds,
    route,
    database,
    connectionDrainSeconds,
    followers,
  }: ControllerSettings,
): AnalysisSettings {
  return settingsOf(release, {
    limits,
    standbyHours,
    canaryStepSeconds,
    route,
    connectionDrainSeconds,
    ...(followers !== undefined && { followers }),
    database: database && { ...database, rebuildCommand: [], rebuildTimeoutSeconds: 0 },
  });
}
