import { otherColor, type Color } from "../color.js";
import { schemaGate, type SchemaGateInputs } from "../compatibility/schemaGate.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { homeOf } from "../homes.js";
import { names } from "../names.js";
import { DeadlineError, poll } from "../poll.js";
import { Refusal } from "../refusal.js";
import { readShare } from "../route/move.js";
import type { RouteKind } from "../route/route.js";
import type { Strategy } from "../settings/schema.js";
import type { FlatSettings } from "../settings/settings.js";
import { readAutoscaler } from "../size/autoscaler.js";
import { growToTakeOver } from "../size/grow.js";
import type { Taker } from "../size/neededSize.js";
import type { Say } from "../step.js";
import type { RollbackSettings } from "./analysisSettings.js";
import { isWayBack, readRelease, type Release } from "./record.js";
import { readServed, type Served } from "./served.js";
import { takeBack } from "./takeBack.js";
import { whoami } from "./who.js";

export interface RollbackOptions {
  /** The color that users are taken from. */
  from: Color;
  why: string;
  strategy: FlatSettings["database"]["strategy"];
  settings: RollbackSettings;
  /** Goes back to the pods that are ready, even if users need more. */
  fewer: boolean;
}

/** A standby whose window is over may have been made smaller; its image is on the nodes. */
const growthBudgetMs = 60_000;

/**
 * Takes users back by hand, the fast way: every pod of the standby is ready, its version works on
 * the schema, and then users move. No smoke suite: users come from these very pods. Anything else,
 * a rollback of a rollback among it, is a switch, and has gates.
 * @returns how long it took, checks included, and what users have now
 * @throws Refusal when users cannot go back; they are where they were then
 */
export async function rollback(where: ClusterRef & { app: string }, { from, why, strategy, settings, fewer }: RollbackOptions, say: Say): Promise<{ seconds: number; image: string }> {
  const started = performance.now();
  const cluster = connect(where);
  const { app } = where;
  const color = otherColor(from);
  const { bad, good, release } = await findWayBack(cluster, app, from);
  if (!fewer) await growBack(cluster, { app, color, template: good.template }, say);
  await refuseUnready(cluster, app, color, fewer);
  if (strategy !== "none") await schemaGate.run(asTaker(where, good, strategy), say);
  const undone = {
    to: bad,
    from: good,
    share: 100,
    // Of the switch that brought users here, if that is still the one on record.
    ...(release?.to.color === from && release.to.template === bad.template && { id: release.id }),
  };
  if (!(await takeBack({ where, undone, settings, reason: why, evidence: [], by: whoami() }, say))) {
    throw new Refusal({ what: `Users were not taken from ${from}`, rule: "somebody else has moved them at the same moment", next: "npm run bluegreen -- history" });
  }
  return { seconds: (performance.now() - started) / 1000, image: good.image };
}

/**
 * Why users could not go back at this moment, by the rules of a rollback; undefined where they could. Changes nothing.
 * With separate databases the handover asks more, when it comes to it.
 */
