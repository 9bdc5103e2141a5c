import { isDeepStrictEqual } from "node:util";
import { alerting } from "../alerts/alerting.js";
import { otherColor, type Color } from "../app/color.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import type { RouterName } from "../routers/routers.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import { readCanaryWeight } from "../traffic/move.js";
import { isSwitchPending } from "../traffic/switchPending.js";
import type { Step } from "../util/step.js";
import type { GateInputs } from "./gateKind.js";
import { passGate } from "./passGate.js";

export type { GateInputs };
export type GateOutputs = { outcome: string };

/** Before any pod of the template is made. */
export const gateBeforeRollout = ownGate<GateInputs>({
  hasPods: false,
  isDue: (cluster, inputs) => isRolloutDue(cluster, inputs),
  notDue: "not run: the color runs this template already",
});

/**
 * Whether pods of another template are to be made. Decided by the cluster: what the state remembers may not be
 * what runs.
 */
export async function isRolloutDue(
  cluster: Cluster,
  { app, color, template }: Pick<GateInputs, "app" | "color" | "template">,
): Promise<boolean> {
  return templateOf(await readDeployment(cluster, app, color)) !== template;
}

export type GateBeforeSwitchInputs = GateInputs & {
  /** The percentage of traffic that the color gets. */
  weight: number;
  /** Whose weights move; null where the active Service is all there is. */
  route: RouterName | null;
};

/** The color is ready, has passed the smoke suite, and gets no traffic yet. */
export const gateBeforeSwitch = ownGate<GateBeforeSwitchInputs>({
  hasPods: true,
  async isDue(cluster, inputs) {
    const { app, color, weight, route } = inputs;
    // Of the steps of a shift the first is the one that brings it users.
    if (weight < 100) return (await readCanaryWeight(cluster, app, route, otherColor(color))) === 0;
    return (await isSwitchPending(inputs)) && !isRollbackTarget(await readRelease(cluster, app), inputs);
  },
  notDue: "not run: traffic does not move, or it returns to pods that have served it",
  runsAgain: true,
});

export type GateBeforeScaleDownInputs = GateInputs & {
  /** The color whose pods are to go. The gate checks the one that stays. */
  standby: Color;
};

/** The standby still has its pods, and a rollback would lead there. */
export const gateBeforeScaleDown = ownGate<GateBeforeScaleDownInputs>({
  hasPods: true,
  async isDue(cluster, { app, standby }) {
    return ((await readDeployment(cluster, app, standby))?.spec?.replicas ?? 0) > 0;
  },
  notDue: "not run: the standby has no pods",
  runsAgain: true,
});

interface Moment<Inputs extends GateInputs> {
  hasPods: boolean;
  /** Whether it has come. Also asked in previews. */
  isDue: (cluster: Cluster, inputs: Inputs) => Promise<boolean>;
  notDue: string;
  /** Whether it counts each time: what a gate found before another moment of its kind proves nothing. @default false */
  runsAgain?: boolean;
}

function ownGate<Inputs extends GateInputs>({
  hasPods,
  isDue,
  notDue,
  runsAgain = false,
}: Moment<Inputs>): Step<Inputs, GateOutputs> {
  return alerting(({ gate }) => `gate ${gate.name}`, {
    check: () => Promise.resolve([]),

    async isNeeded(last: Inputs & Partial<GateOutputs>, inputs: Inputs) {
      if (!runsAgain && !isOther(last, inputs)) return false;
      return isDue(connect(inputs), inputs);
    },

    async run(inputs: Inputs, say) {
      const cluster = connect(inputs);
      return sayingWhatIsLive(cluster, inputs.app, async () => ({
        outcome: (await isDue(cluster, inputs)) ? await passGate(cluster, inputs, hasPods, say) : notDue,
      }));
    },
  });
}

/** Whether what it has passed for was something else. */
function isOther(last: GateInputs, { template, gate }: GateInputs): boolean {
  return last.template !== template || !isDeepStrictEqual(last.gate, gate);
}
