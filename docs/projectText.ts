import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { repositoryDir } from "../local/paths";
import { describedSettings, type Described } from "./describedSettings";

/** The reference program's project: Pulumi checks types by it, and shows what stands there. */
export const projectFile = join(repositoryDir, "Pulumi.yaml");

/** What the reference program gives there, so that `bluegreen`, which runs no program, finds it, too. */
const ofProgram: Partial<Record<Described["key"], unknown>> = {
  namespace: "chatgpt-production",
  container: "mcp-server",
  databaseSecret: "db-credentials",
  envFromSecrets: { OPENAI_API_KEY: "openai-credentials/api-key" },
};

/** The file as it is, with every setting in its config. */
export function projectText(): string {
  const start = "\nconfig:\n";
  const [head = ""] = readFileSync(projectFile, "utf8").split(start);
  const settings = describedSettings().map(
    ({ key, fallback, description, help: { argType } }) =>
      `  ${key}:\n    type: ${typeOf(fallback, argType)}\n    default: ${inline(ofProgram[key] ?? fallback)}\n    description: ${inline(description)}\n`,
  );
  return `${head}${start}${settings.join("")}`;
}

/** As Pulumi calls it: without a default it is a text that may be left out. */
function typeOf(fallback: unknown, argType?: string): string {
  if (Array.isArray(fallback))
    return `array\n    items: { type: ${argType === undefined ? "string" : "object"} }`;
  return typeof fallback === "number" ? "integer" : typeof fallback;
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trimEnd();
}
