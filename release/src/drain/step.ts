import { z } from "zod";
import type { MetricsSource } from "../analysis/limits.js";
import { colors, namespaceOf, otherColor, type Color } from "../app/color.js";
import { appLabels, names } from "../app/names.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { mergeData, readData } from "../kubernetes/jsonConfigMap.js";
import { serverTime } from "../kubernetes/requests.js";
import { isInEffect, readRelease, type Release, type Served } from "../state/record.js";
import { readLiveColor } from "../traffic/live.js";
import { isSwitchPending } from "../traffic/move.js";
import { bluegreen } from "../util/bluegreenCommand.js";
import { untilInterrupted } from "../util/interrupt.js";
import { parseJson } from "../util/json.js";
import type { Say, Step } from "../util/step.js";
import { UserError, messageOf } from "../util/userError.js";
import { describeLeft, drainColor, awaitQuiet, describeStaying, type Drained } from "./drainColor.js";
import { tellPods } from "./pods.js";

type DrainInputs = ClusterRef & {
  app: string;
  activeColor: Color;
  /** Of the switch, from its gate. */
  switchId: string;
  /** The budget. */
  seconds: number;
  /** By which pods that do not say what is open on them tell whether clients still use them. */
  metrics: MetricsSource;
};

/** How long it took, and how many connections were left then; 0 and 0 when there was nothing to drain. */
type DrainOutputs = { drainedSeconds: number; connectionsLeft: number };

/** A shift leaves nobody behind: what is drained was left by way of the active Service. */
const noRoute = null;

/** A switch that has left a color behind. */
type Leaving = Release & { from: Served };

/**
 * Drains connections of the color that traffic was moved from, and waits until nobody is left
 * there, before that color may be touched. Once for each switch: what a killed update has left
 * undone is done by the next one.
 */
export const drain: Step<DrainInputs, DrainOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(_last, inputs) {
    if (await isSwitchPending({ ...inputs, color: inputs.activeColor })) return true;
    return (await undrained(connect(inputs), inputs)) !== undefined;
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    const release = await undrained(cluster, inputs);
    if (release === undefined) return { drainedSeconds: 0, connectionsLeft: 0 };
    const { seconds, left } = await untilInterrupted((signal) =>
      drainSwitch(cluster, inputs, release, { say, signal }),
    );
    return { drainedSeconds: Math.round(seconds), connectionsLeft: left.connections };
  },
};

/** The switch that moved traffic to this color, unless its drain is over. */
async function undrained(cluster: Cluster, { app, activeColor }: DrainInputs): Promise<Leaving | undefined> {
  const [release, note, live] = await Promise.all([
    readRelease(cluster, app),
    readDrain(cluster, app),
    readLiveColor(cluster, app),
  ]);
  if (release?.to.color !== activeColor || live !== activeColor || release.state === "rolledBack")
    return undefined;
  const isOver = note?.id === release.id && note.over;
  return isOver || release.from === null ? undefined : { ...release, from: release.from };
}

async function drainSwitch(
  cluster: Cluster,
  { app, seconds, metrics }: DrainInputs,
  release: Leaving,
  { say, signal }: { say: Say; signal: AbortSignal },
): Promise<Drained> {
  const { id, to, from } = release;
  const now = await serverTime(cluster);
  await letStay(cluster, app, to.color, now, say);
  const target = { app, color: from.color };
  const note = { id, color: from.color, until: untilWhen(now, seconds), over: false };
  await writeDrain(cluster, app, note);
  const isAway = (deadline: AbortSignal) => isInEffect(cluster, app, release, noRoute, deadline);
  const drained = await drainColor(cluster, target, { seconds, isAway, say, signal });
  if (drained.end === "back") {
    // Whoever has moved traffic back has told the pods, too; perhaps before this one told the last of them.
    await tellPods(cluster, target, 0, say);
    throw new UserError({
      code: "BG-SWITCH-OVERTAKEN",
      what: `The drain of ${from.color} ended: somebody has taken traffic from ${to.color}`,
      rule: "what follows in this update would touch a color that may serve traffic",
      next: `${bluegreen} history, then pulumi up`,
    });
  }
  await writeDrain(cluster, app, { ...note, over: true });
  for (const line of describeEnd(from.color, seconds, drained)) say(line);
  if (drained.unmeasured > 0) {
    const left = { metrics, seconds: seconds - drained.seconds, isAway, signal };
    const deployment = {
      namespace: namespaceOf(cluster, from.color),
      name: names.deployment(app, from.color),
    };
    say(describeStaying(from.color, await awaitQuiet(cluster, target, left), deployment));
  }
  return drained;
}

