import { setTimeout as delay } from "node:timers/promises";
import { Watch, type V1Service } from "@kubernetes/client-node";
import { isColor, type Color } from "./color.js";
import { connect, type Cluster, type ClusterRef } from "./kubernetes/cluster.js";
import { withSignal } from "./kubernetes/withSignal.js";
import { names } from "./names.js";
import { messageOf } from "./refusal.js";

/** The API server ends the watch then, and the next one begins with a fresh look: a connection that is dead without having said so is not believed for long. */
const watchSeconds = 25;
const listTimeoutMs = 5000;
const againMs = 1000;

/**
 * Tells where the active Service leads, at once and each time that it changes, as soon as the API server says so.
 * An API server that is away is asked again until it is back: whoever wants to know that has to look for itself.
 * @param told gets undefined where there is no such Service, or it leads to neither color
 * @returns once the signal has come
 */
export async function followLive(where: ClusterRef & { app: string }, told: (live: Color | undefined) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const cluster = connect(where);
      const fieldSelector = `metadata.name=${names.activeService(where.app)}`;
      const list = await cluster.core.listNamespacedService({ namespace: where.namespace, fieldSelector }, withSignal(AbortSignal.any([AbortSignal.timeout(listTimeoutMs), signal])));
      told(liveIn(list.items[0]));
      await watchServices(cluster, { fieldSelector, resourceVersion: list.metadata?.resourceVersion ?? "" }, { told, signal });
    } catch {
      await delay(againMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

interface From {
  fieldSelector: string;
  resourceVersion: string;
}

/** @throws when it ends otherwise than by its time, or by the signal */
function watchServices({ config, namespace }: Cluster, from: From, { told, signal }: { told: (live: Color | undefined) => void; signal: AbortSignal }): Promise<void> {
  return new Promise((resolve, reject) => {
    let watching: AbortController | undefined;
    const stop = () => { watching?.abort(); };
    const heard = (phase: string, service: V1Service) => {
      // ERROR: what it was to begin with is too long ago. The API server ends the watch by itself then.
      if (phase === "ADDED" || phase === "MODIFIED") told(liveIn(service));
      if (phase === "DELETED") told(undefined);
    };
    const ended = (error: unknown) => {
      signal.removeEventListener("abort", stop);
      if (error === null || signal.aborted) resolve();
      else reject(new Error(messageOf(error)));
    };
    signal.addEventListener("abort", stop);
    new Watch(config)
      .watch(`/api/v1/namespaces/${encodeURIComponent(namespace)}/services`, { ...from, timeoutSeconds: watchSeconds }, heard, ended)
      .then((begun) => {
        watching = begun;
        if (signal.aborted) stop();
      }, ended);
  });
}

function liveIn(service: V1Service | undefined): Color | undefined {
  const version = service?.spec?.selector?.["version"];
  return isColor(version) ? version : undefined;
}
