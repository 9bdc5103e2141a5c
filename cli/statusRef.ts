import type { ReleaseStatusRef } from "@bluegreen/release/releases/status";
import { placesOf } from "@bluegreen/release/settings/settings";
import { app, readStackSettings } from "./stackSettings";

/** Where the release of a stack is looked up: of several clusters, in the first one. */
export function statusRefOf(stack: string): ReleaseStatusRef {
  const settings = readStackSettings(stack, ["activeColor", "clusters", "context", "contractAfterHours", "database", "isolation", "migrationsFolder", "namespace", "schemaVersion", "traffic"]);
  const { activeColor, contractAfterHours: afterHours, database, isolation, migrationsFolder: folder, namespace, schemaVersion, traffic } = settings;
  const [place = { context: "", together: null }] = placesOf(settings);
  return { app, activeColor, ...place, namespace, isolation, database, folder, schemaVersion, afterHours, route: traffic.mode === "route" ? traffic.route : null };
}
