import type { ReleaseStatusRef } from "@bluegreen/release/releases/status";
import { app, readStackSettings } from "./stackSettings";

/** Where the release of a stack is looked up. */
export function statusRefOf(stack: string): ReleaseStatusRef {
  const { activeColor, context, contractAfterHours: afterHours, database, isolation, migrationsFolder: folder, namespace, schemaVersion, traffic } = readStackSettings(stack, ["activeColor", "context", "contractAfterHours", "database", "isolation", "migrationsFolder", "namespace", "schemaVersion", "traffic"]);
  return { app, activeColor, context, namespace, isolation, database, folder, schemaVersion, afterHours, route: traffic.mode === "route" ? traffic.route : null };
}
