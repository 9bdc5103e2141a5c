import { z } from "zod";
import { parseJson } from "@bluegreen/release/parseJson";
import { Refusal } from "@bluegreen/release/refusal";
import { parseSettings, type Settings } from "@bluegreen/release/settings/settings";
import { askPulumi } from "./runPulumi";
import { app } from "./stackSettings";

const listed = z.record(z.string(), z.object({ value: z.string().default(""), secret: z.boolean().default(false) }));

/**
 * All settings of a stack as the program would get them, secret ones in plain text: they stay in this process.
 * @throws Refusal naming every violation, or when there is no such stack
 */
export async function readAllSettings(stack: string): Promise<Settings> {
  const { isWell, out, errors } = await askPulumi(["config", "--json", "--show-secrets", "--stack", stack]);
  const settings = isWell ? parseListed(out) : undefined;
  // What it printed may hold secrets; what it complained of does not.
  if (settings === undefined) throw new Refusal({ what: `The config of stack ${stack} could not be read`, rule: errors.trim() || "pulumi config gave no JSON", next: `pulumi config --stack ${stack}; where it asks for a passphrase, export PULUMI_CONFIG_PASSPHRASE` });
  return settings;
}

/**
 * Settings from what `pulumi config --json --show-secrets` prints; undefined where it is something else.
 * @throws Refusal naming every violation
 */
export function parseListed(out: string): Settings | undefined {
  const { data } = listed.safeParse(parseJson(out));
  if (data === undefined) return undefined;
  const prefix = `${app}:`;
  const own = Object.entries(data).flatMap(([key, entry]) => (key.startsWith(prefix) ? [{ key: key.slice(prefix.length), ...entry }] : []));
  return parseSettings(Object.fromEntries(own.map(({ key, value }) => [key, value])), own.flatMap(({ key, secret }) => (secret ? [key] : [])));
}
