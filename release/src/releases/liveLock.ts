import { appContainer, imageIn, sourcesOf } from "../kubernetes/containers.js";
import type { V1Deployment } from "../kubernetes/client.js";
import { colors, otherColor, type Color } from "../app/color.js";
import { reach, type InCluster } from "../clusters/together.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import { hasPreflightPods, removePreflightPods } from "../kubernetes/pods.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { beginRelease, endRelease, isUnended } from "../state/releaseLock.js";
import { findNamespace, isReplaced, refuseReplaced } from "../state/replaced.js";
import { messageOf, userErrorText } from "../util/userError.js";
import { finishRollback } from "../rollback/rollBackRelease.js";
import { readCanaryWeight } from "../traffic/move.js";
import type { RouterName } from "../routers/routers.js";
import { canaryWeightOf, type Weights } from "../routers/weights.js";
import type { Step, Violation } from "../util/step.js";

export type LiveLockInputs = InCluster & {
  activeColor: Color;
  /** What percentage of traffic each color gets. */
  weights: Weights;
  /** Whose weights they are; null where a Service sends all traffic to one color. */
  route: RouterName | null;
  /** Hash of each color's wanted pod template; null for a color that is not deployed. */
  templates: Record<Color, string | null>;
  /**
   * Names of the objects that each color's wanted pods take their variables from. They are named by content.
   */
  configs: Record<Color, string[]>;
  /**
   * Lets the live color's template change in place, as a rolling update, and the config of the one that a
   * switch leaves.
   */
  allowInPlaceUpdate: boolean;
  /** How long to wait for another update's release of the app. */
  lockWaitSeconds: number;
};

/**
 * `release` is the id of the release that has begun with this lock, and ends with ReleaseUnlock.
 * `namespaceUid` tells whether the next update finds the same cluster and namespace; empty where nobody may
 * know.
 */
export type LiveLockOutputs = {
  activeColor: Color;
  weights: Weights;
  release: string;
  namespaceUid: string;
};

/**
 * The lock on what serves traffic. Its pods may not change in place, because then nothing would be
 * left to roll back to: asked in preview, by the cluster's word, so that a pull request already fails.
 * And one update at a time changes what they are: asked when it runs, first of all steps.
 */
export const liveLock: Step<LiveLockInputs, LiveLockOutputs> = {
  async check(inputs) {
    try {
      const { context, together } = inputs;
      return await violations(await reach({ name: together?.name ?? null, context }, inputs), inputs);
    } catch (error) {
      return [{ property: "activeColor", reason: messageOf(error) }];
    }
  },

  async isNeeded(last, inputs) {
    const cluster = connect(inputs);
    const replaced = refuseReplaced(last, await findNamespace(cluster, inputs.context));
    if (replaced !== undefined) throw replaced;
    if (
      last.activeColor !== inputs.activeColor ||
      JSON.stringify(last.weights) !== JSON.stringify(inputs.weights) ||
      colors.some((color) => last.templates[color] !== inputs.templates[color])
    )
      return true;
    // Traffic was moved without this program, or the release that began last has never ended, or has left a pod.
    return (
      (await readLiveColor(cluster, inputs.app)) !== inputs.activeColor ||
      (last.release !== undefined && (await isUnended(cluster, inputs.app, last.release))) ||
      (await hasPreflightPods(cluster, inputs.app))
    );
  },

  async run(inputs, say) {
    const { app, activeColor, weights, route, lockWaitSeconds } = inputs;
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, app, async () => {
      const release = await beginRelease(cluster, app, { waitSeconds: lockWaitSeconds, say });
      try {
        await finishRollback(inputs, { route, graceMs: 0, hasDatabases: false }, say);
        // Of an update that was killed. This one may have no preflight, and need not wait for their end.
        await removePreflightPods(cluster, app).catch((error: unknown) => {
          say(`A preflight pod of ${app} could not be removed: ${messageOf(error)}`);
        });
        // Whoever was waited for may have moved traffic, and it may now be on what this update is about to
        // change.
        const [broken] = await violations(cluster, inputs);
        if (broken !== undefined) throw new Error(broken.reason);
        const found = await findNamespace(cluster, inputs.context);
        return { activeColor, weights, release, namespaceUid: found?.uid ?? "" };
      } catch (error) {
        await endRelease(cluster, app, release);
        throw error;
      }
    });
  },

  async isGone(last) {
    return isReplaced(last, await findNamespace(connect(last), last.context));
  },
};

