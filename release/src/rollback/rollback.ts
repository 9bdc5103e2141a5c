import { otherColor, namespaceOf, type Color } from "../app/color.js";
import { schemaGate, type SchemaGateInputs } from "../gates/schemaGate.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { UnknownOutcomeError } from "../kubernetes/patch.js";
import { names } from "../app/names.js";
import { withoutAsking } from "../postgres/route.js";
import { DeadlineError, poll } from "../util/poll.js";
import { UserError } from "../util/userError.js";
import { readCanaryWeight } from "../traffic/move.js";
import type { RouterName } from "../routers/routers.js";
import type { DatabaseSecrets } from "../databases/databaseSecrets.js";
import type { FlatSettings } from "../config/schema.js";
import { readAutoscaler, growToTakeOver, type Taker } from "../capacity/scale.js";
import type { Say } from "../util/step.js";
import type { RollbackSettings } from "../config/analysisSettings.js";
import { isRollbackTarget, readRelease, readServed, type Release, type Served } from "../state/record.js";
import { rollBackRelease, type ReleaseRollback } from "./rollBackRelease.js";
import { whoami } from "../util/who.js";
import { bluegreen } from "../util/bluegreenCommand.js";

export interface RollbackOptions {
  /** The color that traffic is moved away from. */
  from: Color;
  why: string;
  strategy: FlatSettings["database"]["strategy"];
  databaseSecret: string;
  /** Where only the cluster reaches the database, a rollback does not ask it, and does not wait for it. */
  runIn: FlatSettings["database"]["runIn"];
  settings: RollbackSettings;
  /** Rolls back to the pods that are ready, even if traffic needs more. */
  fewer: boolean;
}

/** A standby whose window is over may have been made smaller; its image is on the nodes. */
const growthBudgetMs = 60_000;

/**
 * Rolls back by hand, the fast way: every pod of the standby is ready, its version works on
 * the schema, and then traffic moves. No smoke suite: these very pods had the traffic before the switch. Anything else,
 * a rollback of a rollback among it, is a switch, and has gates.
 * @returns how long it took, checks included, and what is live now
 * @throws UserError when the rollback is not possible; traffic stays where it was then
 */
export async function rollback(
  where: ClusterRef & { app: string },
  { from, why, strategy, databaseSecret, runIn, settings, fewer }: RollbackOptions,
  say: Say,
): Promise<{ seconds: number; image: string }> {
  const started = performance.now();
  const cluster = connect(where);
  const { app } = where;
  const color = otherColor(from);
  const { bad, good, release } = await findRollbackTarget(cluster, app, from);
  if (!fewer) await growForRollback(cluster, { app, color, template: good.template }, say);
  await refuseUnready(cluster, app, color, fewer);
  if (strategy !== "none") {
    const check = () => schemaGate.run(asTaker(where, good, { strategy, databaseSecret }), say);
    await (runIn === "cluster" ? withoutAsking(check) : check());
  }
  const undone = {
    to: bad,
    from: good,
    weight: 100,
    // Of the switch that moved traffic to the color that it leaves now, if that is still the one on record.
    ...(release?.to.color === from && release.to.template === bad.template && { id: release.id }),
  };
  await rollBackByHand({ where, undone, settings, why }, `Traffic was not taken from ${from}`, say);
  return { seconds: (performance.now() - started) / 1000, image: good.image };
}

/**
 * Why a rollback is not possible at this moment, by its rules; undefined where it is. Changes
 * nothing. With separate databases the handover asks more, when it comes to it.
 */
