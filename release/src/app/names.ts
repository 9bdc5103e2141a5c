import { createHash } from "node:crypto";
import { UserError } from "../util/userError.js";
import type { Color } from "./color.js";

/** What the keys of this project's annotations and labels begin with. */
export const domain = "bluegreen.dev";

/** PostgreSQL cuts off what is longer, and two versions, or two apps, would look the same. */
const postgresMax = 63;

/** With a dash and ten characters it is the value of a label, as the name of every Job is. */
const jobNameMax = 52;

/** The names of everything that belongs to one app. Explicit, because both colors are addressed by name. */
export const names = {
  deployment: (app: string, color: Color) => `${app}-${color}`,
  colorService: (app: string, color: Color) => `${app}-${color}`,
  /** Reaches a color, too, for those ingresses that name no Service twice. */
  canaryService: (app: string, color: Color) => `${app}-${color}-canary`,
  activeService: (app: string) => `${app}-service`,
  /** The account that a color's pods run as. */
  account: (app: string, color: Color) => `${app}-${color}`,
  autoscaler: (app: string, color: Color) => `${app}-${color}`,
  /** The Deployment of a worker, or a CronJob: no two of both have a name. */
  worker: (app: string, color: Color, worker: string) => `${app}-${color}-${worker}`,
  networkPolicy: (app: string, of: Color | "preflight" | "relay" | "analysis" | `${Color}-workers`) =>
    `${app}-${of}`,
  budget: (app: string, color: Color) => `${app}-${color}`,
  quota: (app: string) => `${app}-quota`,
  /** The ConfigMap or Secret that a color's pods take their variables from. */
  config: (app: string, color: Color, content: string) => `${app}-${color}-${content}`,
  /** The pod that a change of the live color has to prove itself in. */
  preflight: (app: string, color: Color) => `${app}-${color}-preflight`,
  /** A Job of a release. It begins with what people look for, and is another one for each content. */
  job: (app: string, of: string, content: string) => `${`${app}-${of}`.slice(0, jobNameMax)}-${content}`,
  ingress: (app: string) => `${app}-ingress`,
  /** The object that holds the weights, where a route has one of its own. */
  weights: (app: string) => `${app}-weights`,
  /** Owner of the resources of a canary weight for the idle color. A name of Pulumi's, not of Kubernetes. */
  shift: (app: string) => `${app}-shift`,
  /** Secret of the hosts' certificate, where config names none. */
  tlsSecret: (app: string) => `${app}-tls`,
  /** The same of the internal host's. */
  internalTlsSecret: (app: string) => `${app}-internal-tls`,
  /** Secret with the hash of the password of the color paths. */
  previewSecret: (app: string) => `${app}-preview-auth`,
  /** Cookie that keeps a user with a color. */
  affinityCookie: (app: string) => `${app}-color`,
  /** ConfigMap with the last switch, for whoever has to analyze it or roll it back. */
  release: (app: string) => `${app}-release`,
  /** ConfigMap with the live color, for pods that follow it. */
  activeColor: (app: string) => `${app}-active`,
  /** ConfigMap with every switch and rollback. */
  history: (app: string) => `${app}-history`,
  /** Lease of whoever analyzes. */
  analysisLease: (app: string) => `${app}-analysis`,
  /** Deployment that continues the analysis when the update is over. */
  controller: (app: string) => `${app}-analysis`,
  /** Secret with the URLs and keys of whoever is told about releases. */
  alertsSecret: (app: string) => `${app}-alerts`,
  /** ConfigMap with the keys of the incidents that are open in PagerDuty. */
  incidents: (app: string) => `${app}-incidents`,
  /** Lease of the one update that may release the app. */
  releaseLease: (app: string) => `${app}-release`,
  /** Lease of the one shift that may run. */
  shiftLease: (app: string) => `${app}-shift`,
  /** How the database sessions of a version call themselves. */
  session: (app: string, color: Color, tag: string) => {
    const name = `${app}-${color} ${tag}`;
    return name.length <= postgresMax ? name : `${app}-${color} ${shortHash(tag)}`;
  },
  /** Role and database that the program makes for an app: a namespace may have several. */
  databaseAccount: (namespace: string, app: string) => {
    const name = (namespace === app ? app : `${namespace}_${app}`).replaceAll("-", "_");
    return name.length <= postgresMax ? name : `${name.slice(0, postgresMax - 13)}_${shortHash(name)}`;
  },
} as const;

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/**
 * Annotation on the pod template: the hash of everything in it. Tells the pods of this
 * revision from older ones, and a changed template from an unchanged one, without
 * comparing what the API server has defaulted.
 */
