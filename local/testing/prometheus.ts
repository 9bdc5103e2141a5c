import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Cluster } from "@bluegreen/release";
import { httpPort } from "@bluegreen/release/kubernetes/pods";
import { network } from "../cluster/layout";
import { cacheDir } from "../paths";
import { insideNetwork } from "../stage";
import { withLock } from "../system/lock";
import { run } from "../system/run";
import { waitFor } from "../system/wait";

/** A Prometheus that collects from the pods of a namespace and from the stage's edge. */
export interface Prometheus {
  /** On this machine's loopback. */
  url: string;
  stop(): Promise<void>;
}

const port = 9090;

/**
 * Debian's, taken out of its package: installed, it would start a server of the machine's own.
 * @returns path of the program
 */
async function prometheusProgram(): Promise<string> {
  const dir = join(cacheDir(), "prometheus");
  const program = join(dir, "usr", "bin", "prometheus");
  await withLock(join(cacheDir(), "locks", "prometheus"), async () => {
    if (existsSync(program)) return;
    const made = `${dir}.new`;
    await rm(made, { recursive: true, force: true });
    await mkdir(made, { recursive: true });
    const download = () => run("apt-get", ["download", "-q", "prometheus"], { cwd: made });
    await download().catch(async () => {
      await run("apt-get", ["update", "-q"]);
      await download();
    });
    for (const file of await readdir(made)) await run("dpkg-deb", ["-x", join(made, file), made]);
    await rm(dir, { recursive: true, force: true });
    await rename(made, dir);
  });
  return program;
}

async function writeTargets(cluster: Cluster, file: string): Promise<void> {
  const { items } = await cluster.core.listNamespacedPod({ namespace: cluster.namespace });
  const targets = items.flatMap((pod) => {
    const { podIP: ip, phase } = pod.status ?? {};
    const port = httpPort(pod);
    if (ip === undefined || port === undefined || phase !== "Running") return [];
    const { name = "", namespace = "", labels = {} } = pod.metadata ?? {};
    return [
      { targets: [`${ip}:${port}`], labels: { pod: name, namespace, version: labels["version"] ?? "none" } },
    ];
  });
  // In one go: half a file would be none.
  await writeFile(`${file}.new`, JSON.stringify(targets));
  await rename(`${file}.new`, file);
}

async function followPods(cluster: Cluster, file: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(1000, undefined, { signal }).catch(() => undefined);
    // The next one may be had.
    await writeTargets(cluster, file).catch(() => undefined);
  }
}

/** Joins connections of a socket in the file system, which every network reaches, with a port of this one. */
const joint = `
  const { connect, createServer } = require("node:net");
  const [path, host, port] = process.argv.slice(1);
  createServer((from) => {
    const to = connect(Number(port), host);
    for (const [one, other] of [[from, to], [to, from]]) one.on("error", () => other.destroy());
    from.pipe(to).pipe(from);
  }).listen(path);`;

/** @param cluster whose pods it collects from, in its namespace and at their port http */
export async function startPrometheus(cluster: Cluster): Promise<Prometheus> {
  const program = await prometheusProgram();
  const dir = await mkdtemp(join(tmpdir(), "bg-prometheus-"));
  const targets = join(dir, "pods.json");
  const stopped = new AbortController();
  await writeTargets(cluster, targets);
  const following = followPods(cluster, targets, stopped.signal);
  const config = {
    global: { scrape_interval: "1s" },
    scrape_configs: [
      { job_name: "traefik", static_configs: [{ targets: [`${network.node}:${network.edgeMetricsPort}`] }] },
      {
        job_name: "pods",
        // Debian's knows no Kubernetes.
        file_sd_configs: [{ files: [targets], refresh_interval: "1s" }],
      },
    ],
  };
  // YAML takes JSON.
  await writeFile(join(dir, "prometheus.yml"), JSON.stringify(config));
  const socket = join(dir, "socket");
  const children = await Promise.all(
    [
      [
        program,
        `--config.file=${join(dir, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(dir, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=error",
      ],
      [process.execPath, "-e", joint, socket, "127.0.0.1", String(port)],
    ].map(async (argv) => {
      const [command = "", ...args] = await insideNetwork(["setpriv", "--pdeathsig", "KILL", "--", ...argv]);
      return spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
    }),
  );
  const server = createServer((from) => {
    const to = connect(socket);
    from.on("error", () => to.destroy());
    to.on("error", () => from.destroy());
    from.pipe(to).pipe(from);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await waitFor(
    async () => {
      const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
      return answer?.ok === true ? true : undefined;
    },
    300_000,
    () => Promise.resolve(new Error("Prometheus did not answer within 60 s")),
  );
  return {
    url,
    stop: async () => {
      server.close();
      stopped.abort();
      await following;
      for (const child of children) {
        const exit = once(child, "exit");
        child.kill();
        await exit;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}
