import { Command, InvalidArgumentError, Option } from "commander";
import {
  colors,
  connect,
  holderName,
  messageOf,
  names,
  noActiveService,
  readLiveColor,
  UserError,
  takeLease,
  type Cluster,
  type ClusterRef,
  type Color,
  type HeldLease,
} from "@bluegreen/release";
import { untilInterrupted } from "@bluegreen/release/util/interrupt";
import { rollbackSettings, type RollbackSettings } from "@bluegreen/release/config/analysisSettings";
import { readBlockedImage } from "@bluegreen/release/state/blockedImages";
import { rollBackShift } from "@bluegreen/release/rollback/rollback";
import { readServed } from "@bluegreen/release/state/record";
import { readCanaryWeight } from "@bluegreen/release/traffic/move";
import { routers, type RouterName } from "@bluegreen/release/routers/routers";
import { parseDuration, weightsAfter } from "@bluegreen/release/routers/weights";
import type { Say } from "@bluegreen/release/util/step";
import { exitCodes } from "./exitCodes";
import { jsonText, print, printError } from "./print";
import { app, readStackSettings } from "./stackConfig";
import { stackOption } from "./stackOption";
import { bringInLine, changeConfig, updateStack, type ConfigChange } from "./update";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  to: Color;
  over: number;
  steps: number;
  stack: string;
  json: boolean;
}

const help = `
Each step is an update of its own: config gets the new weights, \`pulumi up\` gives them, and the update
ends when it has analyzed them for its part of the time. The last step is the switch, with all its gates.
A step that fails rolls all traffic back, and says why. Cut off in the middle, by a crash or a closed
laptop, the same command continues from the current weight.

Examples:
  ${bluegreen} shift --to green --over 30m --steps 10
  ${bluegreen} shift --to green --over 5m --steps 5 --stack staging

Exit codes: 0 all traffic is there, 1 traffic was rolled back, 2 nothing was moved.`;

/** The analysis of a step has to have room for four observations, and an update for an hour. */
const stepSeconds = { min: 4, max: 3600 };
/** A shift that was killed keeps others waiting for so long. */
const leaseSeconds = 15;

export function shiftCommand(): Command {
  return new Command("shift")
    .description("Moves traffic to the other color gradually, with an analysis after each step.")
    .addOption(new Option("--to <color>", "where traffic goes").choices(colors).makeOptionMandatory())
    .option("--over <duration>", "how long it takes, as 30m or 1h30m", duration, 1800)
    .option("--steps <number>", "in how many steps, 2 to 100", stepsOf, 10)
    .addOption(stackOption())
    .option("--json", "for programs: one line at the end, progress on the error output", false)
    .addHelpText("after", help)
    .action(run);
}

function duration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError("a duration is 30m, 90s or 1h30m.");
  return seconds;
}

function stepsOf(text: string): number {
  const steps = Number(text);
  if (!Number.isInteger(steps) || steps < 2 || steps > 100)
    throw new InvalidArgumentError("a whole number from 2 to 100.");
  return steps;
}

async function run({ to, over, steps, stack, json }: Options): Promise<void> {
  const say: Say = json ? printError : print;
  const seconds = Math.floor(over / steps);
  if (seconds < stepSeconds.min || seconds > stepSeconds.max) {
    throw new UserError({
      code: "BG-OPTION-INVALID",
      what: `A shift over ${over} s in ${steps} steps was refused`,
      rule: `each step is analyzed for ${stepSeconds.min} to ${stepSeconds.max} s, and this would be ${seconds}`,
      next: `--over ${Math.max(steps * stepSeconds.min, Math.min(over, steps * stepSeconds.max))}s, or other --steps`,
    });
  }
  const settings = readStackSettings(stack, [
    "clusters",
    "context",
    "namespace",
    "namespacePerColor",
    "traffic",
    "connectionDrain",
    "database",
    "databaseSecret",
    "preStopDelaySeconds",
  ]);
  const { clusters, context, namespace, namespacePerColor, traffic } = settings;
  if (clusters.targets.length > 0) {
    throw new UserError({
      code: "BG-SHIFT-NOT-SUPPORTED",
      what: `A shift to ${to} was refused`,
      rule: "this stack has several clusters, and a canary weight is not released over all of them together",
      next: `pulumi config set activeColor ${to} && pulumi up: with clusters.rollout sequential the first cluster is the canary`,
    });
  }
  if (traffic.strategy !== "weighted" || routers[traffic.router].weights === undefined) {
    throw new UserError({
      code: "BG-SHIFT-NOT-SUPPORTED",
      what: `A shift to ${to} was refused`,
      rule: `traffic.strategy is ${traffic.strategy} and traffic.router ${traffic.router}: only a route with weights sends traffic to two colors`,
      next: "pulumi config set --path traffic.strategy weighted && pulumi up, then again",
    });
  }
  const where = { context, namespace, namespacePerColor, app };
  const cluster = connect(where);
  const lease = await takeShift(cluster);
  try {
    const shift = {
      cluster,
      where,
      to,
      route: traffic.router,
      // Workers and CronJobs stay with the active color, whatever weight the idle one has.
      settings: rollbackSettings({ ...settings, followers: undefined }),
      stack,
      seconds,
      lost: lease.lost,
      say,
    };
    const ended = await walk(shift, steps);
    if (json) console.log(jsonText(ended));
    process.exitCode = ended.weight === 100 ? exitCodes.clean : exitCodes.findings;
  } finally {
    await lease.release();
  }
}

