import { readFile } from "node:fs/promises";
import { requestClients, type RequestClient } from "../../local/load/generator/options";
import type { EntryPoint } from "../../local/load/job";
import { makeTlsSecret } from "../../local/stage";
import type { TestStack } from "../../local/testing/testStack";

/**
 * Straight to the active Service, in plain HTTP as the app speaks it, or as traffic comes: by TLS, through the
 * edge.
 */
export const entries = ["service", "edge"] as const;
export type EntryName = (typeof entries)[number];

/** Where a load comes in. */
export interface Entry {
  /** Who can come in there. */
  clients: readonly RequestClient[];
  /** What the app has to be told. */
  settings: Record<string, unknown>;
  /** Opens it, once the app is there. Undefined: the active Service, by its address. */
  open(): Promise<EntryPoint | undefined>;
}

export function entryOf(
  name: EntryName,
  { cluster: { namespace }, stage: { edge } }: TestStack,
  app: string,
): Entry {
  if (name === "service")
    return { clients: ["short", "keep-alive"], settings: {}, open: () => Promise.resolve(undefined) };
  if (edge === undefined) throw new Error("the stage has no edge");
  // A host of its own: others may be at the same edge.
  const host = `${namespace}.${edge.host}`;
  return {
    clients: requestClients,
    settings: { host, traffic: { router: "traefik" }, clusterIssuer: "none" },
    open: async () => {
      await makeTlsSecret({ name: `${app}-tls`, namespace });
      return { target: `https://${edge.address}:443`, host, ca: await readFile(edge.ca, "utf8") };
    },
  };
}
