import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { requireAppName } from "@bluegreen/release/app/names";
import { checkSettings } from "@bluegreen/release/config/checkSettings";
import type { BlueGreenAppArgs } from "./args";
import { overLate } from "./lateArgs";

/**
 * The arguments of an app from the stack's config, where every key that begins with the app's name and a colon
 * is one of them. The only reader of config here: `BlueGreenApp` knows its arguments alone.
 *
 * ```ts
 * new BlueGreenApp("shop", configArgs("shop", { http: { port: 8080 } }));
 * ```
 *
 * @param app its name; that of the project, where `pulumi config set` is to be typed without it
 * @param below what counts where config says nothing; variables of both are put together
 * @throws UserError with every violation, or for a name that no app can have
 */
export function configArgs(app: string, below: Partial<BlueGreenAppArgs> = {}): BlueGreenAppArgs {
  requireAppName(app);
  const prefix = `${app}:`;
  const ours = (keys: string[]) =>
    keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  const config = pulumi.runtime.allConfig();
  const texts = Object.fromEntries(
    ours(Object.keys(config)).map((key) => [key, config[`${prefix}${key}`] ?? ""]),
  );
  const encrypted = encryptedKeys();
  return overLate(below, (plain) => checkSettings(app, texts, encrypted && ours(encrypted), plain));
}

/** Pulumi hands values over in plain text, and names those that it had to decrypt. */
function encryptedKeys(): string[] | undefined {
  const keys = process.env["PULUMI_CONFIG_SECRET_KEYS"];
  return keys === undefined ? undefined : z.array(z.string()).parse(JSON.parse(keys));
}