/** What people are told at the end. */
export function describeEnd(
  color: Color,
  budgetSeconds: number,
  { seconds, left, measured, unmeasured }: Drained,
): string[] {
  const end =
    left.connections === 0
      ? `${color} is drained, after ${seconds.toFixed(1)} s: no connection is left`
      : `${color} is not drained: after ${seconds.toFixed(1)} s, ${describeLeft(left)} are left. Nobody cuts them as long as ${color} runs; to give them longer: pulumi config set --path connectionDrain.timeoutSeconds ${2 * budgetSeconds}`;
  const unknown = `${unmeasured} of ${measured + unmeasured} pods of ${color} do not say what is open on them: clients leave them by the app's own rules (docs/guides/connection-draining.md)`;
  return [...(measured > 0 ? [end] : []), ...(unmeasured > 0 ? [unknown] : [])];
}

/** Lets clients stay on the color that traffic has moved to, where a drain of its pods continues. */
async function letStay(cluster: Cluster, app: string, color: Color, now: Date, say: Say): Promise<void> {
  const drain = await readDrain(cluster, app);
  if (drain !== undefined && isRunning(drain, color, now)) await tellPods(cluster, { app, color }, 0, say);
}

/**
 * Traffic was rolled back: its clients may stay, and whoever still has a connection to the color that was rolled
 * back is drained. Nobody waits for it, and it never fails. Nothing is done where no switch has drained anything.
 * @param seconds for how long connections are drained; 0: they are not
 */
export async function turnDrain(
  cluster: Cluster,
  app: string,
  { back, now, seconds }: { back: Color; now: Date; seconds: number },
  say: Say,
): Promise<void> {
  try {
    const drain = await readDrain(cluster, app);
    if (drain === undefined) return;
    const color = otherColor(back);
    const { id } = drain;
    await Promise.all([
      isRunning(drain, back, now) ? tellPods(cluster, { app, color: back }, 0, say) : undefined,
      seconds > 0 ? tellPods(cluster, { app, color }, seconds, say) : undefined,
      writeDrain(cluster, app, { id, color, until: untilWhen(now, seconds), over: true }),
    ]);
  } catch (error) {
    say(
      `the drain was not turned around for the rollback to ${back}: ${messageOf(error)}; open connections end by their age`,
    );
  }
}

function isRunning({ color: draining, until }: DrainNote, color: Color, now: Date): boolean {
  return draining === color && now.getTime() < Date.parse(until);
}

const noteSchema = z.object({
  /** Of the switch that moved traffic away from the pods. */
  id: z.string(),
  color: z.enum(colors),
  /** When the pods end it by themselves, by the API server's clock, ISO 8601. */
  until: z.string(),
  /** Nobody has to wait for it any more. */
  over: z.boolean(),
});

/** The last drain: whose pods drain, and until when. */
type DrainNote = z.output<typeof noteSchema>;

/** In the ConfigMap of the last switch. */
const key = "drain";

/** Undefined when there was none, or somebody has garbled it. */
export async function readDrain(cluster: Cluster, app: string): Promise<DrainNote | undefined> {
  const { [key]: text = "" } = await readData(cluster, names.release(app));
  return noteSchema.safeParse(parseJson(text)).data;
}

async function writeDrain(cluster: Cluster, app: string, note: DrainNote): Promise<void> {
  await mergeData(cluster, names.release(app), appLabels(app), { [key]: JSON.stringify(note) });
}

/** When a drain that begins at a time is over. */
function untilWhen(from: Date, seconds: number): string {
  return new Date(from.getTime() + seconds * 1000).toISOString();
}
