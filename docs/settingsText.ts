import { join } from "node:path";
import type { FieldHelp } from "@bluegreen/release/config/fields";
import { repositoryDir } from "../local/paths";
import { describedSettings } from "./describedSettings";

/** The reference page of a stack's config. */
export const settingsFile = join(repositoryDir, "docs", "reference", "settings.md");

/** Every setting as it is declared. */
export function settingsText(): string {
  const sections = describedSettings().map(({ key, fallback, description, help }) =>
    section(key, linked(description), fallback, help),
  );
  return `# Settings

All settings of a stack. \`npm run docs\` writes this page and [Pulumi.yaml](../../Pulumi.yaml) from [release/src/config/schema.ts](../../release/src/config/schema.ts).

- Set one with \`pulumi config set\`, followed by what "Example" shows. A part of an object takes \`--path\`.
- An unknown setting, and a value that breaks its rule, is refused in the preview. All violations are listed at once.
- A program of your own gives the same settings as arguments of \`BlueGreenApp\`; \`configArgs\` reads them from config, which overrides what code gives it ([decision 021](../decisions/021-the-program-reads-config.md)).
- "Stored in" says where the value is readable. Only a value stored in Secrets may be encrypted in config ([decision 029](../decisions/029-what-may-be-encrypted.md)).
${sections.join("")}`;
}

function section(
  key: string,
  description: string,
  fallback: unknown,
  { rule, unit, example, ends, parts }: FieldHelp,
) {
  const names = Object.keys(parts ?? {});
  const fallbacks = new Map(
    typeof fallback === "object" && fallback !== null ? Object.entries(fallback) : [],
  );
  const rows = names.map(
    (name) => `| \`${key}.${name}\` | ${escaped(parts?.[name] ?? "")} | ${shown(fallbacks.get(name))} |\n`,
  );
  const facts = [
    ...(names.length > 0 ? [] : [`Rule: ${rule}`, `Default: ${shown(fallback)}`]),
    ...(unit === undefined ? [] : [`Unit: ${unit}`]),
    `Example: \`${example.startsWith("--path ") ? "" : `${key} `}${example}\``,
    `Stored in: ${ends === "secret" ? "Secrets, encrypted in the state" : ends.place}`,
  ];
  const table = rows.length === 0 ? "" : `\n| part | rule | default |\n| --- | --- | --- |\n${rows.join("")}`;
  return `\n## ${key}\n\n${description}\n${table}\n${facts.map((fact) => `- ${fact}\n`).join("")}`;
}

function shown(value: unknown): string {
  return value === undefined || value === "" ? "not set" : `\`${JSON.stringify(value)}\``;
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** Paths from the repository's root, as links from this page. */
function linked(description: string): string {
  return description.replace(
    /\((docs\/(?:[\w-]+\/)*([\w-]+)\.md(?:#[\w-]+)?)\)/g,
    (_match, path: string, page: string) =>
      `([${page.replaceAll("-", " ")}](${path.replace("docs/", "../")}))`,
  );
}