export async function whyNoWayBack(where: ClusterRef & { app: string }, { from, strategy }: Pick<RollbackOptions, "from" | "strategy">, say: Say): Promise<string | undefined> {
  const cluster = connect(where);
  try {
    const { good } = await findWayBack(cluster, where.app, from);
    await refuseUnready(cluster, where.app, good.color, false);
    if (strategy === "none") return undefined;
    const [broken] = await schemaGate.check(asTaker(where, good, strategy), {}, say);
    return broken?.reason;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

/** @throws Refusal unless the other color is what users were on before the last switch */
async function findWayBack(cluster: Cluster, app: string, from: Color): Promise<{ bad: Served; good: Served; release: Release | undefined }> {
  const color = otherColor(from);
  const [bad, good, release] = await Promise.all([served(cluster, app, from), served(cluster, app, color), readRelease(cluster, app)]);
  if (isWayBack(release, good)) return { bad, good, release };
  throw new Refusal({
    what: `Users stay on ${from}: they have not come there from ${color} (${good.image})`,
    rule: "the fast way back, without a smoke gate, leads only to the pods that users were on before the last switch",
    next: `npm run bluegreen -- history shows who moved users last; to move them to ${color} through all gates: pulumi config set activeColor ${color} && pulumi up`,
  });
}

/** The color that would take users, as the schema gate wants it named. */
function asTaker(where: ClusterRef & { app: string }, { color, template }: Served, strategy: Strategy): SchemaGateInputs {
  return { ...where, color, template, active: true, strategy, activeColor: color };
}

export interface ShareBackOptions {
  /** The color that all users are on otherwise. */
  active: Color;
  /** Whose weights give it. */
  route: RouteKind;
  settings: RollbackSettings;
  why: string;
}

/** Takes back the share of the users that the other color has, by hand. @throws Refusal when there is none, or somebody else has moved it */
export async function takeShareBack(where: ClusterRef & { app: string }, { active, route, settings, why }: ShareBackOptions, say: Say): Promise<{ seconds: number; image: string }> {
  const started = performance.now();
  const cluster = connect(where);
  const { app } = where;
  const color = otherColor(active);
  const share = await readShare(cluster, app, route, active);
  const next = "npm run bluegreen -- history";
  if (share === 0) throw new Refusal({ what: `${color} has no share of the users`, rule: "there is nothing to take back", next });
  const [to, from, release] = await Promise.all([served(cluster, app, color), served(cluster, app, active), readRelease(cluster, app)]);
  const undone = { to, from, share, ...(release?.kind === "share" && release.to.color === color && { id: release.id }) };
  if (!(await takeBack({ where, undone, settings: { ...settings, database: null }, reason: why, evidence: [], by: whoami() }, say))) {
    throw new Refusal({ what: `The share of ${color} was not taken back`, rule: "somebody else has moved users at the same moment", next });
  }
  return { seconds: (performance.now() - started) / 1000, image: from.image };
}

async function served(cluster: Cluster, app: string, color: Color): Promise<Served> {
  const found = await readServed(cluster, app, color);
  if (found !== undefined) return found;
  throw new Refusal({ what: `There is no ${color} to roll back to or from`, rule: `Deployment ${homeOf(cluster, color)}/${names.deployment(app, color)} is missing, or this program has not made it`, next: `kubectl -n ${homeOf(cluster, color)} get deployments -l app=${app}` });
}

/** A standby that its autoscaler has made smaller gets as many pods as users need. Not all of them in time is for the next check to say. */
async function growBack(cluster: Cluster, standby: Taker, say: Say): Promise<void> {
  const { app, color } = standby;
  if ((await readAutoscaler(cluster, app, color)) === undefined) return;
  const needed = await growToTakeOver(cluster, standby);
  let said: number | undefined;
  const look = async () => {
    const ready = (await readDeployment(cluster, app, color))?.status?.readyReplicas ?? 0;
    if (ready >= needed) return true;
    if (ready !== said) say(`${ready} of the ${needed} pods that ${color} needs are ready; to go back to fewer: --fewer`);
    said = ready;
    return undefined;
  };
  try {
    await poll(look, { timeoutMs: growthBudgetMs });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
  }
}

/** @throws Refusal unless every pod of the standby is ready; with `fewer`, one of them */
async function refuseUnready(cluster: Cluster, app: string, color: Color, fewer: boolean): Promise<void> {
  const deployment = await readDeployment(cluster, app, color);
  const wanted = deployment?.spec?.replicas ?? 0;
  const ready = deployment?.status?.readyReplicas ?? 0;
  if (ready >= (fewer ? 1 : wanted) && ready > 0) return;
  throw new Refusal({
    what: `The rollback to ${color} was refused: ${ready} of its ${wanted} pods are ready`,
    rule: fewer ? "somebody has to answer users" : "users go back to a standby that is ready as a whole",
    next: `kubectl -n ${homeOf(cluster, color)} get pods -l app=${app},version=${color}${ready > 0 ? "; to go back to those that are ready: npm run bluegreen -- rollback --fewer" : ""}`,
  });
}
