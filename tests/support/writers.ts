import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { poll, type Cluster } from "@bluegreen/release";
import { insideNetwork } from "../../local/stage";

/** What became of the users, or whatever an app has, that were created through the active Service. */
export interface Written {
  /** Acknowledged: they must be there for ever. */
  ids: string[];
  /** Not acknowledged, with the status or the error. */
  refused: string[];
}

export interface Writers {
  written: Written;
  /** Resolves once so many more were acknowledged. */
  more(count: number, timeoutMs?: number): Promise<void>;
  stop(): Promise<Written>;
}

export const everyMs = 60;
/** It stops by itself: a test that dies must not leave it running. */
const maxWrites = 5000;

const script = `
  const [url, name, every, max] = process.argv.slice(1);
  let sent = 0;
  const timer = setInterval(async () => {
    const id = name + "-" + ++sent;
    if (sent > Number(max)) return clearInterval(timer);
    try {
      const body = JSON.stringify({ id, email: id + "@example.com" });
      const answer = await fetch(url, { method: "POST", body, signal: AbortSignal.timeout(10000), headers: { "content-type": "application/json", connection: "close" } });
      await answer.arrayBuffer();
      console.log(answer.status === 201 ? "ok " + id : "refused HTTP " + answer.status);
    } catch (error) {
      console.log("refused " + (error.cause?.code ?? error.message));
    }
  }, Number(every));`;

/**
 * Keeps creating users through the active Service, each by a new connection.
 * @param at where another app creates what it has of an id and an email
 */
export async function startWriters(
  cluster: Cluster,
  name: string,
  at = { service: "chatgpt-app-service", path: "/api/users" },
): Promise<Writers> {
  const service = await cluster.core.readNamespacedService({
    name: at.service,
    namespace: cluster.namespace,
  });
  const url = `http://${service.spec?.clusterIP ?? ""}${at.path}`;
  const [command = "", ...args] = await insideNetwork([
    process.execPath,
    "-e",
    script,
    url,
    name,
    String(everyMs),
    String(maxWrites),
  ]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const written: Written = { ids: [], refused: [] };
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [kind, ...rest] = line.split(" ");
    (kind === "ok" ? written.ids : written.refused).push(rest.join(" "));
  });
  const more = async (count: number, timeoutMs = 20_000) => {
    const wanted = written.ids.length + count;
    await poll(() => Promise.resolve(written.ids.length >= wanted ? true : undefined), {
      timeoutMs,
      intervalMs: 20,
    });
  };
  await more(1);
  return {
    written,
    more,
    stop: async () => {
      const exit = once(child, "exit");
      child.kill();
      await exit;
      return written;
    },
  };
}
