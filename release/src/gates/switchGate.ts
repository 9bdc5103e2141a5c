import { randomBytes } from "node:crypto";
import { colorService } from "../routers/services.js";
import { linksToRun } from "../alerts/alert.js";
import { raiseAlert } from "../alerts/raise.js";
import { namespaceOf, type Color } from "../app/color.js";
import { readyPodsBehind, askThroughForward } from "../kubernetes/pods.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { orUndefined, serverTime } from "../kubernetes/requests.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { appLabels, names, switchAnnotation } from "../app/names.js";
import { DeadlineError, poll } from "../util/poll.js";
import { messageOf, UserError } from "../util/userError.js";
import { hold, growToTakeOver, heldForRollback } from "../capacity/scale.js";
import type { Say, Step } from "../util/step.js";
import type { RouterName } from "../routers/routers.js";
import type { AnalysisLimits } from "../analysis/limits.js";
import { noBaseline, takeBaseline, type Baseline } from "../analysis/baseline.js";
import { mergeData } from "../kubernetes/jsonConfigMap.js";
import { refuseChangedImage } from "./changedImage.js";
import { waitForController } from "./controllerReady.js";
import { readBlockedImage, type BlockedImage } from "../state/blockedImages.js";
import { closeGuard } from "../state/harm.js";
import { writeApproval } from "../state/approval.js";
import { isMovePending } from "../traffic/move.js";
import {
  isAnalyzed,
  isRollbackTarget,
  readRelease,
  writeRelease,
  readServed,
  type Release,
  type Served,
} from "../state/record.js";
import { holdAnalysis } from "../state/analysisLease.js";
import { whoami, whyOf } from "../util/who.js";
import { bluegreen } from "../util/bluegreenCommand.js";

/** For pods that the live color was given while the gates were passed. */
const growthBudgetMs = 60_000;

export type SwitchGateInputs = ClusterRef & {
  app: string;
  /** The color that traffic is to move to. */
  color: Color;
  /** The percentage of traffic: all of it, or a canary weight beside the active color. */
  weight: number;
  /** Whose weights move; null where the active Service is all there is. */
  route: RouterName | null;
  /** Of the color. */
  image: string;
  template: string;
  limits: AnalysisLimits;
  /** Whether an analysis controller is configured: a switch waits until it is there. */
  controller: boolean;
  /** Whether autoscalers give the colors their sizes. */
  autoscaled: boolean;
  /** Ids of the contract migrations whose time comes after the switch. */
  contractsWaiting: string[];
};

/** What may get traffic, for whoever checks it before it moves. */
export type Candidate = Pick<SwitchGateInputs, "app" | "color" | "image" | "template" | "autoscaled">;

/** A new id each time traffic is to move, so that the program sees that the active Service has to change. */
export type SwitchGateOutputs = { switchId: string };

/**
 * The last gate before traffic moves: nothing that was rolled back may come again as it is, and
 * whoever analyzes it knows what is about to happen before it does.
 */
export const switchGate: Step<SwitchGateInputs, SwitchGateOutputs> = {
  async check(inputs, _last, say) {
    try {
      const cluster = connect(inputs);
      const live = await readLiveColor(cluster, inputs.app);
      if (live === undefined || live === inputs.color) return [];
      const blocked = await blockedImageOf(cluster, inputs);
      if (blocked !== undefined)
        return [{ property: "color", reason: refusalOfBlocked(inputs, blocked).message }];
      // Pods that are about to change are no matter.
      const deployment = await readDeployment(cluster, inputs.app, inputs.color);
      if (templateOf(deployment) === inputs.template && (await isMovePending(inputs)))
        await refuseChangedImage(cluster, inputs, say);
      return [];
    } catch (error) {
      return [{ property: "color", reason: messageOf(error) }];
    }
  },

  isNeeded: (_last, inputs) => isMovePending(inputs),

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const live = await readLiveColor(cluster, inputs.app);
      if (live !== inputs.color) {
        closeGuard(cluster, inputs.app);
        await refuseBlocked(cluster, inputs);
        await refuseChangedImage(cluster, inputs, say);
      }
      return { switchId: await approve(cluster, inputs, live, say) };
    });
  },
};

