/**
 * A stack's settings: what Pulumi.yaml declares for all stacks, and above it what the stack has of its own.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfigMap } from "@pulumi/pulumi/automation/index.js";
import { parse, parseDocument } from "yaml";
import { z } from "zod";
import { requireAppName } from "@bluegreen/release/app/names";
import { UserError } from "@bluegreen/release/util/userError";
import { parseSettings, type Settings } from "@bluegreen/release/config/settings";
import { parseSome } from "@bluegreen/release/config/checkSettings";
import type { FlatSettings } from "@bluegreen/release/config/schema";
import { pulumiError } from "./pulumi/pulumiError";
import { Stack } from "./pulumi/stack";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

/** A value, or a declaration of one. */
const declared = z.union([
  z.object({ value: z.unknown() }).transform(({ value }) => value),
  z.object({ default: z.unknown() }).transform((each) => each.default),
  z.unknown(),
]);
const projectFile = z.object({
  name: z.string(),
  stackConfigDir: z.string().default(""),
  config: z.record(z.string(), declared).default({}),
});
const stackFile = z.object({ config: z.record(z.string(), z.unknown()).default({}) });

export type Project = z.output<typeof projectFile>;

/**
 * Read once: it is as long as there are settings, and a page or an analysis asks for some of them every second.
 */
let project = readProject();

/**
 * The app that the program of this folder releases: it is called as the project is, and so begins every key
 * of its config. Without a project there is none, which the first read of its settings refuses.
 */
export let app = project.name;

/**
 * In another folder than before.
 * @param text of a Pulumi.yaml that is to be written; @default the one that is there
 */
export function rereadProject(text?: string): void {
  project = readProject(text);
  app = project.name;
}

function readProject(
  text = existsSync("Pulumi.yaml") ? readFileSync("Pulumi.yaml", "utf8") : undefined,
): Project {
  return text === undefined ? { name: "", stackConfigDir: "", config: {} } : parseProject(text);
}

/**
 * Settings from a stack's file, by nothing but the file: no backend, no passphrase, no Pulumi. Secret ones
 * cannot be read so.
 * @param file another one in its place, with config as it would be
 * @throws UserError when there is no such stack, or a value breaks its rule
 */
export function readStackSettings<Key extends keyof FlatSettings>(
  stack: string,
  keys: Key[],
  file = stackPath(stack),
): Pick<FlatSettings, Key> {
  const texts = stackTexts(stack, file);
  return parseSome(
    app,
    Object.fromEntries(Object.entries(texts).filter(([key]) => keys.some((wanted) => wanted === key))),
    keys,
  );
}

/** A stack's settings as texts, unchecked. @throws UserError when there is no such stack */
export function stackTexts(stack: string, file = stackPath(stack)): Record<string, string> {
  requireProject();
  if (!existsSync(file))
    throw new UserError({
      code: "BG-STACK-NOT-FOUND",
      what: `The stack ${JSON.stringify(stack)} was refused`,
      rule: `there is no ${file} in this folder`,
      next: `name another one: --stack production; or write the file: ${bluegreen} init NAME`,
    });
  return textsOf(project, stackFile.parse(parse(readFileSync(file, "utf8"))).config);
}

/**
 * All settings of a stack as the program would get them, secret ones in plain text: they stay in this
 * process.
 * @throws UserError naming every violation, or when Pulumi cannot read them
 */
export async function readAllSettings(stack: string): Promise<Settings> {
  requireProject();
  let config;
  try {
    config = await (await Stack.open({ name: stack })).config();
  } catch (error) {
    throw pulumiError(error, {
      stack,
      what: `The config of stack ${stack} could not be read`,
      next: `pulumi config --stack ${stack}; where it asks for a passphrase, export PULUMI_CONFIG_PASSPHRASE`,
    });
  }
  return settingsFrom(config);
}

/**
 * Settings from what Pulumi tells of a stack's config.
 * @throws UserError naming every violation
 */
