import type { Color } from "./color.js";

/** What selects a color's pods. Nothing else may: selectors of a Deployment never change. */
export function selectorOf(app: string, color: Color): { app: string; version: Color } {
  return { app, version: color };
}

/** What selects the pods of all workers and CronJobs of a color: without `app`, by which its Services find the others. */
export function workersSelector(app: string, color: Color): Record<string, string> {
  return { [nameLabel]: app, version: color };
}

/** As the API server takes it in a request. */
export function asSelector(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

const nameLabel = "app.kubernetes.io/name";
const managedBy = "app.kubernetes.io/managed-by";
const program = "bluegreen";

/**
 * Whether the program has made an object for the app. What others have made is theirs: it is not changed, deleted
 * or worked against.
 */
export function isMadeByProgram(
  metadata: { labels?: Record<string, string> } | undefined,
  app: string,
): boolean {
  return metadata?.labels?.[managedBy] === program && metadata.labels["app"] === app;
}

/** Labels and annotations of config, for objects that steps make. */
export type OwnMetadata = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
};

/** Labels of an object of the app as a whole: `app`, and those that Kubernetes recommends. */
export function appLabels(app: string, instance = app): { app: string } & Record<string, string> {
  return {
    app,
    [nameLabel]: app,
    "app.kubernetes.io/instance": instance,
    [managedBy]: program,
  };
}

/** Labels of an object of a color. */
export function colorLabels(app: string, color: Color): Record<string, string> {
  return { ...appLabels(app, `${app}-${color}`), version: color };
}

/**
 * Label of what runs an image, and changes with it: the tag, without a digest, as long as a label may be. Other
 * objects of a color have none, or each release would change all of them.
 */
export function versionLabel(tag: string): Record<string, string> {
  const [name = ""] = tag.split("@");
  return { "app.kubernetes.io/version": name.slice(0, labelLength).replace(/[^A-Za-z0-9]+$/, "") };
}

const labelLength = 63;
