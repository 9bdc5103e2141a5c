import { otherColor, type Color } from "../color.js";
import { homeOf, homesOf, type Homes } from "../homes.js";
import type { Cluster } from "../kubernetes/cluster.js";
import type { NamespacedName } from "../kubernetes/namespacedName.js";
import { findSecretValue, readSecretValue } from "../kubernetes/secretValue.js";
import { readLiveColor } from "../live.js";
import { databaseSecret } from "./databaseSecret.js";
import type { ColorDatabase, DatabasePair } from "./colorDatabase.js";
import type { Strategy } from "../settings/schema.js";

/** Keys of a database Secret, in the order they are tried: a direct URL beside a pooled one, because a pooler breaks session locks. */
const urlKeys = ["direct-url", "url"] as const;

/** What it takes to find the databases of an app. */
export type DatabaseRef = {
  app: string;
  strategy: Strategy;
  /** Whose database counts before the first release, when no color is live. */
  activeColor: Color;
};

/** The databases whose schema the migrations change, by their URLs. */
export interface SchemaUrls {
  /** Of the color that serves users. */
  live: string;
  /** Of the other color, where it has a schema of its own; undefined before its Secret is made. */
  idle: string | undefined;
}

/** @throws Refusal when the live color's Secret is missing */
export async function readSchemaUrls(cluster: Cluster, ref: DatabaseRef): Promise<SchemaUrls> {
  const { live, idle } = await secretsOf(cluster, ref);
  return {
    live: await readSecretValue(cluster, live, ...urlKeys),
    idle: idle === undefined ? undefined : await findSecretValue(cluster, idle, ...urlKeys),
  };
}

/**
 * The databases of both colors, with their administrators' URLs.
 * @throws Refusal when a Secret or a key is missing
 */
export async function readPair(cluster: Cluster, strategy: Strategy, live: Color): Promise<DatabasePair> {
  const of = async (color: Color): Promise<ColorDatabase> => {
    const secret = secretOf(cluster, strategy, color);
    return { color, adminUrl: await readSecretValue(cluster, secret, "admin-url"), peerUrl: await readSecretValue(cluster, secret, "peer-url") };
  };
  return { live: await of(live), idle: await of(otherColor(live)) };
}

/** The roles that pods connect to the live color's database as: a Secret beside each color's pods may name another one. */
export async function readAppUsers(cluster: Cluster, ref: DatabaseRef): Promise<string[]> {
  const { live } = await secretsOf(cluster, ref);
  const others = ref.strategy === "shared" ? homesOf(cluster).filter((namespace) => namespace !== live.namespace) : [];
  const urls = await Promise.all([readSecretValue(cluster, live, "url"), ...others.map((namespace) => findSecretValue(cluster, { ...live, namespace }, "url"))]);
  return urls.flatMap((url) => (url === undefined ? [] : [decodeURIComponent(new URL(url).username)]));
}

/** The URL of the live database, or undefined before the program, or somebody else, has made its Secret. */
export async function findLiveUrl(cluster: Cluster, ref: DatabaseRef): Promise<string | undefined> {
  const { live } = await secretsOf(cluster, ref);
  return findSecretValue(cluster, live, ...urlKeys);
}

/** The URL of a color's own database, or of its own way to the one that both share; undefined before its Secret is made. */
export function findColorUrl(cluster: Cluster, strategy: Strategy, color: Color): Promise<string | undefined> {
  return findSecretValue(cluster, secretOf(cluster, strategy, color), ...urlKeys);
}

/** Beside the pods that read it. */
export function secretOf(homes: Homes, strategy: Strategy, color: Color): NamespacedName {
  return { namespace: homeOf(homes, color), name: databaseSecret(strategy, color) };
}

async function secretsOf(cluster: Cluster, { app, strategy, activeColor }: DatabaseRef): Promise<{ live: NamespacedName; idle: NamespacedName | undefined }> {
  const live = (await readLiveColor(cluster, app)) ?? activeColor;
  // A streaming standby has the primary's schema by itself.
  return { live: secretOf(cluster, strategy, live), idle: strategy === "perColor" ? secretOf(cluster, strategy, otherColor(live)) : undefined };
}