export function settingsFrom(config: ConfigMap): Settings {
  const entries = Object.entries(config);
  const secret = Object.keys(
    textsOf(
      { ...project, config: {} },
      Object.fromEntries(entries.filter(([, each]) => each.secret === true)),
    ),
  );
  return parseSettings(
    app,
    textsOf(project, Object.fromEntries(entries.map(([key, { value }]) => [key, value]))),
    secret,
  );
}

/**
 * Settings of a stack that is not there yet: what Pulumi.yaml declares for all, and above it these.
 * @throws UserError naming every violation
 */
export function settingsOf(own: Record<string, string>): Settings {
  const config = Object.fromEntries(Object.entries(own).map(([key, value]) => [`${app}:${key}`, value]));
  return parseSettings(app, textsOf(project, config));
}

export function parseProject(text: string): Project {
  return projectFile.parse(parse(text));
}

/**
 * The project's own settings as texts, by the names that they have in it.
 * @param config of a stack, by full keys
 */
export function textsOf(
  { name, config: ofProject }: Project,
  config: Record<string, unknown>,
): Record<string, string> {
  const all = [
    ...Object.entries(ofProject).map(([key, value]): [string, unknown] => [
      key.includes(":") ? key : `${name}:${key}`,
      value,
    ]),
    ...Object.entries(config),
  ];
  const own = all.flatMap(([key, value]) =>
    key.startsWith(`${name}:`)
      ? [[key.slice(name.length + 1), typeof value === "string" ? value : JSON.stringify(value)]]
      : [],
  );
  return Object.fromEntries(own) as Record<string, string>;
}

/** What Pulumi.yaml gives a setting for all stacks; undefined where it gives none. */
export function projectSetting(key: keyof FlatSettings): string | undefined {
  return textsOf(project, {})[key];
}

/** @throws UserError when there is none in this folder, or one that no app can be called after */
export function requireProject(): void {
  if (app === "")
    throw new UserError({
      code: "BG-PROGRAM-NOT-FOUND",
      what: "The command was refused",
      rule: "there is no Pulumi.yaml in this folder",
      next: `go to the program's folder; or write a program: ${bluegreen} init`,
    });
  requireAppName(app);
}

/** The text of a stack's file with some of its settings changed; undefined takes one out. */
export function withSettings(text: string, change: Record<string, unknown>): string {
  const file = parseDocument(text);
  for (const [key, value] of Object.entries(change)) {
    const path = ["config", `${app}:${key}`];
    if (value !== undefined) file.setIn(path, value);
    else if (file.hasIn(path)) file.deleteIn(path);
  }
  return file.toString();
}

/**
 * What reverts a change of a stack's file: the settings that are as it has set them get what they had
 * before it. What somebody else has written meanwhile stays.
 */
export function reverted(
  change: Record<string, string | undefined>,
  { before, now }: { before: string; now: string },
): Record<string, unknown> {
  const [had, has] = [before, now].map((text) => stackFile.parse(parse(text)).config);
  const isOurs = ([key, value]: [string, string | undefined]) => {
    const found = has?.[`${app}:${key}`];
    return found !== had?.[`${app}:${key}`] && (found === value || JSON.stringify(found) === value);
  };
  return Object.fromEntries(
    Object.entries(change)
      .filter(isOurs)
      .map(([key]) => [key, had?.[`${app}:${key}`]]),
  );
}

/** Of a stack of this folder's project. */
export function stackPath(stack: string): string {
  return join(project.stackConfigDir, stackFileName(stack));
}

/** Whatever organization and project a stack's name tells, its file is named by the stack alone. */
export function stackFileName(stack: string): string {
  return `Pulumi.${stack.slice(stack.lastIndexOf("/") + 1)}.yaml`;
}

/** Those that have a file. */
export function stacksHere(): string[] {
  return readdirSync(project.stackConfigDir || ".").flatMap(
    (file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.slice(1) ?? [],
  );
}
