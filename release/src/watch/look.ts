import type { Color } from "../color.js";
import { readyPodsBehind } from "../gates/endpoints.js";
import type { Cluster } from "../kubernetes/cluster.js";
import type { NamespacedName } from "../kubernetes/namespacedName.js";
import { isCurrent, podsOfColor, runsTemplate } from "../kubernetes/pods.js";
import { podState, type PodState } from "./podState.js";

/** The version that is watched. */
export type WatchTarget = {
  app: string;
  color: Color;
  /** Hash of its pod template: pods of another revision say nothing about it. */
  template: string;
};

/** What is cheap enough to see every second: whether users are served at all. */
export interface Look {
  /** Pods that users are sent to. */
  readyEndpoints: number;
  /** Since the first of the looks in a row that found none; 0 at that first one. */
  emptyForSeconds: number;
  /** Of the color; not read while an endpoint is ready, because then not all of them are crashing. */
  pods: PodState[];
}

/** Both requests together. */
const timeoutMs = 5000;

/**
 * One or two requests to the API server, however many pods there are.
 * @param target service is the Service that users come to it by
 * @param before the look before this one, and how long ago by a clock that only goes forward
 * @throws when the API server does not answer in time
 */
export async function takeLook(cluster: Cluster, target: WatchTarget & { service: NamespacedName }, before?: { look: Look; elapsedSeconds: number }): Promise<Look> {
  const signal = AbortSignal.timeout(timeoutMs);
  // A pod may be in two slices while they are rewritten.
  const readyEndpoints = new Set((await readyPodsBehind(cluster, target.service, signal)).map(({ name }) => name)).size;
  if (readyEndpoints > 0) return { readyEndpoints, emptyForSeconds: 0, pods: [] };
  const pods = await podsOfColor(cluster, target, signal);
  return {
    readyEndpoints,
    emptyForSeconds: before?.look.readyEndpoints === 0 ? before.look.emptyForSeconds + before.elapsedSeconds : 0,
    pods: pods.filter((pod) => runsTemplate(pod, target.template) && isCurrent(pod)).map(podState),
  };
}
