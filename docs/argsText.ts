import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { settingKeys } from "@bluegreen/release/settings/settings";
import { repositoryDir } from "../local/paths";

/** What a Pulumi program gives instead of a stack's config. */
export const argsFile = join(repositoryDir, "components", "args.ts");

const project = z.object({ config: z.record(z.string(), z.object({ default: z.unknown(), description: z.string() })) });

/** The settings as arguments, each with the description that Pulumi.yaml gives it: there is one text for both. */
export function argsText(): string {
  const { config } = project.parse(parse(readFileSync(join(repositoryDir, "Pulumi.yaml"), "utf8")));
  const fields = settingKeys.map((key) => {
    const { default: fallback, description } = config[key] ?? { default: "", description: "" };
    const isRequired = description.startsWith("Required.");
    const lines = [...description.split("\n"), ...(fallback === "" ? [] : [`@default ${JSON.stringify(fallback)}`])];
    return `  /**\n${lines.map((line) => `   * ${line.replaceAll("*/", "*\\/")}\n`).join("")}   */\n  ${key}${isRequired ? "" : "?"}: ${typeOf(key)};\n`;
  });
  return `// Written by npm run docs, from Pulumi.yaml.
import type { FlatSettings } from "@bluegreen/release/settings/settings";

/** Every part of an object that is not given has its default. */
type Part<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Part<T[K]> } : T;

/**
 * The settings of a release. What the description of one calls config is these arguments. Texts of secret ones are
 * plain here, as \`config.get\` of Pulumi gives them: the component marks them as secret itself.
 */
export interface BlueGreenAppArgs {
${fields.join("")}}
`;
}

/** As whoever writes them gives them: weights are one text, and a setting is left out or has a value. */
function typeOf(key: string): string {
  return key === "weights" ? "string" : `Part<FlatSettings["${key}"]>`;
}