/** Two shifts at a time would move traffic back and forth. */
async function takeShift(cluster: Cluster): Promise<HeldLease> {
  const answer = await takeLease(cluster, names.shiftLease(app), {
    holder: holderName(),
    seconds: leaseSeconds,
    waitMs: 0,
  });
  if ("held" in answer) return answer.held;
  throw new UserError({
    code: "BG-LOCK-HELD",
    what: "The shift was refused",
    rule: `${answer.heldBy} shifts ${app} since ${answer.since}`,
    next: `wait for its end; should it hang, end it, and its lock ends within ${leaseSeconds} s`,
  });
}

interface Shift {
  cluster: Cluster;
  where: ClusterRef & { app: string };
  to: Color;
  route: RouterName;
  settings: RollbackSettings;
  stack: string;
  /** That each weight is analyzed. */
  seconds: number;
  /** Aborted when somebody else may shift by now: after a laptop's sleep. */
  lost: AbortSignal;
  say: Say;
}

interface Ended {
  to: Color;
  weight: number;
  /** Why traffic was rolled back. */
  reason?: string;
}

/** @throws the reason of `lost`: traffic stays where whoever shifts now has moved it */
async function walk(shift: Shift, steps: number): Promise<Ended> {
  const { cluster, to, route, stack, seconds, lost, say } = shift;
  const live = await readLiveColor(cluster, app);
  if (live === undefined) throw noActiveService(cluster, app, `A shift to ${to} was refused`);
  if (live === to) {
    say(`All traffic is on ${to} already.`);
    return { to, weight: 100 };
  }
  const given = await readCanaryWeight(cluster, app, route, live);
  if (given > 0) say(`${to} has ${given} % of traffic: the shift continues from there.`);
  await changeConfig(stack, { canaryStepSeconds: String(seconds) }, say);
  for (const weight of weightsAfter(given, steps)) {
    lost.throwIfAborted();
    say(`\n${to} gets ${weight} % of traffic${weight < 100 ? `, analyzed for ${seconds} s` : ""}.`);
    const failure = await untilInterrupted((signal) => whyNotGiven(signal, shift, live, weight));
    lost.throwIfAborted();
    if (failure !== undefined && weight < 100) return rollBackAll(shift, live, failure);
    if (failure !== undefined) return afterSwitch(shift, live, failure);
  }
  say(`\nAll traffic is on ${to}.`);
  return { to, weight: 100 };
}

/**
 * An interruption reaches the update too, which starts nothing more, and lets what runs end: an analysis, which may
 * take an hour. Traffic does not wait for that. It is rolled back at once, and the analysis ends by that, too.
 */
async function whyNotGiven(
  signal: AbortSignal,
  shift: Shift,
  live: Color,
  weight: number,
): Promise<string | undefined> {
  let rolledBack: Promise<void> | undefined;
  const rollBack = () => {
    rolledBack = rollBackWeight(shift, live, messageOf(signal.reason)).catch((error: unknown) => {
      shift.say(messageOf(error));
    });
  };
  if (weight < 100) signal.addEventListener("abort", rollBack, { once: true });
  const isGiven = await give(shift, weight).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return false;
  });
  await rolledBack;
  if (signal.aborted) return messageOf(signal.reason);
  return isGiven ? undefined : `the update that was to give ${weight} % failed; what it said stands above`;
}

/** Config first, then the update: cut off in between, the next update gives what config says. */
async function give({ to, stack, say }: Shift, weight: number): Promise<boolean> {
  const change =
    weight < 100 ? { canaryWeight: String(weight) } : { canaryWeight: undefined, activeColor: to };
  return (await isConfigured(stack, change, say)) && updateStack(stack, say);
}

/** Said, and not thrown: traffic is rolled back without it. */
async function isConfigured(stack: string, change: ConfigChange, say: Say): Promise<boolean> {
  try {
    await changeConfig(stack, change, say);
    return true;
  } catch (error) {
    console.error(messageOf(error));
    return false;
  }
}

/** The analysis may have done it already. */
async function rollBackWeight(
  { cluster, where, route, settings, say }: Shift,
  active: Color,
  why: string,
): Promise<void> {
  if ((await readCanaryWeight(cluster, app, route, active)) > 0)
    await rollBackShift(where, { active, route, settings, why: `shift: ${why}` }, say);
}

async function rollBackAll(shift: Shift, live: Color, failure: string): Promise<Ended> {
  const { cluster, to, stack, say } = shift;
  // Once more after an interruption: the update may have given it since.
  await rollBackWeight(shift, live, failure);
  const reason = (await markReason(cluster, to)) ?? failure;
  say(`\nThe shift has ended: all traffic is on ${live} again.\n  why:  ${reason}`);
  const inLine = await bringInLine(stack, { canaryWeight: undefined }, say);
  if (!inLine)
    say(
      `Config is not in line yet: pulumi config rm canaryWeight --stack ${stack} && pulumi up --stack ${stack}`,
    );
  return { to, weight: 0, reason };
}

/**
 * The last step is a switch: where it failed before traffic moved the weights are as they were, afterwards the
 * analysis has decided.
 */
async function afterSwitch(shift: Shift, live: Color, failure: string): Promise<Ended> {
  if ((await readLiveColor(shift.cluster, app)) === shift.to)
    return { to: shift.to, weight: 100, reason: failure };
  const { stack, say } = shift;
  await isConfigured(stack, { activeColor: live }, say);
  return rollBackAll(shift, live, failure);
}

async function markReason(cluster: Cluster, color: Color): Promise<string | undefined> {
  const served = await readServed(cluster, app, color);
  return served && (await readBlockedImage(cluster, app, served))?.reason;
}
