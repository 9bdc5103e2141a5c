import { namespaceOf } from "@bluegreen/release/app/color";
import type { Relayed } from "@bluegreen/release/relay/throughCluster";
import type { AppSettings } from "./lateArgs";

/** How a step comes to the database where only the cluster reaches it; nothing where it asks directly. */
export function databaseRelay(app: string, settings: AppSettings): Relayed {
  if (settings.database.runIn === "update") return {};
  const { activeColor, analysis, imagePullSecrets, labels, annotations } = settings;
  const namespace = namespaceOf(settings, activeColor);
  return {
    relay: { app, namespace, image: analysis.controllerImage, imagePullSecrets, labels, annotations },
  };
}