async function approve(
  cluster: Cluster,
  inputs: SwitchGateInputs,
  live: Color | undefined,
  say: Say,
): Promise<string> {
  const { app, color, weight, image, template, limits, contractsWaiting: waiting } = inputs;
  const id = randomBytes(6).toString("hex");
  // The state was lost, or was never there: traffic is where it is to be.
  if (live === color) return (await lastSwitchId(cluster, app)) ?? id;
  const to: Served = { color, image, template };
  const kind =
    weight < 100 ? "shift" : isRollbackTarget(await readRelease(cluster, app), to) ? "rollback" : "switch";
  if (live !== undefined) {
    await refuseFewer(cluster, inputs, live);
    if (inputs.controller) await waitForController(cluster, app, kind, say);
  }
  const from = live === undefined ? null : ((await readServed(cluster, app, live)) ?? null);
  const release: Release = {
    id,
    kind,
    weight,
    to,
    from,
    who: whoami(),
    why: whyOf(weight < 100 ? `canaryWeight ${weight} in config` : `activeColor ${color} in config`),
    at: (await serverTime(cluster)).toISOString(),
    state: "approved",
    baseline: await baselineOf(cluster, { app, live, limits }, { kind, from, to }),
    contracts: { waiting },
  };
  await writeRelease(cluster, app, release);
  // What traffic may return to keeps the size that it has with traffic.
  if (inputs.autoscaled && weight === 100 && live !== undefined)
    await hold(cluster, app, live, (await readDeployment(cluster, app, live))?.spec?.replicas ?? 0);
  // The analysis controller may write to them, and make nothing.
  for (const name of [names.history(app), names.incidents(app)])
    await mergeData(cluster, name, appLabels(app), {});
  await holdAnalysis(cluster, app, say);
  await writeApproval(cluster, app, color, id);
  if (kind === "switch") tellStarted(cluster, inputs, release, say);
  return id;
}

/**
 * It asks each pod: what nobody compares with it does not wait for that, a rollback at night least of all.
 */
export async function baselineOf(
  cluster: Cluster,
  { app, live, limits }: { app: string; live: Color | undefined; limits: AnalysisLimits },
  { kind, from, to }: Pick<Release, "kind" | "from" | "to">,
): Promise<Baseline> {
  if (!isAnalyzed({ kind, from }, limits)) return noBaseline;
  const { color, template } = to;
  const baseline = await takeBaseline(
    cluster,
    { app, color, template },
    { ask: askThroughForward(cluster), limits, live },
  );
  // Nobody stays on the color that all traffic leaves.
  if (kind !== "shift") {
    delete baseline.beside;
    delete baseline.besideRouter;
  }
  return baseline;
}

/** Not waited for: users must not wait for a receiver that is dead. */
function tellStarted(
  cluster: Cluster,
  { app, namespace }: SwitchGateInputs,
  { from, to, who, why, at }: Release,
  say: Say,
): void {
  void raiseAlert(
    cluster,
    {
      kind: "started",
      app,
      namespace,
      from: from ?? undefined,
      to,
      who,
      why,
      at: new Date(at),
      evidence: [],
      links: linksToRun(),
    },
    say,
  );
}

async function lastSwitchId(cluster: Cluster, app: string): Promise<string | undefined> {
  const service = await cluster.core.readNamespacedService({
    name: names.activeService(app),
    namespace: cluster.namespace,
  });
  return service.metadata?.annotations?.[switchAnnotation];
}

/** @throws UserError when the image was rolled back */
export async function refuseBlocked(cluster: Cluster, candidate: Candidate): Promise<void> {
  const blocked = await blockedImageOf(cluster, candidate);
  if (blocked !== undefined) throw refusalOfBlocked(candidate, blocked);
}

/** None before the first release, when there is no active Service. */
function blockedImageOf(cluster: Cluster, candidate: Candidate): Promise<BlockedImage | undefined> {
  return orUndefined(readBlockedImage(cluster, candidate.app, candidate));
}

function refusalOfBlocked(
  { color, image }: Candidate,
  { reason, evidence, at, by }: BlockedImage,
): UserError {
  return new UserError({
    code: "BG-IMAGE-BLOCKED",
    what: `The switch to ${color} (${image}) was refused: it was rolled back at ${at} by ${by}`,
    rule: [reason, ...evidence].join("\n        "),
    next: `push a new image, then pulumi config set ${color}Tag TAG && pulumi up; to let this one come again: ${bluegreen} unblock ${color}`,
  });
}

/**
 * Asked once more at the last moment: the gates before may have taken minutes, in which a node was lost, or
 * the live color has grown.
 */
export async function refuseFewer(cluster: Cluster, inputs: Candidate, live: Color): Promise<void> {
  const { app, color, template, autoscaled } = inputs;
  const readyOf = async (each: Color) =>
    (await readyPodsBehind(cluster, colorService(cluster, app, each))).length;
  const held = await heldForRollback(cluster, { app, color, template });
  let ready = 0;
  let serving = 0;
  const check = async () => {
    if (autoscaled) await growToTakeOver(cluster, { app, color, template });
    [ready, serving] = await Promise.all([readyOf(color), readyOf(live)]);
    return ready > 0 && ready >= Math.min(serving, held ?? serving) ? true : undefined;
  };
  try {
    await poll(check, { timeoutMs: autoscaled ? growthBudgetMs : 0, intervalMs: 1000 });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new UserError({
      code: "BG-TOO-FEW-READY-PODS",
      what: `The switch to ${color} was refused: ${ready} of its pods are ready, of ${live} ${serving} are`,
      rule: "the color that takes over needs at least one ready pod, and as many as serve traffic now",
      next: `kubectl -n ${namespaceOf(cluster, color)} get pods -l app=${app},version=${color}, then pulumi up`,
    });
  }
}
