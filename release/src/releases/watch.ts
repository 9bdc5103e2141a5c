import { setTimeout as delay } from "node:timers/promises";
import type { Color } from "../color.js";
import { isSwitchPending } from "../gates/switchPending.js";
import { untilInterrupted } from "../interrupt.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { holderName } from "../holderName.js";
import { askThroughForward } from "../kubernetes/pods.js";
import { readLiveColor } from "../live.js";
import { names } from "../names.js";
import { Refusal } from "../refusal.js";
import type { Say, Step } from "../step.js";
import { findMark, readMarks } from "./marks.js";
import { noteSwitch } from "./noteSwitch.js";
import { readRelease, setState, type Release } from "./record.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { takeWatch } from "./watchLease.js";
import { watchRelease, type Watched } from "./watchRelease.js";

/** Room for one reading to come back. */
const readingMs = 2000;
/** What somebody else watches is asked for that often. */
const followEveryMs = 2000;

export type WatchInputs = ClusterRef & {
  app: string;
  activeColor: Color;
  /** Of the switch, from its gate. */
  switchId: string;
  /** Whether the watcher in the cluster goes on when the update is over. */
  watcher: boolean;
};

/** What it came to; empty when there was nothing to watch. */
export type WatchOutputs = { verdict: string };

/**
 * Watches the color that users have just been moved to, for as long as config says, and takes them
 * back when it does harm. What a killed update has left unwatched is watched by the next one.
 */
export const watch: Step<WatchInputs, WatchOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(_last, inputs) {
    if (await isSwitchPending({ ...inputs, color: inputs.activeColor })) return true;
    return (await unwatched(connect(inputs), inputs)) !== undefined;
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    const release = await unwatched(cluster, inputs);
    if (release === undefined) return { verdict: "" };
    await noteSwitch(inputs, release, say);
    const { limits, kind, from } = release;
    if (kind === "rollback" || from === null || limits.seconds === 0) return { verdict: await leave(cluster, inputs, release, "not watched") };
    const watched = await untilInterrupted((signal) => watchOrFollow(cluster, inputs, release, { say, signal }));
    return { verdict: await conclude(cluster, inputs, release, watched) };
  },
};

/** The switch that users of this color came by, as long as no update has watched it to its end. */
async function unwatched(cluster: Cluster, { app, activeColor }: WatchInputs): Promise<Release | undefined> {
  const [release, live] = await Promise.all([readRelease(cluster, app), readLiveColor(cluster, app)]);
  const open = release?.state === "permitted" || release?.state === "watching";
  return open && release.to.color === activeColor && live === activeColor ? release : undefined;
}

/** A watch that was lost is followed to its end. */
type Concluded = Exclude<Watched, { end: "lost" }>;

/** Somebody else may have the watch: the watcher in the cluster, from an update that was killed. Then this one waits for what it says. */
async function watchOrFollow(cluster: Cluster, inputs: WatchInputs, release: Release, { say, signal }: { say: Say; signal: AbortSignal }): Promise<Concluded> {
  const by = holderName();
  const { seconds, everySeconds } = release.limits;
  const age = (await serverTime(cluster)).getTime() - Date.parse(release.at);
  const movedAt = performance.now() - age;
  // Of an update that was killed long ago at least one reading.
  const until = Math.max(movedAt + seconds * 1000, performance.now() + everySeconds * 1000 + readingMs);
  let followed = false;
  while (performance.now() < until) {
    signal.throwIfAborted();
    const lease = await takeWatch(cluster, inputs.app, by);
    if (lease !== undefined) {
      const now = performance.now();
      try {
        const watched = await watchRelease(inputs, release, { forMs: until - now, sinceMs: now - movedAt, ask: askThroughForward(cluster), lease, by, say, signal });
        if (watched.end !== "lost") return watched;
      } finally {
        await lease.release();
      }
    }
    const now = await readRelease(cluster, inputs.app);
    if (now?.id !== release.id) return { end: "superseded" };
    if (now.state === "rolledBack") return rolledBackBy(cluster, inputs.app, release);
    if (!followed) say(`somebody else watches ${release.to.color}; this update waits for what it says`);
    followed = true;
    await delay(followEveryMs, undefined, { signal });
  }
  return { end: "over", requests: undefined };
}

/** The mark says who, and why. */
async function rolledBackBy(cluster: Cluster, app: string, { to }: Release): Promise<Concluded> {
  const service = await cluster.core.readNamespacedService({ name: names.activeService(app), namespace: cluster.namespace });
  const mark = findMark(readMarks(service), to);
  return { end: "breach", reason: mark?.reason ?? "its mark has been cleared", evidence: mark?.evidence ?? [] };
}

/** @throws Refusal unless users are to stay */
async function conclude(cluster: Cluster, inputs: WatchInputs, release: Release, watched: Concluded): Promise<string> {
  const { to, from } = release;
  const next = `pulumi config set activeColor ${from?.color ?? "blue"} && pulumi up, which brings config in line; then push a new image`;
  switch (watched.end) {
    case "over":
      return leave(cluster, inputs, release, watched.requests === 0 ? "no data: nobody used it" : "kept");
    case "breach":
      throw new Refusal({ what: `${to.color} (${to.image}) was rolled back: users are on ${from?.color ?? "the other color"} again`, rule: [watched.reason, ...watched.evidence].join("\n        "), next });
    case "stuck":
      throw new Refusal({ what: `${to.color} (${to.image}) had to be rolled back, and NOTHING WAS SWITCHED: users are still on ${to.color}`, rule: [watched.reason, ...watched.evidence].join("\n        "), next: `kubectl -n ${cluster.namespace} get pods -l app=${inputs.app}; bring ${from?.color ?? "the other color"} up, then npm run bluegreen -- rollback` });
    case "superseded":
      throw new Refusal({ what: `The watch of ${to.color} ended: somebody else has moved users, or begun another switch`, rule: "what follows in this update would touch a color that may serve users", next: "npm run bluegreen -- history, then pulumi up" });
  }
}

/** The update is done with it. With a watcher in the cluster it is watched on until the standby's time is over. */
async function leave(cluster: Cluster, { app, watcher }: WatchInputs, { id, kind, from, limits }: Release, verdict: string): Promise<string> {
  const goesOn = watcher && kind === "switch" && from !== null && limits.seconds > 0;
  await setState(cluster, app, id, goesOn ? "standby" : "kept");
  return verdict;
}
