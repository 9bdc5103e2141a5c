import { z } from "zod";
import type { HandoverSettings } from "./handoverSettings.js";
import { routerNames } from "../routers/routers.js";
import { analysisLimits } from "./schema/analysis.js";
import { strategies } from "./strategies.js";
import type { FlatSettings } from "./schema.js";
import {
  limitsOf,
  rollbackSettings,
  settingsOf,
  type AnalysisConfig,
  type AnalysisSettings,
} from "./analysisSettings.js";

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
