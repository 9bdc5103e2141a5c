import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { GeneratorOptions } from "./options";

/** How a connection to the target is made, whatever is asked by it. */
export interface Way {
  target: string;
  /** What the requests call the target. */
  host: string;
  /** Of TLS; empty without it. */
  tls: { ca?: string; servername?: string };
  /** Of Node.js, for http or https. */
  request: typeof http.request;
  agent(options: http.AgentOptions): http.Agent;
}

export function wayTo({ target, host, caFile }: Pick<GeneratorOptions, "target" | "host" | "caFile">): Way {
  const url = new URL(target);
  const name = host ?? url.host;
  if (caFile === undefined)
    return {
      target,
      host: name,
      tls: {},
      request: http.request,
      agent: (options) => new http.Agent(options),
    };
  const tls = { ca: readFileSync(caFile, "utf8"), servername: host ?? url.hostname };
  return {
    target,
    host: name,
    tls,
    request: https.request,
    agent: (options) => new https.Agent({ ...options, ...tls }),
  };
}
