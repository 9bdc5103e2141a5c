import { createHash } from "node:crypto";
import type { Color } from "./color.js";

/** PostgreSQL cuts off what is longer, and two versions would look the same. */
const sessionNameMax = 63;

/** The names of everything that belongs to one app. Explicit, because both colors are addressed by name. */
export const names = {
  deployment: (app: string, color: Color) => `${app}-${color}`,
  colorService: (app: string, color: Color) => `${app}-${color}`,
  activeService: (app: string) => `${app}-service`,
  ingress: (app: string) => `${app}-ingress`,
  /** Secret with the URLs and keys of whoever is told about releases. */
  alertsSecret: (app: string) => `${app}-alerts`,
  /** ConfigMap with the keys of the incidents that are open in PagerDuty. */
  incidents: (app: string) => `${app}-incidents`,
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