export async function whyRollbackImpossible(
  where: ClusterRef & { app: string },
  {
    from,
    strategy,
    databaseSecret,
    runIn,
  }: Pick<RollbackOptions, "from" | "strategy" | "databaseSecret" | "runIn">,
  say: Say,
): Promise<string | undefined> {
  const cluster = connect(where);
  try {
    const { good } = await findRollbackTarget(cluster, where.app, from);
    await refuseUnready(cluster, where.app, good.color, false);
    if (strategy === "none" || runIn === "cluster") return undefined;
    const [broken] = await schemaGate.check(asTaker(where, good, { strategy, databaseSecret }), {}, say);
    return broken?.reason;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** @throws UserError unless the other color is what traffic was on before the last switch */
async function findRollbackTarget(
  cluster: Cluster,
  app: string,
  from: Color,
): Promise<{ bad: Served; good: Served; release: Release | undefined }> {
  const color = otherColor(from);
  const [bad, good, release] = await Promise.all([
    served(cluster, app, from),
    served(cluster, app, color),
    readRelease(cluster, app),
  ]);
  if (isRollbackTarget(release, good)) return { bad, good, release };
  throw new UserError({
    code: "BG-ROLLBACK-NOT-POSSIBLE",
    what: `Traffic stays on ${from}: it has not come there from ${color} (${good.image})`,
    rule: "the rollback, without a smoke gate, goes only to the pods that were live before the last switch",
    next: `${bluegreen} history shows who moved traffic last; to move it to ${color} through all gates: pulumi config set activeColor ${color} && pulumi up`,
  });
}

/** The color that would take traffic, as the schema gate wants it named. */
function asTaker(
  where: ClusterRef & { app: string },
  { color, template }: Served,
  secrets: DatabaseSecrets,
): SchemaGateInputs {
  return { ...where, color, template, active: true, ...secrets, activeColor: color };
}

export interface RollBackShiftOptions {
  /** The color that all other traffic is on. */
  active: Color;
  /** Whose weights give it. */
  route: RouterName;
  settings: RollbackSettings;
  why: string;
}

/**
 * Rolls back the canary weight of the idle color, by hand. @throws UserError when there is none, or
 * somebody else has moved it
 */
export async function rollBackShift(
  where: ClusterRef & { app: string },
  { active, route, settings, why }: RollBackShiftOptions,
  say: Say,
): Promise<{ seconds: number; image: string }> {
  const started = performance.now();
  const cluster = connect(where);
  const { app } = where;
  const color = otherColor(active);
  const weight = await readCanaryWeight(cluster, app, route, active);
  const next = `${bluegreen} history`;
  if (weight === 0)
    throw new UserError({
      code: "BG-ROLLBACK-NOT-POSSIBLE",
      what: `${color} gets no canary traffic`,
      rule: "there is nothing to roll back",
      next,
    });
  const [to, from, release] = await Promise.all([
    served(cluster, app, color),
    served(cluster, app, active),
    readRelease(cluster, app),
  ]);
  const undone = {
    to,
    from,
    weight,
    ...(release?.kind === "shift" && release.to.color === color && { id: release.id }),
  };
  await rollBackByHand(
    { where, undone, settings: { ...settings, database: null }, why },
    `The canary weight of ${color} was not removed`,
    say,
  );
  return { seconds: (performance.now() - started) / 1000, image: from.image };
}

/** @throws UserError when somebody else was quicker, or nobody knows whether traffic has moved */
async function rollBackByHand(
  { why: reason, ...taken }: Pick<ReleaseRollback, "where" | "undone" | "settings"> & { why: string },
  what: string,
  say: Say,
): Promise<void> {
  const back = await rollBackRelease({ ...taken, reason, evidence: [], by: whoami() }, say).catch(
    (error: unknown) => {
      if (!(error instanceof UnknownOutcomeError)) throw error;
      throw new UserError(
        {
          code: "BG-OUTCOME-UNKNOWN",
          what: "Traffic may have been rolled back, and may not",
          rule: error.message,
          next: `${bluegreen} status, and the same command again unless they were`,
        },
        { cause: error },
      );
    },
  );
  if (!back)
    throw new UserError({
      code: "BG-SWITCH-OVERTAKEN",
      what,
      rule: "somebody else has moved traffic at the same moment",
      next: `${bluegreen} history`,
    });
}

async function served(cluster: Cluster, app: string, color: Color): Promise<Served> {
  const found = await readServed(cluster, app, color);
  if (found !== undefined) return found;
  throw new UserError({
    code: "BG-DEPLOYMENT-MISSING",
    what: `There is no ${color} to roll back to or from`,
    rule: `Deployment ${namespaceOf(cluster, color)}/${names.deployment(app, color)} is missing, or this program has not made it`,
    next: `kubectl -n ${namespaceOf(cluster, color)} get deployments -l app=${app}`,
  });
}

/**
 * A standby that its autoscaler has made smaller gets as many pods as traffic needs. Not all of them in time is
 * for the next check to say.
 */
async function growForRollback(cluster: Cluster, standby: Taker, say: Say): Promise<void> {
  const { app, color } = standby;
  if ((await readAutoscaler(cluster, app, color)) === undefined) return;
  const needed = await growToTakeOver(cluster, standby);
  let said: number | undefined;
  const check = async () => {
    const ready = (await readDeployment(cluster, app, color))?.status?.readyReplicas ?? 0;
    if (ready >= needed) return true;
    if (ready !== said)
      say(
        `${ready} of the ${needed} pods that ${color} needs are ready; to roll back to fewer: --allow-fewer-replicas`,
      );
    said = ready;
    return undefined;
  };
  try {
    await poll(check, { timeoutMs: growthBudgetMs });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
  }
}

/** @throws UserError unless every pod of the standby is ready; with `fewer`, one of them */
async function refuseUnready(cluster: Cluster, app: string, color: Color, fewer: boolean): Promise<void> {
  const deployment = await readDeployment(cluster, app, color);
  const wanted = deployment?.spec?.replicas ?? 0;
  const ready = deployment?.status?.readyReplicas ?? 0;
  if (ready >= (fewer ? 1 : wanted) && ready > 0) return;
  throw new UserError({
    code: "BG-TOO-FEW-READY-PODS",
    what: `The rollback to ${color} was refused: ${ready} of its ${wanted} pods are ready`,
    rule: fewer ? "somebody has to answer requests" : "traffic returns to a standby that is ready as a whole",
    next: `kubectl -n ${namespaceOf(cluster, color)} get pods -l app=${app},version=${color}${ready > 0 ? `; to roll back to those that are ready: ${bluegreen} rollback --allow-fewer-replicas` : ""}`,
  });
}
