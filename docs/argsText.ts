import { join } from "node:path";
import type { FieldHelp } from "@bluegreen/release/config/fields";
import { repositoryDir } from "../local/paths";
import { describedSettings } from "./describedSettings";

/** What a Pulumi program gives instead of a stack's config. */
export const argsFile = join(repositoryDir, "components", "args.ts");

/** The settings as arguments, each with its description and its default. */
export function argsText(): string {
  const fields = describedSettings().map(({ key, isRequired, fallback, description, help }) => {
    const lines = [
      ...wrapped(description),
      ...(fallback === "" ? [] : wrapped(`@default ${JSON.stringify(fallback)}`)),
    ];
    return `  /**\n${lines.map((line) => `   * ${line.replaceAll("*/", "*\\/")}\n`).join("")}   */\n  ${key}${isRequired ? "" : "?"}: ${typeOf(key, help)};\n`;
  });
  return `// Written by npm run docs, from release/src/config/schema.ts.
import type { Input } from "@pulumi/pulumi";
import type { CronJobArgs, WorkerArgs } from "@bluegreen/release/config/background";
import type { GateArgs } from "@bluegreen/release/config/gates";
import type { PodTemplateArg } from "@bluegreen/release/config/podTemplate/podTemplateSchema";
import type { FlatSettings } from "@bluegreen/release/config/schema";

/** Every part of an object that is not given has its default. */
type Part<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Part<T[K]> } : T;

/** The same, where another resource may give some parts. */
type LatePart<T, Late extends keyof T> = Part<Omit<T, Late>> & { [K in Late]?: Input<T[K]> };

/**
 * The settings of a release. What the description of one calls config is these arguments.
 *
 * An argument may be an Input, the output of another resource, unless it decides what there is or what a preview
 * refuses. So these are plain: what decides which resources and steps a release has, and everything in the pods,
 * variables and secret ones among it. The preview compares pods with the live ones, and a value that it does not
 * know could not be compared; give pods such a value by a Secret of your own, in \`envFromSecrets\`. Plain texts of
 * secret arguments are as \`config.get\` of Pulumi gives them: the component marks them as secret itself.
 */
export interface BlueGreenAppArgs {
${fields.join("")}}
`;
}

function typeOf(key: string, { late, argType }: FieldHelp): string {
  if (argType !== undefined) return argType;
  if (late === undefined) return `Part<FlatSettings["${key}"]>`;
  if (typeof late === "string") return `Input<NonNullable<FlatSettings["${key}"]>> | undefined`;
  const parts = Object.keys(late).map((part) => JSON.stringify(part));
  return `LatePart<FlatSettings["${key}"], ${parts.join(" | ")}>`;
}

/** Lines of a comment that stays within the formatter's width. */
function wrapped(text: string): string[] {
  const width = 105;
  return text.split(" ").reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    return last === undefined || last.length + 1 + word.length > width
      ? [...lines, word]
      : [...lines.slice(0, -1), `${last} ${word}`];
  }, []);
}
