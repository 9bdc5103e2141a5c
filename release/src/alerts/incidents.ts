import { appLabels } from "../app/labels.js";
import { names } from "../app/names.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { versionOf, type Alert } from "./alert.js";
import { incidentKey, incidentPrefix } from "./pagerDuty.js";

/**
 * The incidents that were opened and not resolved, in a ConfigMap of the app by their keys.
 * PagerDuty resolves by key alone, and the version that is switched to in the end is another one
 * than the version that failed. No other app's are resolved, whatever stands there.
 */
export async function readIncidents(cluster: Cluster, app: string): Promise<string[]> {
  const ofThisApp = incidentPrefix({ namespace: cluster.namespace, app });
  return Object.keys(await readData(cluster, names.incidents(app))).filter((key) =>
    key.startsWith(ofThisApp),
  );
}

export async function noteIncident(cluster: Cluster, alert: Alert): Promise<void> {
  const version = versionOf(alert);
  await mergeData(cluster, names.incidents(alert.app), appLabels(alert.app), {
    [incidentKey(alert, version)]: version.image,
  });
}

export async function forgetIncidents(cluster: Cluster, app: string, keys: string[]): Promise<void> {
  if (keys.length > 0)
    await mergeData(
      cluster,
      names.incidents(app),
      appLabels(app),
      Object.fromEntries(keys.map((key) => [key, null])),
    );
}