export const templateAnnotation = `${domain}/pod-template-hash`;

/** Annotation on the pod template: the name of the app's container, by Kubernetes' own convention. */
export const containerAnnotation = "kubectl.kubernetes.io/default-container";

/** Annotation on the active Service: the id of the switch that moved traffic. */
export const switchAnnotation = `${domain}/switch-id`;

/** Annotation on a color's Deployment: the id of the one switch to it that the gates have let through. */
export const approvalAnnotation = `${domain}/approval`;

/** Variables that a release and its pods talk by. Of no other name does it need that it is its own. */
export const variables = {
  color: "BLUEGREEN_COLOR",
  /** The tag. */
  version: "BLUEGREEN_VERSION",
  /** Where a pod takes orders to drain, and a release gives them. */
  drainPort: "BLUEGREEN_DRAIN_PORT",
  /** While the key of this name exists in Redis, a pod does not write. */
  readOnlyKey: "BLUEGREEN_READ_ONLY_KEY",
  /** Path of the file that has the live color in it; a pod whose color that is not takes no jobs. */
  activeColorFile: "BLUEGREEN_ACTIVE_COLOR_FILE",
} as const;

/** Annotation on a color's autoscaler that may take no pods from it: how many the color has to keep. */
export const holdAnnotation = `${domain}/hold`;

/**
 * Annotation on a color's Deployment: its image as config names it. What runs may be called otherwise: a webhook
 * pins digests, or takes a mirror.
 */
export const imageAnnotation = `${domain}/image`;

/** Annotation on a color's Deployment: the pods that config gives it. It may have got more since. */
export const replicasAnnotation = `${domain}/replicas`;

/**
 * Annotation on a pod with the file of the live color: what that says. Nobody reads it: a pod that changes gets its
 * files at once.
 */
export const activeColorAnnotation = `${domain}/active-color`;

/** Key of the ConfigMap with the live color: the name of the file in pods. */
export const activeColorKey = "color";

/** Label of the preflight pod: the app. What selects a color's pods, Services first, must not find it. */
export const preflightLabel = `${domain}/preflight`;

/**
 * Label of a worker's Deployment and pods, and of a CronJob with its Jobs and their pods: its name. What selects a
 * color's pods must not find them.
 */
export const workerLabel = `${domain}/worker`;

/** Label of a Job of a release and of its pod: the app. What selects a color's pods must not find it. */
export const jobLabel = `${domain}/job`;

/** Label of the relay pod: the app. What selects a color's pods must not find it. */
export const relayLabel = `${domain}/relay`;

/**
 * The longest name of an app: with its color and 12 characters behind it, its objects and its database
 * sessions keep to 63.
 */
const appNameMax = 44;

/** Of Services, whose names begin with a letter. */
const form = new RegExp(`^(?=.{1,${appNameMax}}$)[a-z](?:[-a-z0-9]*[a-z0-9])?$`);

/**
 * Before anything is made: an app is called as its project is, or as a program calls it, and all its objects
 * after it.
 * @throws UserError when Kubernetes would refuse some of them
 */
export function requireAppName(app: string): void {
  if (form.test(app)) return;
  throw new UserError({
    code: "BG-APP-NAME-INVALID",
    what: `The app's name ${JSON.stringify(app)} was refused`,
    rule: `objects, labels and database sessions are called after it: lower-case letters, digits and '-', a letter first and no '-' last, at most ${appNameMax} characters`,
    next: "another name: in Pulumi.yaml, and in the program where that says it, too; keys of the stack's config begin with it",
  });
}

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
