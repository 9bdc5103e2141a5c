import type { PodState } from "./podState.js";
import type { PodObservation } from "./observation.js";
import type { Finding } from "./findings.js";
import { count } from "./summary.js";

/** A point for each crash. */
const restartPoints = 1;
/** As a slow interval: memory that runs out comes back, and takes all requests of the pod with it. */
const oomKillPoints = 3;

/** One pod less is what a restart costs. */
const notReadyPoints = 1;

/** At the most so many pods are named. */
const namedPods = 3;

export function evaluateRestarts(before: readonly PodState[], now: readonly PodState[]): Finding[] {
  const earlier = new Map(before.map(({ name, restarts }) => [name, restarts]));
  const restarted = now
    .map((pod) => ({ ...pod, more: pod.restarts - (earlier.get(pod.name) ?? 0) }))
    .filter(({ more }) => more > 0);
  // Only the last end of a container is known.
  const killed = restarted.filter(({ lastEnd }) => lastEnd?.reason === "OOMKilled");
  const others = restarted.reduce((total, { more }) => total + more, 0) - killed.length;
  const findings: Finding[] = [];
  if (killed.length > 0) {
    findings.push({
      what: "oomKills",
      points: killed.length * oomKillPoints,
      text: `${count(killed.length, "pod")} ran out of memory: ${list(killed, describeEnd)}`,
    });
  }
  if (others > 0)
    findings.push({
      what: "restarts",
      points: others * restartPoints,
      text: `${count(others, "restart")}: ${list(restarted, describeEnd)}`,
    });
  return findings;
}

/** A pod that is not ready at one observation may be starting. */
export function evaluateReadiness(
  before: readonly PodObservation[],
  now: readonly PodObservation[],
): Finding[] {
  const unreadyBefore = new Set(before.filter(({ ready }) => !ready).map(({ name }) => name));
  const unready = now.filter(({ name, ready }) => !ready && unreadyBefore.has(name));
  if (unready.length === 0) return [];
  return [
    {
      what: "notReady",
      points: unready.length * notReadyPoints,
      text: `${unready.length} of ${count(now.length, "pod")} not ready: ${list(unready, ({ name }) => name)}`,
    },
  ];
}

export function describeEnd({ name, lastEnd }: PodState): string {
  return lastEnd === undefined ? name : `${name} (${lastEnd.reason}, exit code ${lastEnd.exitCode})`;
}

export function list<T>(pods: readonly T[], describe: (pod: T) => string): string {
  const more = pods.length > namedPods ? ` and ${pods.length - namedPods} more` : "";
  return pods.slice(0, namedPods).map(describe).join(", ") + more;
}
