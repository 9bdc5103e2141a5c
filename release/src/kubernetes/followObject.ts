import { setTimeout as delay } from "node:timers/promises";
import { Watch } from "./client.js";
import { messageOf } from "../util/userError.js";
import { connect, type Cluster, type ClusterRef } from "./cluster.js";
import type { ObjectAt } from "./jsonPointer.js";

/**
 * The API server ends the watch then, and the next one begins with a fresh read. A connection that is dead
 * without having said so is given up by the client library, after 30 s of silence.
 */
const watchSeconds = 25;
/** One that has ended sooner than this begins again after a pause, which grows. */
const shortMs = 5000;
const pauseMs = { first: 250, longest: 10_000 };

/**
 * Tells of an object, at once and each time that it changes, as soon as the API server says so. An API server
 * that is away is asked again until it is back: whoever wants to know that has to ask for itself.
 * @param told gets undefined when the object is deleted, and nothing as long as there is none
 * @returns once the signal has come
 */
export async function followObject(
  where: ClusterRef,
  at: ObjectAt,
  told: (object: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  let pause = pauseMs.first;
  while (!signal.aborted) {
    const began = performance.now();
    // However it ends: a proxy, or a server that shuts down, ends it well and at once.
    await watchOnce(connect(where), at, told, signal).catch(() => undefined);
    if (performance.now() - began >= shortMs) pause = pauseMs.first;
    else {
      await delay(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(2 * pause, pauseMs.longest);
    }
  }
}

/**
 * Without a version to begin at, a watch begins with what is there. @throws when it ends otherwise than by
 * its time, or by the signal
 */
function watchOnce(
  { config, namespace }: Cluster,
  { group, version, plural, name }: ObjectAt,
  told: (object: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let watching: AbortController | undefined;
    const stop = () => {
      watching?.abort();
    };
    const heard = (phase: string, object: unknown) => {
      if (phase === "ADDED" || phase === "MODIFIED") told(object);
      if (phase === "DELETED") told(undefined);
    };
    const ended = (error: unknown) => {
      signal.removeEventListener("abort", stop);
      if (error === null || signal.aborted) resolve();
      else reject(new Error(messageOf(error)));
    };
    signal.addEventListener("abort", stop);
    const kinds = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    new Watch(config)
      .watch(
        `${kinds}/namespaces/${encodeURIComponent(namespace)}/${plural}`,
        { fieldSelector: `metadata.name=${name}`, timeoutSeconds: watchSeconds },
        heard,
        ended,
      )
      .then((begun) => {
        watching = begun;
        if (signal.aborted) stop();
      }, ended);
  });
}
