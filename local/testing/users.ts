import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { poll, type Cluster } from "@bluegreen/release";
import { insideNetwork } from "../stage";

/** What users of the active Service saw. */
export interface Seen {
  requests: number;
  failures: string[];
  colors: Set<string>;
}

/**
 * A user who keeps asking the active Service, from inside the cluster's network, each time by a new
 * connection.
 */
export interface Users {
  seen: Seen;
  /** Resolves once an answer of this color has come after the call. */
  answeredBy(color: string, timeoutMs?: number): Promise<void>;
  stop(): Promise<Seen>;
}

/**
 * Requests per second: enough to notice a gap of a few tens of milliseconds, little enough to disturb
 * nothing.
 */
const rate = 25;
/** The user stops by itself: a test that dies must not leave it running. */
const maxRequests = rate * 1800;

const script = `
  const [url, rate, max] = process.argv.slice(1);
  let sent = 0;
  const timer = setInterval(async () => {
    if (++sent > Number(max)) return clearInterval(timer);
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5000), headers: { connection: "close" } });
      await answer.arrayBuffer();
      console.log(answer.status < 500 ? "color " + answer.headers.get("x-app-color") : "failure HTTP " + answer.status + " by " + answer.headers.get("x-app-color"));
    } catch (error) {
      console.log("failure " + (error.cause?.code ?? error.message));
    }
  }, 1000 / Number(rate));`;

/** Nobody has this name: the answer is a 404 out of the database, from whichever version answers. */
const ofReferenceApp = { service: "chatgpt-app-service", path: "/api/users/nobody" };

/** @param asked a Service of the namespace, and a path whose answers name the color in header x-app-color */
export async function startUsers(cluster: Cluster, asked = ofReferenceApp): Promise<Users> {
  const service = await cluster.core.readNamespacedService({
    name: asked.service,
    namespace: cluster.namespace,
  });
  const url = `http://${service.spec?.clusterIP ?? ""}${asked.path}`;
  const [command = "", ...args] = await insideNetwork([
    process.execPath,
    "-e",
    script,
    url,
    String(rate),
    String(maxRequests),
  ]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const seen: Seen = { requests: 0, failures: [], colors: new Set() };
  let latest = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [kind, ...rest] = line.split(" ");
    seen.requests += 1;
    if (kind === "color") {
      latest = rest.join(" ");
      seen.colors.add(latest);
    } else {
      seen.failures.push(rest.join(" "));
    }
  });
  // A Service made a moment ago refuses connections until every node knows it: users come after that.
  await poll(() => Promise.resolve(seen.colors.size > 0 ? true : undefined), {
    timeoutMs: 300_000,
    intervalMs: 5,
  });
  seen.requests = 0;
  seen.failures.length = 0;
  return {
    seen,
    answeredBy: async (color, timeoutMs = 120_000) => {
      latest = "";
      await poll(() => Promise.resolve(latest === color ? true : undefined), { timeoutMs, intervalMs: 5 });
    },
    stop: async () => {
      const exit = once(child, "exit");
      child.kill();
      await exit;
      return seen;
    },
  };
}
