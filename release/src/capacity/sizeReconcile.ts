import { colors, type Color } from "../app/color.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { keptUntil } from "../state/record.js";
import type { Step } from "../util/step.js";
import { heldSize, hold, letGo, readAutoscaler } from "./autoscaler.js";

export type SizeReconcileInputs = ClusterRef & { app: string; activeColor: Color; standbyHours: number };
/** Colors whose autoscaler may take no pods. */
export type SizeReconcileOutputs = { held: Color[] };

/**
 * After a release: the active color follows its load again, and the standby keeps the
 * size that it had with them, for as long as it is what a rollback returns to.
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
      else await letGo(cluster, app, color);
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
