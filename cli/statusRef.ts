import type { ReleaseStatusRef } from "@bluegreen/release/releases/status";
import { movedRoute } from "@bluegreen/release/route/route";
import { placesOf } from "@bluegreen/release/settings/settings";
import { app, readStackSettings } from "./stackConfig";

/**
 * Where the release of a stack is looked up: in each of its clusters, in the order of config.
 * @param file in the place of the stack's own
 */
export function statusRefsOf(stack: string, file?: string): ReleaseStatusRef[] {
  const settings = readStackSettings(stack, ["activeColor", "clusters", "context", "contractAfterHours", "database", "isolation", "migrationsFolder", "namespace", "schemaVersion", "traffic"], file);
  const { activeColor, contractAfterHours: afterHours, database, isolation, migrationsFolder: folder, namespace, schemaVersion, traffic } = settings;
  return placesOf(settings).map((place) => ({ app, activeColor, ...place, namespace, isolation, database, folder, schemaVersion, afterHours, route: movedRoute(traffic) }));
}
