import { join } from "node:path";
import { BatchV1Api, type V1Job, type V1Pod } from "@bluegreen/release/kubernetes/client";
import {
  DeadlineError,
  forwardPod,
  messageOf,
  names,
  orUndefined,
  poll,
  UserError,
  type Cluster,
} from "@bluegreen/release";
import { build } from "esbuild";
import type { GeneratorOptions } from "./generator/options";
import { readLines, requestsIn, type LoadLog } from "./samples";

/** Where requests come in. */
export interface EntryPoint {
  /** Base URL, as it is reached from inside the cluster. */
  target: string;
  /** The name to ask for, where the target is an address. */
  host?: string;
  /** The certificates that the target's has to come from, PEM; needed with https. */
  ca?: string;
}

export interface LoadOptions {
  app: string;
  /** Image with Node.js: the app's own, because the cluster has it already. */
  image: string;
  rate: number;
  /** The longest that it runs if nobody stops it. */
  seconds: number;
  /** @default the app's active Service */
  entryPoint?: EntryPoint;
  /** @default short and keep-alive */
  clients?: GeneratorOptions["clients"];
  /** One question in so many is a call of a tool. @default 2 */
  toolCallEvery?: number;
  /** @default "answers" */
  output?: GeneratorOptions["output"];
}

/** A load that runs in the cluster. */
export interface Load {
  /** What was answered in the last seconds. */
  recent(): Promise<LoadLog>;
  /** Lets the open requests end and reads everything. @throws when anything is missing */
  finish(): Promise<LoadLog>;
}

const name = "release-load";
const labels = { app: name };
const container = "load";
const folder = "/load";
const file = "generator.js";
const caFile = "ca.crt";
const controlPort = 8080;
const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;
/** How far back recent() looks. */
const recentSeconds = 8;

/** Starts the load in the app's own namespace, and waits for its first requests. */
export async function startLoad(cluster: Cluster, options: LoadOptions): Promise<Load> {
  const { namespace } = cluster;
  await removeLoad(cluster);
  const { target, host, ca } = options.entryPoint ?? (await activeService(cluster, options.app));
  const generator: GeneratorOptions = {
    target,
    ...(host !== undefined && { host }),
    ...(ca !== undefined && { caFile: `${folder}/${caFile}` }),
    clients: options.clients ?? ["short", "keep-alive"],
    toolCallEvery: options.toolCallEvery ?? 2,
    output: options.output ?? "answers",
    rate: options.rate,
    seconds: options.seconds,
    timeoutMs: 5000,
    connections: 8,
    controlPort,
  };
  const data = { [file]: await generatorScript(), ...(ca !== undefined && { [caFile]: ca }) };
  await cluster.core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels }, data } });
  await cluster.config
    .makeApiClient(BatchV1Api)
    .createNamespacedJob({ namespace, body: loadJob(options, generator) });
  const pod = await runningPod(cluster);
  const read = async (sinceSeconds?: number): Promise<LoadLog> =>
    readLines(
      await cluster.core.readNamespacedPodLog({
        name: pod,
        namespace,
        container,
        ...(sinceSeconds !== undefined && { sinceSeconds }),
      }),
    );
  await untilReady(cluster, pod, read);
  return {
    recent: async () => read(recentSeconds),
    finish: async () => {
      await stop(cluster, pod);
      await untilOver(cluster, pod);
      return complete(await read());
    },
  };
}

/** Removes what a load, also one of an earlier run, has left in the cluster. */
export async function removeLoad(cluster: Cluster): Promise<void> {
  const { namespace } = cluster;
  await orUndefined(
    cluster.config
      .makeApiClient(BatchV1Api)
      .deleteNamespacedJob({ name, namespace, propagationPolicy: "Background" }),
  );
  await orUndefined(cluster.core.deleteNamespacedConfigMap({ name, namespace }));
  await poll(async () => ((await podsOf(cluster)).length === 0 ? true : undefined), {
    timeoutMs: stopTimeoutMs,
  });
}

/** The generator as plain JavaScript in one file, for whatever Node.js the image has. */
export async function generatorScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, "generator", "main.ts")],
    bundle: true,
    write: false,
    platform: "node",
    target: "node22",
    format: "cjs",
    logLevel: "silent",
  });
  return outputFiles.map(({ text }) => text).join("");
}

