import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { parseSettings, type Settings } from "@bluegreen/release/settings/settings";
import type { BlueGreenAppArgs } from "./args";

/**
 * The settings of an app, checked: what code says, and above it the stack's config, where every key that begins with
 * the app's name and a colon is one of them.
 * @param app its name; that of the project, where `pulumi config set` is to be typed without it
 * @throws Refusal with every violation, before any resource is registered
 */
export function readSettings(app: string, args: Partial<BlueGreenAppArgs> = {}): Settings {
  const prefix = `${app}:`;
  const ours = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  const bare = (key: string) => key.slice(prefix.length);
  const encrypted = encryptedKeys()?.map(bare);
  // Nothing that code says is in the stack's file.
  return parseSettings({ ...textsOf(args), ...Object.fromEntries(ours.map(([key, value]) => [bare(key), value])) }, encrypted && [...encrypted, ...Object.keys(args)]);
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
