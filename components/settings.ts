import * as pulumi from "@pulumi/pulumi";
import { parseSettings, type Settings } from "@bluegreen/release/settings/settings";

/**
 * The stack's config, checked.
 * @throws Refusal with every violation, before any resource is registered
 */
export function readSettings(): Settings {
  const prefix = `${pulumi.getProject()}:`;
  const ours = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  return parseSettings(Object.fromEntries(ours.map(([key, value]) => [key.slice(prefix.length), value])));
}
