import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { poll, type Cluster } from "@bluegreen/release";
import { typescript } from "../../local/paths";
import { insideNetwork } from "../../local/stage";
import type { ClientKind, ClientReport, CrowdCommand, CrowdOptions, CrowdReport } from "./crowdClients";

/**
 * Many clients that keep their connections and streams to the active Service, from inside the cluster's
 * network.
 */
export interface Crowd {
  /** Does it, and says what everybody has seen so far. */
  tell(command: CrowdCommand): Promise<CrowdReport>;
  /** Resolves once all clients of these kinds were answered by a color last. */
  allOn(color: string, kinds: ClientKind[], timeoutMs: number): Promise<CrowdReport>;
  /** What everybody has seen; then they leave. */
  stop(): Promise<CrowdReport>;
}

/** @returns when every client has had an answer; those of slow requests have to wait for theirs */
export async function startCrowd(cluster: Cluster, options: Partial<CrowdOptions>): Promise<Crowd> {
  const service = await cluster.core.readNamespacedService({
    name: "chatgpt-app-service",
    namespace: cluster.namespace,
  });
  const script = ["-r", typescript, join(__dirname, "crowdClients.ts")];
  const wanted: CrowdOptions = { streams: 0, busy: 0, idle: 0, slow: 0, ...options };
  const [command = "", ...args] = await insideNetwork([
    process.execPath,
    ...script,
    `http://${service.spec?.clusterIP ?? ""}`,
    JSON.stringify(wanted),
  ]);
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = async (order: CrowdCommand): Promise<CrowdReport> => {
    child.stdin.write(`${order}\n`);
    const { value } = (await lines.next()) as { value?: string };
    if (value === undefined) throw new Error("the crowd has ended by itself");
    return JSON.parse(value) as CrowdReport;
  };
  const until = (isSo: (report: CrowdReport) => boolean, timeoutMs: number): Promise<CrowdReport> =>
    poll(
      async () => {
        const report = await tell("report");
        return isSo(report) ? report : undefined;
      },
      { timeoutMs, intervalMs: 100 },
    );
  await until(
    ({ clients }) =>
      clients.length > 0 && clients.every(({ kind, color }) => kind === "slow" || color !== ""),
    60_000,
  );
  return {
    tell,
    allOn: (color, kinds, timeoutMs) =>
      until(
        ({ clients }) => clients.every((client) => !kinds.includes(client.kind) || client.color === color),
        timeoutMs,
      ),
    stop: async () => {
      const report = await tell("report");
      const exit = once(child, "exit");
      child.stdin.end();
      await exit;
      return report;
    },
  };
}

/** Seconds from a moment until the last of these clients had its first answer of the color it is on. */
export function lastOver(clients: ClientReport[], kind: ClientKind, sinceMs: number): number {
  return (
    Math.max(...clients.filter((client) => client.kind === kind).map(({ since }) => since - sinceMs)) / 1000
  );
}
