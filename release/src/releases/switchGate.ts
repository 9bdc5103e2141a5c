import { randomBytes } from "node:crypto";
import { colorService } from "../activeService.js";
import { linksToRun } from "../alerts/ciRun.js";
import { raiseAlert } from "../alerts/raise.js";
import type { Color } from "../color.js";
import { readyPodsBehind } from "../gates/endpoints.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { askThroughForward } from "../kubernetes/pods.js";
import { homeOf } from "../homes.js";
import { readLiveColor, sayingWhatIsLive } from "../live.js";
import { names, switchAnnotation } from "../names.js";
import { DeadlineError, poll } from "../poll.js";
import { messageOf, Refusal } from "../refusal.js";
import { hold } from "../size/autoscaler.js";
import { growToTakeOver } from "../size/grow.js";
import { heldOnTheWayBack } from "../size/neededSize.js";
import type { Say, Step } from "../step.js";
import type { RouteKind } from "../route/route.js";
import type { WatchLimits } from "../watch/limits.js";
import { noBaseline, takeBaseline, type Baseline } from "../watch/observe.js";
import { mergeData } from "./jsonConfigMap.js";
import { readMark, type Mark } from "./marks.js";
import { writePermit } from "./permit.js";
import { isMovePending } from "./movePending.js";
import { isWatched, isWayBack, readRelease, writeRelease, type Release } from "./record.js";
import { readServed, type Served } from "./served.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { holdWatch } from "./watchLease.js";
import { whoami, whyOf } from "./who.js";

/** A pod of it starts within seconds; its image may have to be pulled. */
const watcherBudgetMs = 60_000;

/** For pods that the live color was given while the gates were passed. */
const growthBudgetMs = 60_000;

export type SwitchGateInputs = ClusterRef & {
  app: string;
  /** The color that users are to move to. */
  color: Color;
  /** How many of 100 users: all of them, or a share beside the active color. */
  share: number;
  /** Whose weights move; null where the active Service is all there is. */
  route: RouteKind | null;
  /** Of the color. */
  image: string;
  template: string;
  limits: WatchLimits;
  /** Whether a watcher in the cluster is configured: a switch waits until it is there. */
  watcher: boolean;
  /** Whether autoscalers give the colors their sizes. */
  autoscaled: boolean;
  /** Ids of the contract migrations whose time comes after the switch. */
  contractsWaiting: string[];
};

/** What may get users, for whoever looks at it before they move. */
export type Candidate = Pick<SwitchGateInputs, "app" | "color" | "image" | "template" | "autoscaled">;

/** A new id each time users are to move, so that the program sees that the active Service has to change. */
export type SwitchGateOutputs = { switchId: string };

/**
 * The last gate before users move: nothing that was rolled back may come again as it is, and
 * whoever watches knows what is about to happen before it does.
 */
export const switchGate: Step<SwitchGateInputs, SwitchGateOutputs> = {
  async check(inputs) {
    try {
      const cluster = connect(inputs);
      const live = await readLiveColor(cluster, inputs.app);
      if (live === undefined || live === inputs.color) return [];
      const mark = await markOf(cluster, inputs);
      return mark === undefined ? [] : [{ property: "color", reason: marked(inputs, mark).message }];
    } catch (error) {
      return [{ property: "color", reason: messageOf(error) }];
    }
  },

  isNeeded: (_last, inputs) => isMovePending(inputs),

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const live = await readLiveColor(cluster, inputs.app);
      if (live !== inputs.color) await refuseMarked(cluster, inputs);
      return { switchId: await permit(cluster, inputs, live, say) };
    });
  },
};

async function permit(cluster: Cluster, inputs: SwitchGateInputs, live: Color | undefined, say: Say): Promise<string> {
  const { app, color, share, image, template, limits, contractsWaiting: waiting } = inputs;
  const id = randomBytes(6).toString("hex");
  // The state was lost, or was never there: users are where they are to be.
  if (live === color) return (await lastSwitchId(cluster, app)) ?? id;
  const to: Served = { color, image, template };
  const kind = share < 100 ? "share" : isWayBack(await readRelease(cluster, app), to) ? "rollback" : "switch";
  if (live !== undefined) {
    await refuseFewer(cluster, inputs, live);
    if (inputs.watcher) await waitForWatcher(cluster, app, kind, say);
  }
  const from = live === undefined ? null : ((await readServed(cluster, app, live)) ?? null);
  const release: Release = {
    id,
    kind,
    share,
    to,
    from,
    who: whoami(),
    why: whyOf(share < 100 ? `weights.${color} ${share} in config` : `activeColor ${color} in config`),
    at: (await serverTime(cluster)).toISOString(),
    state: "permitted",
    baseline: await baselineOf(cluster, { app, live, limits }, { kind, from, to }),
    contracts: { waiting },
  };
  await writeRelease(cluster, app, release);
  // What users may come back to keeps the size that it has with them.
  if (inputs.autoscaled && share === 100 && live !== undefined) await hold(cluster, app, live, (await readDeployment(cluster, app, live))?.spec?.replicas ?? 0);
  // The watcher in the cluster may write to them, and make nothing.
  for (const name of [names.history(app), names.incidents(app)]) await mergeData(cluster, name, app, {});
  await holdWatch(cluster, app, say);
  await writePermit(cluster, app, color, id);
  if (kind === "switch") tellStarted(cluster, inputs, release, say);
  return id;
}

