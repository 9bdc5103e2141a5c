import type { Color } from "../color.js";
import { isSwitchPending } from "../gates/switchPending.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { sayingWhatIsLive } from "../live.js";
import type { Sizes } from "../settings/sizes.js";
import type { Say, Step } from "../step.js";
import { readAutoscaler, removeAutoscaler } from "./autoscaler.js";
import { growTo, growToTakeOver, scale } from "./grow.js";

export type ColorSizeInputs = ClusterRef &
  Sizes & {
    app: string;
    color: Color;
    /** A color that is not has no pods. */
    deployed: boolean;
    /** Hash of the wanted pod template. */
    template: string;
    /** Whether the stack config wants this color to serve users. */
    active: boolean;
  };

/** Pods that the color was asked to have; 0 too where its Deployment says so itself. */
export type ColorSizeOutputs = { asked: number };

/**
 * Gives a color its pods where an autoscaler scales it. The Deployment's own number is left to that
 * one then, and it can neither begin, at zero, nor know that users are about to come.
 */
export const colorSize: Step<ColorSizeInputs, ColorSizeOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(_last, inputs) {
    const cluster = connect(inputs);
    const { app, color, deployed, replicas, maxReplicas, active } = inputs;
    // Config had one, and has it no more.
    if (maxReplicas === 0) return (await readAutoscaler(cluster, app, color)) !== undefined;
    const running = (await readDeployment(cluster, app, color))?.spec?.replicas ?? 0;
    if (!deployed) return running > 0;
    return running < replicas || (active && (await isSwitchPending(inputs)));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => ({ asked: await size(inputs, say) }));
  },
};

async function size(inputs: ColorSizeInputs, say: Say): Promise<number> {
  const cluster = connect(inputs);
  const { app, color, deployed, template, replicas, maxReplicas, active } = inputs;
  if (maxReplicas === 0) {
    if ((await readAutoscaler(cluster, app, color)) === undefined) return 0;
    // It would answer the number of config with its own, until the end of the update, when Pulumi deletes it.
    await removeAutoscaler(cluster, app, color);
    await scale(cluster, app, color, deployed ? replicas : 0);
    return 0;
  }
  if (!deployed) {
    await scale(cluster, app, color, 0);
    return 0;
  }
  const needed = active ? await growToTakeOver(cluster, { app, color, template }) : 0;
  const asked = Math.max(replicas, needed);
  await growTo(cluster, app, color, asked);
  if (needed > replicas) say(`${color} gets ${asked} pods, as many as it needs to take over; its autoscaler takes none of them before users have come`);
  return asked;
}
