import type { Color } from "./color.js";

/** The names of everything that belongs to one app. Explicit, because both colors are addressed by name. */
export const names = {
  deployment: (app: string, color: Color) => `${app}-${color}`,
  colorService: (app: string, color: Color) => `${app}-${color}`,
  activeService: (app: string) => `${app}-service`,
  ingress: (app: string) => `${app}-ingress`,
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