/** It asks each pod: what nobody compares with it does not wait for that, a rollback at night least of all. */
export async function baselineOf(cluster: Cluster, { app, live, limits }: { app: string; live: Color | undefined; limits: WatchLimits }, { kind, from, to }: Pick<Release, "kind" | "from" | "to">): Promise<Baseline> {
  if (!isWatched({ kind, from }, limits)) return noBaseline;
  const { color, template } = to;
  const { beside, ...baseline } = await takeBaseline(cluster, { app, color, template }, { ask: askThroughForward(cluster), live });
  // Nobody stays on the color that all users leave.
  return kind === "share" && beside !== undefined ? { ...baseline, beside } : baseline;
}

/** Not waited for: users must not wait for a receiver that is dead. */
function tellStarted(cluster: Cluster, { app, namespace }: SwitchGateInputs, { from, to, who, why, at }: Release, say: Say): void {
  void raiseAlert(cluster, { kind: "started", app, namespace, from: from ?? undefined, to, who, why, at: new Date(at), evidence: [], links: linksToRun() }, say);
}

async function lastSwitchId(cluster: Cluster, app: string): Promise<string | undefined> {
  const service = await cluster.core.readNamespacedService({ name: names.activeService(app), namespace: cluster.namespace });
  return service.metadata?.annotations?.[switchAnnotation];
}

/** @throws Refusal when the image was rolled back */
export async function refuseMarked(cluster: Cluster, candidate: Candidate): Promise<void> {
  const mark = await markOf(cluster, candidate);
  if (mark !== undefined) throw marked(candidate, mark);
}

/** None before the first release, when there is no active Service. */
function markOf(cluster: Cluster, candidate: Candidate): Promise<Mark | undefined> {
  return orUndefined(readMark(cluster, candidate.app, candidate));
}

function marked({ color, image }: Candidate, { reason, evidence, at, by }: Mark): Refusal {
  return new Refusal({
    what: `The switch to ${color} (${image}) was refused: it was rolled back at ${at} by ${by}`,
    rule: [reason, ...evidence].join("\n        "),
    next: `push a new image, then pulumi config set ${color}Tag TAG && pulumi up; to let this one come again: npm run bluegreen -- clear-mark ${color}`,
  });
}

/** Asked once more at the last moment: the gates before may have taken minutes, in which a node was lost, or the live color has grown. */
export async function refuseFewer(cluster: Cluster, inputs: Candidate, live: Color): Promise<void> {
  const { app, color, template, autoscaled } = inputs;
  const readyOf = async (each: Color) => (await readyPodsBehind(cluster, colorService(cluster, app, each))).length;
  const held = await heldOnTheWayBack(cluster, { app, color, template });
  let ready = 0;
  let serving = 0;
  const look = async () => {
    if (autoscaled) await growToTakeOver(cluster, { app, color, template });
    [ready, serving] = await Promise.all([readyOf(color), readyOf(live)]);
    return ready > 0 && ready >= Math.min(serving, held ?? serving) ? true : undefined;
  };
  try {
    await poll(look, { timeoutMs: autoscaled ? growthBudgetMs : 0, intervalMs: 1000 });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new Refusal({
      what: `The switch to ${color} was refused: ${ready} of its pods are ready, of ${live} ${serving} are`,
      rule: "the color that takes over needs at least one ready pod, and as many as serve users now",
      next: `kubectl -n ${homeOf(cluster, color)} get pods -l app=${app},version=${color}, then pulumi up`,
    });
  }
}

/** A switch that nobody would take back when this process dies is refused; a rollback at night is not. */
async function waitForWatcher(cluster: Cluster, app: string, kind: Release["kind"], say: Say): Promise<void> {
  const name = names.watcher(app);
  const look = async () => {
    const { metadata, status } = (await orUndefined(cluster.apps.readNamespacedDeployment({ name, namespace: cluster.namespace }))) ?? {};
    // A pod of before goes by the settings of before.
    const isNew = status?.observedGeneration === metadata?.generation && (status?.updatedReplicas ?? 0) === (status?.replicas ?? 0);
    return isNew && (status?.readyReplicas ?? 0) > 0 ? true : undefined;
  };
  try {
    await poll(look, { timeoutMs: kind === "rollback" ? 0 : watcherBudgetMs });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    if (kind === "rollback") {
      say(`the watcher in the cluster (Deployment ${name}) is not ready: users go back without it`);
      return;
    }
    throw new Refusal({
      what: `The switch was refused: the watcher in the cluster (Deployment ${cluster.namespace}/${name}) has no ready pod of its newest template`,
      rule: `it has to be there before users move, and ${error.message} it was`,
      next: `kubectl -n ${cluster.namespace} describe pods -l app=${name}; to switch without it: pulumi config rm watcherImage`,
    });
  }
}
