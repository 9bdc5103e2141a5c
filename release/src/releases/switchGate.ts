import { randomBytes } from "node:crypto";
import type { Color } from "../color.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { orUndefined } from "../kubernetes/orUndefined.js";
import { readLiveColor, sayingWhatIsLive } from "../live.js";
import { names, switchAnnotation } from "../names.js";
import type { Step } from "../step.js";
import { writePermit } from "./permit.js";

export type SwitchGateInputs = {
  context: string;
  namespace: string;
  app: string;
  activeColor: Color;
};

/** A new id each time users are to move: the active Service takes it along, and by it finds the permit. */
export type SwitchGateOutputs = { switchId: string };

/** The last gate before users move: lets the switch through that all others have passed for. */
export const switchGate: Step<SwitchGateInputs, SwitchGateOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    // Another checkout of the program may have moved users here: then its id is the one to keep.
    return (await idOfLive(connect(inputs), inputs)) !== last.switchId;
  },

  async run(inputs) {
    const cluster = connect(inputs);
    const { app, activeColor } = inputs;
    return sayingWhatIsLive(cluster, app, async () => {
      const known = await idOfLive(cluster, inputs);
      if (known !== undefined) return { switchId: known };
      const switchId = randomBytes(6).toString("hex");
      await writePermit(cluster, app, activeColor, switchId);
      return { switchId };
    });
  },
};

/** Of the switch that users came to the active color by; undefined when they are not on it, or came before there were ids. */
async function idOfLive(cluster: Cluster, { app, activeColor }: SwitchGateInputs): Promise<string | undefined> {
  if ((await readLiveColor(cluster, app)) !== activeColor) return undefined;
  const service = await orUndefined(cluster.core.readNamespacedService({ name: names.activeService(app), namespace: cluster.namespace }));
  return service?.metadata?.annotations?.[switchAnnotation];
}
