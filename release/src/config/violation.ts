import { UserError } from "../util/userError.js";
import { helpOf } from "./fields.js";
import { shape, type FlatSettings } from "./schema.js";

/** Texts of a stack's config, values of code. */
export type RawSettings = Record<string, unknown>;

export interface SettingViolation {
  /** A setting, or the path of a part of one. */
  field: string;
  /** What is shown instead of it, where it may not be shown. */
  value: string;
  rule: string;
  example: string;
}

export const secretValue = "[secret]";

export function violation(key: keyof FlatSettings, value: unknown, rule: string): SettingViolation {
  const { example } = helpOf(shape[key]);
  const command = example.includes("--path ")
    ? `pulumi config set ${example}`
    : `pulumi config set ${key} ${example}`;
  return {
    field: key,
    value: value === undefined ? "(not set)" : shownValue(key, value),
    rule,
    example: command,
  };
}

function shownValue(key: keyof FlatSettings, value: unknown): string {
  const { ends, hidden = false, parts } = helpOf(shape[key]);
  if (ends === "secret") return secretValue;
  return hidden || parts !== undefined ? "[not shown]" : JSON.stringify(value);
}

export function refusal(violations: SettingViolation[]): UserError {
  const lines = violations.map(
    ({ field, value, rule, example }) =>
      `  ${field} = ${value}\n    rule:    ${rule}\n    example: ${example}`,
  );
  const count = violations.length === 1 ? "1 setting was" : `${violations.length} settings were`;
  return new UserError({
    code: "BG-CONFIG-INVALID",
    what: `${count} refused\n${lines.join("\n")}`,
    rule: "every setting is checked before anything is touched; nothing was",
    next: "correct them and run it again",
  });
}
