import { randomBytes } from "node:crypto";
import type { Color } from "../color.js";
import { isSwitchPending } from "../gates/switchPending.js";
import { connect } from "../kubernetes/cluster.js";
import { sayingWhatIsLive } from "../live.js";
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

  isNeeded: (_last, inputs) => isSwitchPending({ ...inputs, color: inputs.activeColor }),

  async run(inputs) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const switchId = randomBytes(6).toString("hex");
      await writePermit(cluster, inputs.app, inputs.activeColor, switchId);
      return { switchId };
    });
  },
};
