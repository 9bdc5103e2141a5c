import type * as pulumi from "@pulumi/pulumi";
import type { Color } from "@bluegreen/release/app/color";
import type { AppInCluster } from "./appInCluster";
import { makeStep } from "./dynamicStep";
import { resourceName } from "./resourceName";

/** The migrations of the app's own framework, before the pods of a color, where config names a command. */
export function migrateByCommand(
  app: AppInCluster,
  color: Color,
  after: pulumi.Resource[],
): pulumi.Resource[] {
  const { command, timeoutSeconds } = app.settings.migrations;
  if (command.length === 0) return [];
  const { hash: template, spec: pod } = app.templates[color];
  const args = {
    ...app.where,
    ...app.metadata,
    color,
    version: app.tagOf(color),
    template,
    pod,
    container: app.settings.pods[color].container,
    command,
    timeoutSeconds,
  };
  const owner = resourceName(app.settings, `${app.name}-${color}`);
  return [makeStep("migrationCommand", owner, args, { parent: app, dependsOn: after })];
}
