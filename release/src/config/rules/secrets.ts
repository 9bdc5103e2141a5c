import { colors } from "../../app/color.js";
import { helpOf } from "../fields.js";
import { settingKeys, shape, type FlatSettings } from "../schema.js";
import { secretValue, violation, type RawSettings, type SettingViolation } from "../violation.js";

/** Settings that a stack file may only hold encrypted. */
const encryptedKeys = ["secretEnv"] as const;

/**
 * Whether a color's variables have secret ones among them. Pulumi tells of a whole key whether something in it
 * is encrypted, not what.
 */
function hasSecrets(values: Partial<FlatSettings>, key: keyof FlatSettings): boolean {
  return (key === "blue" || key === "green") && Object.keys(values[key]?.secretEnv ?? {}).length > 0;
}

/** Values that the stack file keeps encrypted, and that would be readable in the end. */
export function undone(
  raw: RawSettings,
  values: Partial<FlatSettings>,
  encrypted: readonly string[] = [],
): SettingViolation[] {
  return settingKeys.flatMap((key) => {
    const { ends } = helpOf(shape[key]);
    if (ends === "secret" || raw[key] === undefined || !encrypted.includes(key) || hasSecrets(values, key))
      return [];
    const rule = `not encrypted: it ends readable, in ${ends.place}${ends.instead === undefined ? "" : `; a secret goes to ${ends.instead}, and this one gets another value where anybody has read it`}`;
    const told = violation(key, raw[key], rule);
    return [
      ends.instead === undefined
        ? told
        : { ...told, example: `pulumi config set --secret --path '${ends.instead}.NAME'` },
    ];
  });
}

/** Secrets that stand in the stack file for everybody to read. */
export function readable(
  raw: RawSettings,
  values: Partial<FlatSettings>,
  encrypted: readonly string[] | undefined,
): SettingViolation[] {
  if (encrypted === undefined) return [];
  const rule =
    "encrypted in the stack file: set it with --secret, and give it another value where the file has been shared";
  return [
    ...encryptedKeys
      .filter((key) => raw[key] !== undefined && raw[key] !== "{}" && !encrypted.includes(key))
      .map((key) => violation(key, raw[key], rule)),
    ...colors
      .filter((color) => hasSecrets(values, color) && !encrypted.includes(color))
      .map((color) => ({
        field: `${color}.secretEnv`,
        value: secretValue,
        rule,
        example: `pulumi config set --secret --path '${color}.secretEnv.NAME'`,
      })),
  ];
}
