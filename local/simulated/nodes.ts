import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig, type V1Node } from "@bluegreen/release/kubernetes/client";
import { orUndefined } from "@bluegreen/release";
import { mapBounded } from "@bluegreen/release/util/mapBounded";
import { adminClient } from "../cluster/certificates";
import { writeKubeconfig } from "../cluster/kubeconfig";
import { layout, network } from "../cluster/layout";
import { buildSimulated } from "../programs/programs";
import { insideNetwork, readStage } from "../stage";
import { startOwned, type Owned } from "../system/owned";
import { startAnsweringApp } from "./answeringApp";
import { kwokConfiguration } from "./configuration";
import { simulatedKey, simulatedNames } from "./names";
import { placeOnSimulatedNodes, removePlacement } from "./placement";

/**
 * Simulated nodes in the stage that runs: its API server, scheduler and controllers are real, what is behind
 * these nodes is not.
 */
export interface SimulatedNodes {
  id: string;
  /** Name of a namespace whose pods go to these nodes. */
  namespace(name: string): string;
  /** Removes nodes and rules. Namespaces are their makers' to remove, before. */
  stop(): Promise<void>;
}

/** As many pods as a kubelet takes by default. */
export const podsPerNode = 110;
const startTimeoutMs = 60_000;
const atOnce = 8;

/**
 * Starts kwok beside the running stage, with so many nodes. Pods on them are ready at once; one real
 * process of the app answers for all of them, through the same ways of the API server as for real pods.
 * All of it ends with this process, or with `stop`; a process that was killed leaves nodes that nobody keeps,
 * which are not ready and take no pods.
 * @throws Error when no stage runs
 */
export async function startSimulatedNodes(
  count: number,
  progress: (text: string) => void = () => undefined,
): Promise<SimulatedNodes> {
  const stage = await readStage();
  if (stage === undefined) throw new Error("the local stage is not running: npm start");
  const program = join(await buildSimulated(progress), "kwok");
  const config = new KubeConfig();
  config.loadFromFile(stage.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const id = randomBytes(3).toString("hex");
  const names = Array.from({ length: count }, (_, index) => simulatedNames.node(id, index));
  const folder = await mkdtemp(join(tmpdir(), "bg-simulated-"));
  const running: Owned[] = [];
  const stop = async () => {
    // Nodes first: with nobody to keep them they would be there, not ready, for ever.
    await mapBounded(names, atOnce, async (name) => orUndefined(core.deleteNode({ name })));
    await removePlacement(config, id);
    for (const owned of running) await owned.stop("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await placeOnSimulatedNodes(config, id);
    const kwok = await startKwok(program, { id, folder, running });
    running.push(kwok);
    await mapBounded(names, atOnce, (name) => core.createNode({ body: nodeOf(name, id) }));
    await kwok.ready(() => areReady(core, id, count), startTimeoutMs);
  } catch (error) {
    await stop();
    throw error;
  }
  return { id, namespace: (name) => `${simulatedNames.namespacePrefix(id)}${name}`, stop };
}

async function startKwok(
  program: string,
  { id, folder, running }: { id: string; folder: string; running: Owned[] },
): Promise<Owned> {
  const within = await insideNetwork([]);
  const app = await startAnsweringApp(folder, within);
  running.push(app);
  const file = (name: string) => join(folder, name);
  await writeFile(file("pod.log"), podLog());
  await writeFile(
    file("kwok.yaml"),
    kwokConfiguration({ id, kubeletPort: kubeletPort(), appPort: app.port, logFile: file("pod.log") }),
  );
  await writeKubeconfig({
    file: file("kubeconfig"),
    pki: layout().pki,
    client: adminClient,
    port: network.apiPort,
  });
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return startOwned(
    "kwok",
    [program, "--config", file("kwok.yaml"), "--kubeconfig", file("kubeconfig")],
    owner,
    file("kwok.log"),
    within,
  );
}

/** Any that the real kubelet does not have: two simulations on one stage rarely draw the same. */
function kubeletPort(): number {
  return 20_000 + (randomBytes(2).readUInt16BE() % 10_000);
}

/** What a pod has logged, as the kubelet keeps it. */
function podLog(): string {
  const line = JSON.stringify({ level: "info", message: "a simulated pod says nothing of its own" });
  return Array.from({ length: 100 }, () => `${new Date().toISOString()} stdout F ${line}\n`).join("");
}

function nodeOf(name: string, id: string): V1Node {
  const capacity = { cpu: "64", memory: "256Gi", pods: String(podsPerNode) };
  return {
    metadata: {
      name,
      labels: { [simulatedKey]: id, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
    },
    spec: { taints: [{ key: simulatedKey, value: id, effect: "NoSchedule" }] },
    status: { capacity, allocatable: capacity },
  };
}

async function areReady(core: CoreV1Api, id: string, count: number): Promise<boolean> {
  const { items } = await core.listNode({ labelSelector: `${simulatedKey}=${id}` });
  const ready = items.filter(({ status }) =>
    status?.conditions?.some(({ type, status: state }) => type === "Ready" && state === "True"),
  );
  return ready.length === count;
}
