import { otherColor, colorNamespacesOf, type Color, type NamespacedName } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { findSecretValue, readSecretValue } from "../kubernetes/secretValue.js";
import { readLiveColor } from "../traffic/live.js";
import { secretOf, type DatabaseSecrets } from "./databaseSecrets.js";

/**
 * Keys of a database Secret, in the order they are tried: a direct URL beside a pooled one, because a pooler
 * breaks session locks.
 */
const urlKeys = ["direct-url", "url"] as const;

/** What it takes to find the databases of an app. */
export type DatabaseRef = DatabaseSecrets & {
  app: string;
  /** Whose database counts before the first release, when no color is live. */
  activeColor: Color;
};

/** The databases whose schema the migrations change, by their URLs. */
export interface SchemaUrls {
  /** Of the color that serves traffic. */
  live: string;
  /** Of the other color, where it has a schema of its own; undefined before its Secret is made. */
  idle: string | undefined;
}

/** @throws UserError when the live color's Secret is missing */
export async function readSchemaUrls(cluster: Cluster, ref: DatabaseRef): Promise<SchemaUrls> {
  const { live, idle } = await secretsOf(cluster, ref);
  return {
    live: await readSecretValue(cluster, live, ...urlKeys),
    idle: idle === undefined ? undefined : await findSecretValue(cluster, idle, ...urlKeys),
  };
}

/**
 * The databases of both colors, with their administrators' URLs.
 * @throws UserError when a Secret or a key is missing
 */
export async function readPair(
  cluster: Cluster,
  secrets: DatabaseSecrets,
  live: Color,
): Promise<DatabasePair> {
  const of = async (color: Color): Promise<ColorDatabase> => {
    const secret = secretOf(cluster, secrets, color);
    return {
      color,
      adminUrl: await readSecretValue(cluster, secret, "admin-url"),
      peerUrl: await readSecretValue(cluster, secret, "peer-url"),
    };
  };
  return { live: await of(live), idle: await of(otherColor(live)) };
}

/**
 * The roles that pods connect to the live color's database as: a Secret beside each color's pods may name
 * another one.
 */
export async function readAppUsers(cluster: Cluster, ref: DatabaseRef): Promise<string[]> {
  const { live } = await secretsOf(cluster, ref);
  const others =
    ref.strategy === "shared"
      ? colorNamespacesOf(cluster).filter((namespace) => namespace !== live.namespace)
      : [];
  const urls = await Promise.all([
    readSecretValue(cluster, live, "url"),
    ...others.map((namespace) => findSecretValue(cluster, { ...live, namespace }, "url")),
  ]);
  return urls.flatMap((url) => (url === undefined ? [] : [decodeURIComponent(new URL(url).username)]));
}

/** The URL of the live database, or undefined before the program, or somebody else, has made its Secret. */
export async function findLiveUrl(cluster: Cluster, ref: DatabaseRef): Promise<string | undefined> {
  const { live } = await secretsOf(cluster, ref);
  return findSecretValue(cluster, live, ...urlKeys);
}

/**
 * The URL of a color's own database, or of its own way to the one that both share; undefined before its
 * Secret is made.
 */
export function findColorUrl(
  cluster: Cluster,
  secrets: DatabaseSecrets,
  color: Color,
): Promise<string | undefined> {
  return findSecretValue(cluster, secretOf(cluster, secrets, color), ...urlKeys);
}

async function secretsOf(
  cluster: Cluster,
  { app, activeColor, ...secrets }: DatabaseRef,
): Promise<{ live: NamespacedName; idle: NamespacedName | undefined }> {
  const live = (await readLiveColor(cluster, app)) ?? activeColor;
  // A streaming standby has the primary's schema by itself.
  return {
    live: secretOf(cluster, secrets, live),
    idle:
      secrets.strategy === "logicalReplication" ? secretOf(cluster, secrets, otherColor(live)) : undefined,
  };
}

/** The database of one color. Both URLs have passwords. */
export interface ColorDatabase {
  color: Color;
  /** As this program reaches it, as a superuser and past any pooler. */
  adminUrl: string;
  /** As the server of the other color reaches it, with a role that may replicate and read every table. */
  peerUrl: string;
}

/** Which color serves traffic decides the active Service alone. */
export interface DatabasePair {
  live: ColorDatabase;
  idle: ColorDatabase;
}
