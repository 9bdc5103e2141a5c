import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { parseSettings, type Settings } from "@bluegreen/release/settings/settings";

/**
 * The stack's config, checked.
 * @throws Refusal with every violation, before any resource is registered
 */
export function readSettings(): Settings {
  const prefix = `${pulumi.getProject()}:`;
  const ours = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  const bare = (key: string) => key.slice(prefix.length);
  return parseSettings(Object.fromEntries(ours.map(([key, value]) => [bare(key), value])), encryptedKeys()?.map(bare));
}

/** Pulumi hands values over in plain text, and names those that it had to decrypt. */
function encryptedKeys(): string[] | undefined {
  const keys = process.env["PULUMI_CONFIG_SECRET_KEYS"];
  return keys === undefined ? undefined : z.array(z.string()).parse(JSON.parse(keys));
}