/** By address: a local cluster has no DNS. */
async function activeService({ core, namespace }: Cluster, app: string): Promise<EntryPoint> {
  const { spec } = await core.readNamespacedService({ name: names.activeService(app), namespace });
  const host = spec?.clusterIP ?? "";
  const port = spec?.ports?.[0]?.port ?? 80;
  return { target: `http://${host.includes(":") ? `[${host}]` : host}:${String(port)}` };
}

function loadJob({ image, seconds }: LoadOptions, generator: GeneratorOptions): V1Job {
  return {
    metadata: { name, labels },
    spec: {
      backoffLimit: 0,
      // The generator stops by itself; this is for one that hangs.
      activeDeadlineSeconds: seconds + 60,
      ttlSecondsAfterFinished: 3600,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 5,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 10001,
            runAsGroup: 10001,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: container,
              image,
              imagePullPolicy: "IfNotPresent",
              command: ["node", `${folder}/${file}`],
              env: [{ name: "LOAD", value: JSON.stringify(generator) }],
              resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "1", memory: "256Mi" } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
              volumeMounts: [{ name: "script", mountPath: folder, readOnly: true }],
            },
          ],
          volumes: [{ name: "script", configMap: { name } }],
        },
      },
    },
  };
}

async function runningPod(cluster: Cluster): Promise<string> {
  let last = "no pod was made";
  try {
    return await poll(
      async () => {
        const [pod] = await podsOf(cluster);
        last = pod === undefined ? last : phaseOf(pod);
        return pod?.status?.phase === "Pending" ? undefined : pod?.metadata?.name;
      },
      { timeoutMs: startTimeoutMs },
    );
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new UserError({
      code: "BG-LOAD-FAILED",
      what: `The load did not start in ${cluster.namespace}`,
      rule: `${last} after ${String(startTimeoutMs / 1000)} s`,
      next: `kubectl -n ${cluster.namespace} describe job ${name}`,
    });
  }
}

async function podsOf({ core, namespace }: Cluster): Promise<V1Pod[]> {
  return (await core.listNamespacedPod({ namespace, labelSelector: `app=${name}` })).items;
}

function phaseOf({ status }: V1Pod): string {
  const waiting = status?.containerStatuses?.[0]?.state?.waiting;
  return [status?.phase, waiting?.reason, waiting?.message].filter((part) => part !== undefined).join(", ");
}

async function untilReady(cluster: Cluster, pod: string, read: () => Promise<LoadLog>): Promise<void> {
  await poll(
    async () => {
      if ((await read()).ready) return true;
      if (await isOver(cluster, pod)) throw await endedEarly(cluster, pod);
      return undefined;
    },
    { timeoutMs: startTimeoutMs },
  );
}

/** Asks the generator to stop; one that has ended by itself needs no asking. */
async function stop(cluster: Cluster, pod: string): Promise<void> {
  const forwarded = await forwardPod(cluster, { namespace: cluster.namespace, name: pod }, controlPort);
  try {
    await fetch(`${forwarded.url}/stop`, { method: "POST", signal: AbortSignal.timeout(stopTimeoutMs) });
  } catch (error) {
    if (!(await isOver(cluster, pod)))
      throw new Error(`The load could not be stopped: ${messageOf(error)}`, { cause: error });
  } finally {
    forwarded.close();
  }
}

async function untilOver(cluster: Cluster, pod: string): Promise<void> {
  await poll(async () => ((await isOver(cluster, pod)) ? true : undefined), { timeoutMs: stopTimeoutMs });
}

async function isOver({ core, namespace }: Cluster, pod: string): Promise<boolean> {
  const { status } = await core.readNamespacedPod({ name: pod, namespace });
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

async function endedEarly({ core, namespace }: Cluster, pod: string): Promise<UserError> {
  const log = await core.readNamespacedPodLog({ name: pod, namespace, container });
  return new UserError({
    code: "BG-LOAD-FAILED",
    what: `The load ended before its first request (pod ${namespace}/${pod})`,
    rule: log.trim() === "" ? "it said nothing" : log.trim(),
    next: `kubectl -n ${namespace} logs ${pod}`,
  });
}

/** Every request that was sent is in the log with its outcome, or there is no report. */
function complete(log: LoadLog): LoadLog {
  const requests = requestsIn(log);
  if (log.sent === requests) return log;
  throw new Error(
    `The load's log is not complete: ${log.sent === undefined ? "it has no end" : `${String(log.sent)} requests were sent`}, ${String(requests)} are in it. Run it again.`,
  );
}
