import type { ReleaseStatusRef } from "@bluegreen/release/releases/status";
import { movedRoute } from "@bluegreen/release/routers/routers";
import { metricsOf } from "@bluegreen/release/config/analysisSettings";
import { placesOf } from "@bluegreen/release/config/settings";
import { followersOf, hasWorkers, workersOf } from "@bluegreen/release/config/background";
import { app, readStackSettings } from "./stackConfig";
import { readStackFollowers } from "./stackFollowers";

/**
 * Where the release of a stack is read: in each of its clusters, in the order of config.
 * @param file in the place of the stack's own
 */
export function statusRefsOf(stack: string, file?: string): ReleaseStatusRef[] {
  const settings = readStackSettings(
    stack,
    [
      "activeColor",
      "analysis",
      "clusters",
      "context",
      "contractDelayHours",
      "database",
      "databaseSecret",
      "http",
      "namespacePerColor",
      "migrationsDir",
      "namespace",
      "schemaVersion",
      "traffic",
    ],
    file,
  );
  const {
    activeColor,
    contractDelayHours: afterHours,
    database,
    databaseSecret,
    namespacePerColor,
    migrationsDir: folder,
    namespace,
    schemaVersion,
    traffic,
  } = settings;
  const config = readStackFollowers(stack, file);
  const workers = { blue: workersOf(config, "blue"), green: workersOf(config, "green") };
  const { cronJobs, colorFile } = followersOf(config) ?? {};
  return placesOf(settings).map((place) => ({
    app,
    activeColor,
    ...place,
    namespace,
    namespacePerColor,
    database,
    databaseSecret,
    folder,
    schemaVersion,
    afterHours,
    route: movedRoute(traffic),
    metrics: metricsOf(settings),
    ...(hasWorkers(workers) && { workers }),
    ...(cronJobs !== undefined && { cronJobs }),
    ...(colorFile !== undefined && { colorFile }),
  }));
}