async function violations(cluster: Cluster, inputs: LiveLockInputs): Promise<Violation[]> {
  const live = await readLiveColor(cluster, inputs.app);
  const shared = [
    ...refuseShiftWithSwitch(inputs, live),
    ...(await refuseCanaryChange(cluster, inputs, live)),
  ];
  if (live === undefined || inputs.allowInPlaceUpdate || shared.length > 0) return shared;
  // Where traffic is about to leave the live color, that color changes afterwards, without traffic.
  return live === inputs.activeColor
    ? refuseLiveChange(cluster, inputs, live)
    : refuseLostConfig(cluster, inputs, live);
}

/** A color gets a canary weight when it has passed its gates, and traffic is on the other one. */
function refuseShiftWithSwitch(
  { activeColor, weights }: LiveLockInputs,
  live: Color | undefined,
): Violation[] {
  if (canaryWeightOf(weights, activeColor) === 0 || live === activeColor) return [];
  const [what, next] =
    live === undefined
      ? ["the first release", `pulumi config rm canaryWeight && pulumi up`]
      : [
          `a switch from ${live} to ${activeColor}`,
          `one after the other: pulumi config rm canaryWeight && pulumi up, then the shift`,
        ];
  return [
    {
      property: "canaryWeight",
      reason: userErrorText({
        code: "BG-SHIFT-WITH-SWITCH",
        what: `${what} and a canary weight of ${canaryWeightOf(weights, activeColor)} % for ${otherColor(activeColor)} were asked for at once`,
        rule: "traffic that has just moved would move again, without analysis",
        next,
      }),
    },
  ];
}

/** A color that keeps its canary weight serves traffic, too. */
async function refuseCanaryChange(
  cluster: Cluster,
  inputs: LiveLockInputs,
  live: Color | undefined,
): Promise<Violation[]> {
  const { app, activeColor, weights, route, templates } = inputs;
  const idle = otherColor(activeColor);
  if (live !== activeColor || weights[idle] === 0) return [];
  const weight = await readCanaryWeight(cluster, app, route, activeColor);
  const running = weight === 0 ? undefined : templateOf(await readDeployment(cluster, app, idle));
  if (running === undefined || running === templates[idle]) return [];
  return [
    {
      property: `${idle}Tag`,
      reason: userErrorText({
        code: "BG-LIVE-COLOR-CHANGED",
        what: `${idle} serves ${weight} % of traffic and may not change in place (template ${running} → ${templates[idle] ?? "none"})`,
        rule: "users would get a version that no gate has seen",
        next: "remove its canary weight first: pulumi config rm canaryWeight && pulumi up",
      }),
    },
  ];
}

async function refuseLiveChange(cluster: Cluster, inputs: LiveLockInputs, live: Color): Promise<Violation[]> {
  const wanted = inputs.templates[live];
  const deployment = await readDeployment(cluster, inputs.app, live);
  const running = templateOf(deployment);
  if (running === undefined || running === wanted) return [];
  const image = imageIn(deployment) ?? "unknown";
  return [
    {
      property: `${live}Tag`,
      reason: userErrorText({
        code: "BG-LIVE-COLOR-CHANGED",
        what: `${live} serves traffic with ${image} and may not change in place (template ${running} → ${wanted})`,
        rule: "there would be nothing to roll back to",
        next: "put the change on the idle color and switch; or, for a rolling update of live pods: pulumi config set allowInPlaceUpdate true",
      }),
    },
  ];
}

/**
 * A setting of both colors that changes together with the switch would reach the color that is left
 * right after it, and a rollback would meet the new config there.
 */
async function refuseLostConfig(cluster: Cluster, inputs: LiveLockInputs, live: Color): Promise<Violation[]> {
  const next = inputs.activeColor;
  // It runs what is wanted already: this is a rollback, or the last step of a release. What else changes was
  // not needed for it.
  if (templateOf(await readDeployment(cluster, inputs.app, next)) === inputs.templates[next]) return [];
  const running = await readDeployment(cluster, inputs.app, live);
  const wanted = inputs.configs[live];
  if (running === undefined || inputs.templates[live] === null || sameNames(configOf(running), wanted))
    return [];
  return [
    {
      property: `${next}.env`,
      reason: userErrorText({
        code: "BG-STANDBY-CONFIG-CHANGED",
        what: `the switch to ${next} would change the variables of ${live} as well (${configOf(running).join(", ") || "none"} → ${wanted.join(", ") || "none"})`,
        rule: `${live} is what a rollback returns to, with the config it had`,
        next: `leave what both colors share as it was, and give ${next} its own: pulumi config set --path ${next}.env.NAME TEXT, or --secret --path ${next}.secretEnv.NAME; or give that up: pulumi config set allowInPlaceUpdate true`,
      }),
    },
  ];
}

/** Names of the objects that its pods take variables from. */
function configOf(deployment: V1Deployment): string[] {
  const container = deployment.spec && appContainer(deployment.spec.template);
  return container === undefined ? [] : sourcesOf(container);
}

function sameNames(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
