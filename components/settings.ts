import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { requireAppName } from "@bluegreen/release/appName";
import { parseSettings, type Settings } from "@bluegreen/release/settings/settings";
import type { BlueGreenAppArgs } from "./args";

/**
 * The settings of an app, checked: what code says, and above it the stack's config, where every key that begins with
 * the app's name and a colon is one of them.
 * @param app its name; that of the project, where `pulumi config set` is to be typed without it
 * @throws Refusal with every violation, or for a name that no app can have, before any resource is registered
 */
export function readSettings(app: string, args: Partial<BlueGreenAppArgs> = {}): Settings {
  requireAppName(app);
  const prefix = `${app}:`;
  const ours = (keys: string[]) => keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  const config = pulumi.runtime.allConfig();
  const texts = Object.fromEntries(ours(Object.keys(config)).map((key) => [key, config[`${prefix}${key}`] ?? ""]));
  const encrypted = encryptedKeys();
  // What code alone says is in no stack's file.
  const fromCode = Object.keys(args).filter((key) => !(key in texts));
  return parseSettings({ ...textsOf(args), ...texts }, encrypted && ours(encrypted), fromCode);
}

/** As a stack's file would hold them: there is one set of rules, for texts. */
function textsOf(args: Partial<BlueGreenAppArgs>): Record<string, string> {
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

/** Pulumi hands values over in plain text, and names those that it had to decrypt. */
function encryptedKeys(): string[] | undefined {
  const keys = process.env["PULUMI_CONFIG_SECRET_KEYS"];
  return keys === undefined ? undefined : z.array(z.string()).parse(JSON.parse(keys));
}
