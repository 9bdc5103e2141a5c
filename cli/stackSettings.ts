import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { Refusal } from "@bluegreen/release/refusal";
import { parseSome, type FlatSettings } from "@bluegreen/release/settings/settings";

/** A value, or a declaration of one. */
const declared = z.union([z.object({ value: z.unknown() }).transform(({ value }) => value), z.object({ default: z.unknown() }).transform((each) => each.default), z.unknown()]);
const projectFile = z.object({ name: z.string(), config: z.record(z.string(), declared).default({}) });
const stackFile = z.object({ config: z.record(z.string(), z.unknown()).default({}) });

/** Read once: it is as long as there are settings, and a page or a watch asks for some of them every second. */
const project = existsSync("Pulumi.yaml") ? projectFile.parse(parse(readFileSync("Pulumi.yaml", "utf8"))) : { name: "", config: {} };

/**
 * Settings from a stack's file, and below it what Pulumi.yaml, in this folder, gives every stack. Secret ones cannot be read so.
 * @throws Refusal when there is no such stack, or a value breaks its rule
 */
export function readStackSettings<Key extends keyof FlatSettings>(stack: string, keys: Key[]): Pick<FlatSettings, Key> {
  const file = `Pulumi.${stack}.yaml`;
  if (!existsSync("Pulumi.yaml") || !existsSync(file)) {
    throw new Refusal({ what: `The stack ${JSON.stringify(stack)} was refused`, rule: `there is no ${existsSync("Pulumi.yaml") ? file : "Pulumi.yaml"} in this folder`, next: "go to the program's folder, and name a stack: --stack production" });
  }
  const { name, config: ofProject } = project;
  const ofStack = stackFile.parse(parse(readFileSync(file, "utf8"))).config;
  const config: Record<string, unknown> = { ...Object.fromEntries(Object.entries(ofProject).map(([key, value]) => [key.includes(":") ? key : `${name}:${key}`, value])), ...ofStack };
  const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const wanted = keys.flatMap((key): [string, string][] => (`${name}:${key}` in config ? [[key, text(config[`${name}:${key}`])]] : []));
  return parseSome(Object.fromEntries(wanted), keys);
}

/**
 * The app that the program of this folder releases: it is called as the project is, and so begins every key of its
 * config. Without a project there is none, which the first look at its settings refuses.
 */
export const app = project.name;
