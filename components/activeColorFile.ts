import * as pulumi from "@pulumi/pulumi";
import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import { inEachNamespace } from "@bluegreen/release/app/color";
import { appLabels, activeColorKey, names } from "@bluegreen/release/app/names";
import { isFields } from "@bluegreen/release/util/json";
import type { PlainRecord } from "@bluegreen/release/util/step";
import type { AppSettings } from "./lateArgs";
import { resourceName } from "./resourceName";

const volumeName = "bluegreen-active";
const folder = "/etc/bluegreen/active";

/** Where a pod finds the live color. */
export const activeColorPath = `${folder}/${activeColorKey}`;

/** The whole folder: Kubernetes never brings a change into a file that is mounted by itself. */
export const activeColorMount = { name: volumeName, mountPath: folder, readOnly: true };

/** A pod starts without it, too: there is no color active for it then. */
export function activeColorVolume(app: string) {
  return { name: volumeName, configMap: { name: names.activeColor(app), optional: true } };
}

/** The pod of a color without the file: for one that is no part of it, and has to take no jobs. */
export function withoutColorFile(spec: PlainRecord): PlainRecord {
  const { volumes } = spec;
  if (!Array.isArray(volumes)) return spec;
  return {
    ...spec,
    volumes: volumes.map((each) =>
      isFields(each) && each["name"] === volumeName ? { name: volumeName, emptyDir: {} } : each,
    ),
  };
}

/**
 * The ConfigMaps that it comes from, of each namespace that has a color in it. What they say is left to whoever moves
 * traffic: here they are empty, so that no update puts an old color back.
 */
export function makeActiveColor(
  app: string,
  settings: AppSettings,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  if (settings.followers?.colorFile !== true) return [];
  const name = names.activeColor(app);
  return inEachNamespace(settings, name).map(
    ({ namespace, name: resource }) =>
      new ConfigMap(
        resourceName(settings, resource),
        { metadata: { name, namespace, labels: appLabels(app) } },
        options,
      ),
  );
}
