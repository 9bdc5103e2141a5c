import { colors, type Color } from "../app/color.js";
import type { Sizes } from "../config/room.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { refuseHarm } from "../state/harm.js";
import { keptUntil } from "../state/record.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import { isSwitchPending } from "../traffic/move.js";
import type { Say, Step } from "../util/step.js";
import {
  readAutoscaler,
  removeAutoscaler,
  growTo,
  growToTakeOver,
  scale,
  heldSize,
  hold,
  allowScaleDown,
} from "./scale.js";
import { readOtherScaler } from "./others.js";

type ColorSizeInputs = ClusterRef &
  Sizes & {
    app: string;
    color: Color;
    /** A color that is not has no pods. */
    deployed: boolean;
    /** Hash of the wanted pod template. */
    template: string;
    /** Whether the stack config wants this color to serve traffic. */
    active: boolean;
  };

/** Pods that the color was asked to have. */
type ColorSizeOutputs = { asked: number };

/**
 * Gives a color its pods. The Deployment never says how many: a person, or an autoscaler, may have given it more,
 * and no update takes those away (docs/decisions/014-whose-replicas.md).
 */
export const colorSize: Step<ColorSizeInputs, ColorSizeOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    const cluster = connect(inputs);
    const { app, color, deployed, template, replicas, maxReplicas, active } = inputs;
    // What config asked for last has to be known when it asks for less.
    if (last.replicas !== replicas || last.maxReplicas !== maxReplicas || last.deployed !== deployed)
      return true;
    // Config had one, and has it no more.
    if (maxReplicas === 0 && (await readAutoscaler(cluster, app, color)) !== undefined) return true;
    const running = await readReplicas(cluster, inputs);
    if (!deployed) return running > 0;
    if (maxReplicas > 0) return running < replicas || (active && (await isSwitchPending(inputs)));
    if ((await readOtherScaler(cluster, app, color)) === undefined) return running < replicas;
    // At zero it rests, and a release needs pods to try.
    return last.template !== template || (running === 0 && active && (await isSwitchPending(inputs)));
  },

  async run(inputs, say, last = {}) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      // Pods that were taken away for the harm that they did must not come back in the same update.
      refuseHarm(cluster, inputs.app);
      return {
        asked: await (inputs.maxReplicas > 0
          ? sizeScaled(cluster, inputs, say)
          : sizeFixed(cluster, inputs, last)),
      };
    });
  },
};

async function readReplicas(cluster: Cluster, { app, color }: ColorSizeInputs): Promise<number> {
  return (await readDeployment(cluster, app, color))?.spec?.replicas ?? 0;
}

/** Where config names the number of pods, or somebody else's autoscaler does. */
async function sizeFixed(
  cluster: Cluster,
  inputs: ColorSizeInputs,
  last: Partial<ColorSizeInputs>,
): Promise<number> {
  const { app, color, deployed, replicas } = inputs;
  const asked = deployed ? replicas : 0;
  const hadAutoscaler = (await readAutoscaler(cluster, app, color)) !== undefined;
  // It would answer the number of config with its own, until the end of the update, when Pulumi deletes it.
  if (hadAutoscaler) await removeAutoscaler(cluster, app, color);
  if (hadAutoscaler || !deployed) {
    await scale(cluster, app, color, asked);
    return asked;
  }
  const isLowered = last.maxReplicas === 0 && last.replicas !== undefined && replicas < last.replicas;
  if ((await readOtherScaler(cluster, app, color)) !== undefined) {
    const running = await readReplicas(cluster, inputs);
    if (running > 0) return running;
  } else if (isLowered) {
    await scale(cluster, app, color, replicas);
    return replicas;
  }
  await growTo(cluster, app, color, replicas);
  return replicas;
}

/** Where the program's own autoscaler does: it can neither begin, at zero, nor know that traffic is about to come. */
async function sizeScaled(cluster: Cluster, inputs: ColorSizeInputs, say: Say): Promise<number> {
  const { app, color, deployed, template, replicas, active } = inputs;
  if (!deployed) {
    await scale(cluster, app, color, 0);
    return 0;
  }
  const needed = active ? await growToTakeOver(cluster, { app, color, template }) : 0;
  const asked = Math.max(replicas, needed);
  await growTo(cluster, app, color, asked);
  if (needed > replicas)
    say(
      `${color} gets ${asked} pods, as many as it needs to take over; its autoscaler takes none of them before traffic has come`,
    );
  return asked;
}

type SizeReconcileInputs = ClusterRef & { app: string; activeColor: Color; standbyHours: number };
/** Colors whose autoscaler may take no pods. */
type SizeReconcileOutputs = { held: Color[] };

/**
 * After a release: the active color follows its load again, and the standby keeps the size that it had with
 * traffic, for as long as it is what a rollback returns to.
 */
export const sizeReconcile: Step<SizeReconcileInputs, SizeReconcileOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(_last, inputs) {
    const cluster = connect(inputs);
    const wrong = await Promise.all(
      colors.map(
        async (color) =>
          (await isHeld(cluster, inputs.app, color)) !== (await mustHold(cluster, inputs, color)),
      ),
    );
    return wrong.includes(true);
  },

  async run(inputs) {
    const { app } = inputs;
    const cluster = connect(inputs);
    const held: Color[] = [];
    for (const color of colors) {
      const wanted = await mustHold(cluster, inputs, color);
      if (wanted) held.push(color);
      if (wanted === (await isHeld(cluster, app, color))) continue;
      if (wanted)
        await hold(cluster, app, color, (await readDeployment(cluster, app, color))?.spec?.replicas ?? 0);
      else await allowScaleDown(cluster, app, color);
    }
    return { held };
  },
};

async function isHeld(cluster: Cluster, app: string, color: Color): Promise<boolean> {
  return heldSize(await readAutoscaler(cluster, app, color)) !== undefined;
}

async function mustHold(
  cluster: Cluster,
  { app, standbyHours }: SizeReconcileInputs,
  color: Color,
): Promise<boolean> {
  return (await keptUntil(cluster, app, color, standbyHours)) !== undefined;
}
