import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Cluster } from "@bluegreen/release";
import type { AppBuild } from "../../../local/images/app";
import { postgresFolders, postgresPort } from "../../../local/services/postgres";
import { layout } from "../../../local/cluster/layout";
import {
  insideNetwork,
  loadImages,
  makeTlsSecret,
  readStage,
  startStage,
  stopStage,
  type Stage,
} from "../../../local/stage";
import { run } from "../../../local/system/run";
import { Visitor } from "../../routes/support/visitor";
import { startProxy, type BreakableProxy } from "../../support/breakableProxy";
import { makeStack, type TestStack } from "../../../local/testing/testStack";
import { startBalancer } from "./balancer";

/** One cluster of the two, as the tests see it: past what they break. */
export interface TestCluster {
  cluster: Cluster;
  loadImages(images: AppBuild[]): Promise<unknown>;
  makeCertificate(): Promise<void>;
  /** The way of the release, or of the balancer, to it. */
  api: BreakableProxy;
  edge: BreakableProxy;
}

/** The whole program as one stack over two clusters with one database, and a load balancer in front. */
export interface TwoClusters extends TestStack {
  eu: TestCluster;
  us: TestCluster;
  /** Somebody who comes by the balancer. */
  visitor: Visitor;
  kubeconfig: string;
}

/** Of the database in both networks. */
const databaseAddress = "10.89.200.1";

/** @param images for both; the running stage is the first cluster, and the second one is started */
export async function makeTwoClusters(images: AppBuild[]): Promise<TwoClusters> {
  const first = await readStage();
  if (first?.edge === undefined)
    throw new Error("the local stage is not running, or has no edge: npm test, which starts it");
  const folder = await mkdtemp(join(tmpdir(), "bg-clusters-"));
  const own = process.env["BLUEGREEN_STAGE_DIR"];
  const onFirst = <T>(work: () => Promise<T>) => onStage(own, work);
  const onSecond = <T>(work: () => Promise<T>) => onStage(join(folder, "s"), work);
  const { edgePki } = layout();
  const second = await onSecond(async () => {
    await startStage();
    // The host's certificate is the same in both.
    await cp(edgePki, layout().edgePki, { recursive: true });
    return startStage({ edge: true });
  });
  if (second.edge === undefined) throw new Error("the second stage has no edge");

  const socket = join(postgresFolders(layout().postgres).socket, `.s.PGSQL.${postgresPort}`);
  const doors = [await onFirst(() => openDatabase(socket)), await onSecond(() => openDatabase(socket))];
  const ways = await Promise.all(
    [first, second].map(async (stage) => ({
      api: await startProxy({ host: "127.0.0.1", port: await apiPort(stage) }),
      edge: await startProxy({ host: "127.0.0.1", port: stage.edge?.port ?? 0 }),
    })),
  );
  const [euWays, usWays] = ways;
  if (euWays === undefined || usWays === undefined) throw new Error("two stages have two ways");
  const direct = join(folder, "direct.json");
  const kubeconfig = join(folder, "kubeconfig.json");
  await writeFile(direct, await mergedKubeconfig({ eu: { stage: first }, us: { stage: second } }), {
    mode: 0o600,
  });
  await writeFile(
    kubeconfig,
    await mergedKubeconfig({
      eu: { stage: first, port: euWays.api.port },
      us: { stage: second, port: usWays.api.port },
    }),
    { mode: 0o600 },
  );

  const test = await makeStack(images, { kubeconfig });
  await onSecond(() => loadImages(images));
  process.env["KUBECONFIG"] = direct;
  const host = `${test.name}.${first.edge.host}`;
  await test.set({
    context: "eu",
    host,
    clusterIssuer: "none",
    traffic: { router: "traefik" },
    databaseAddress: `${databaseAddress}:${postgresPort}`,
  });
  const { ca } = first.edge;
  const balancer = await startBalancer({
    host,
    ca,
    backends: { eu: euWays.edge.port, us: usWays.edge.port },
  });
  const visitor = new Visitor({ ...first.edge, port: balancer.port }, host);
  const { namespace } = test.cluster;
  const certificate = { name: "chatgpt-app-tls", namespace };
  return {
    ...test,
    eu: {
      ...euWays,
      cluster: connect({ context: "eu", namespace, namespacePerColor: false }),
      loadImages: (builds) => onFirst(() => loadImages(builds)),
      makeCertificate: () => onFirst(() => makeTlsSecret(certificate)),
    },
    us: {
      ...usWays,
      cluster: connect({ context: "us", namespace, namespacePerColor: false }),
      loadImages: (builds) => onSecond(() => loadImages(builds)),
      makeCertificate: () => onSecond(() => makeTlsSecret(certificate)),
    },
    visitor,
    kubeconfig,
    remove: async () => {
      visitor.close();
      await balancer.stop();
      await test.remove();
      for (const { api, edge } of ways)
        [api, edge].forEach((way) => {
          way.close();
        });
      for (const close of doors) await close();
      await onSecond(stopStage);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What is asked of "the stage" meanwhile is asked of this one. */
async function onStage<T>(folder: string | undefined, work: () => Promise<T>): Promise<T> {
  const before = process.env["BLUEGREEN_STAGE_DIR"];
  const set = (to: string | undefined) => {
    if (to === undefined) delete process.env["BLUEGREEN_STAGE_DIR"];
    else process.env["BLUEGREEN_STAGE_DIR"] = to;
  };
  set(folder);
  try {
    return await work();
  } finally {
    set(before);
  }
}

/**
 * Pods of this stage reach the database of the first one by the same address as there. @returns how to close
 * it again
 */
async function openDatabase(socket: string): Promise<() => Promise<void>> {
  const [command = "", ...args] = await insideNetwork([]);
  const address = (verb: string) =>
    run(command, [...args, "ip", "address", verb, `${databaseAddress}/32`, "dev", "lo"]);
  await address("add");
  const door = spawn(
    command,
    [
      ...args,
      process.execPath,
      join(__dirname, "databaseDoor.js"),
      databaseAddress,
      String(postgresPort),
      socket,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(door.stdout, "data");
  return async () => {
    const exit = once(door, "exit");
    door.kill();
    await exit;
    await address("del");
  };
}

interface Named {
  name: string;
}
interface Kubeconfig {
  clusters: (Named & { cluster: { server: string } })[];
  users: (Named & { user: object })[];
}

async function readKubeconfig({ kubeconfig }: Stage): Promise<Kubeconfig> {
  return JSON.parse(await readFile(kubeconfig, "utf8")) as Kubeconfig;
}

async function apiPort(stage: Stage): Promise<number> {
  return Number(new URL((await readKubeconfig(stage)).clusters[0]?.cluster.server ?? "").port);
}

/** One file with a context for each, by its name. */
async function mergedKubeconfig(stages: Record<string, { stage: Stage; port?: number }>): Promise<string> {
  const all = await Promise.all(
    Object.entries(stages).map(async ([name, { stage, port }]) => {
      const { clusters, users } = await readKubeconfig(stage);
      const cluster = clusters[0]?.cluster;
      return {
        cluster: {
          name,
          cluster: { ...cluster, server: port === undefined ? cluster?.server : `https://127.0.0.1:${port}` },
        },
        user: { name, user: users[0]?.user },
        context: { name, context: { cluster: name, user: name } },
      };
    }),
  );
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "eu",
    clusters: all.map(({ cluster }) => cluster),
    users: all.map(({ user }) => user),
    contexts: all.map(({ context }) => context),
  });
}
