import { createHash } from "node:crypto";
import type { Color } from "./color.js";

/** PostgreSQL cuts off what is longer, and two versions would look the same. */
const sessionNameMax = 63;

/** The names of everything that belongs to one app. Explicit, because both colors are addressed by name. */
export const names = {
  deployment: (app: string, color: Color) => `${app}-${color}`,
  colorService: (app: string, color: Color) => `${app}-${color}`,
  activeService: (app: string) => `${app}-service`,
  /** The ConfigMap or Secret that a color's pods take their variables from. */
  config: (app: string, color: Color, content: string) => `${app}-${color}-${content}`,
  /** The pod that a change of the live color has to prove itself in. */
  trial: (app: string, color: Color) => `${app}-${color}-trial`,
  ingress: (app: string) => `${app}-ingress`,
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
