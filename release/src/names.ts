import { createHash } from "node:crypto";
import type { Color } from "./color.js";

/** PostgreSQL cuts off what is longer, and two versions would look the same. */
const sessionNameMax = 63;

/** The names of everything that belongs to one app. Explicit, because both colors are addressed by name. */
export const names = {
  deployment: (app: string, color: Color) => `${app}-${color}`,
  colorService: (app: string, color: Color) => `${app}-${color}`,
  activeService: (app: string) => `${app}-service`,
  /** The account that a color's pods run as. */
  account: (app: string, color: Color) => `${app}-${color}`,
  autoscaler: (app: string, color: Color) => `${app}-${color}`,
  networkPolicy: (app: string, of: Color | "trial" | "watcher") => `${app}-${of}`,
  quota: (app: string) => `${app}-quota`,
  /** The ConfigMap or Secret that a color's pods take their variables from. */
  config: (app: string, color: Color, content: string) => `${app}-${color}-${content}`,
  /** The pod that a change of the live color has to prove itself in. */
  trial: (app: string, color: Color) => `${app}-${color}-trial`,
  ingress: (app: string) => `${app}-ingress`,
  /** The object that holds the weights, where a route has one of its own. */
  users: (app: string) => `${app}-users`,
  /** A part of the users for the other color, and what belongs to it. */
  share: (app: string) => `${app}-share`,
  /** Secret of the host's certificate, or of the internal host's. */
  tlsSecret: (app: string, internal: boolean) => (internal ? `${app}-internal-tls` : `${app}-tls`),
  /** Secret with the hash of the password of the color paths. */
  previewSecret: (app: string) => `${app}-preview-auth`,
  /** Cookie that keeps a user with a color. */
  affinityCookie: (app: string) => `${app}-color`,
  /** ConfigMap with the last switch, for whoever has to watch it or take it back. */
  release: (app: string) => `${app}-release`,
  /** ConfigMap with every switch and rollback. */
  history: (app: string) => `${app}-history`,
  /** Lease of whoever watches. */
  watchLease: (app: string) => `${app}-watch`,
  /** Deployment that watches on when the update is over. */
  watcher: (app: string) => `${app}-watcher`,
  /** Secret with the URLs and keys of whoever is told about releases. */
  alertsSecret: (app: string) => `${app}-alerts`,
  /** ConfigMap with the keys of the incidents that are open in PagerDuty. */
  incidents: (app: string) => `${app}-incidents`,
  /** Lease of the one update that may release the app. */
  releaseLease: (app: string) => `${app}-release`,
  /** Lease of the one shift that may go on. */
  shiftLease: (app: string) => `${app}-shift`,
  /** How the database sessions of a version call themselves. */
  session: (app: string, color: Color, tag: string) => {
    const name = `${app}-${color} ${tag}`;
    return name.length <= sessionNameMax ? name : `${app}-${color} ${createHash("sha256").update(tag).digest("hex").slice(0, 12)}`;
  },
  container: "mcp-server",
  databaseSecret: "db-credentials",
  openaiSecret: "openai-credentials",
} as const;

/**
 * Annotation on the pod template: the hash of everything in it. Tells the pods of this
 * revision from older ones, and a changed template from an unchanged one, without
 * comparing what the API server has defaulted.
 */
export const templateAnnotation = "bluegreen/template";

/** Annotation on the active Service: the id of the switch that users came by. */
export const switchAnnotation = "bluegreen/switch";

/** Annotation on a color's Deployment: the id of the one switch to it that the gates have let through. */
export const permitAnnotation = "bluegreen/permit";

/** Variable that tells a pod where to take orders to drain, and a release where to give them. */
export const drainPortVariable = "DRAIN_PORT";

/** Annotation on a color's autoscaler that may take no pods from it: how many the color has to keep. */
export const holdAnnotation = "bluegreen/hold";

/** Label of the trial's pod: the app. What selects a color's pods, Services first, must not find it. */
export const trialLabel = "bluegreen/trial";
