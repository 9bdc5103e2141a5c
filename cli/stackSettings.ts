import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { Refusal } from "@bluegreen/release/refusal";
import { parseSome, type FlatSettings } from "@bluegreen/release/settings/settings";

const project = z.object({ name: z.string() });
const stackFile = z.object({ config: z.record(z.string(), z.unknown()).default({}) });

/**
 * Settings from a stack's file, beside Pulumi.yaml in this folder. Secret ones cannot be read so.
 * @throws Refusal when there is no such stack, or a value breaks its rule
 */
export function readStackSettings<Key extends keyof FlatSettings>(stack: string, keys: Key[]): Pick<FlatSettings, Key> {
  const file = `Pulumi.${stack}.yaml`;
  if (!existsSync("Pulumi.yaml") || !existsSync(file)) {
    throw new Refusal({ what: `The stack ${JSON.stringify(stack)} was refused`, rule: `there is no ${existsSync("Pulumi.yaml") ? file : "Pulumi.yaml"} in this folder`, next: "go to the program's folder, and name a stack: --stack production" });
  }
  const name = projectName();
  const { config } = stackFile.parse(parse(readFileSync(file, "utf8")));
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const wanted = keys.flatMap((key): [string, string][] => (`${name}:${key}` in config ? [[key, text(config[`${name}:${key}`])]] : []));
  return parseSome(Object.fromEntries(wanted), keys);
}

/** What stands before every key in a stack's file. */
export function projectName(): string {
  return project.parse(parse(readFileSync("Pulumi.yaml", "utf8"))).name;
}

/** The app that the program of this folder releases. */
export const app = "chatgpt-app";
