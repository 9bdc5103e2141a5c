import { failTogether } from "../rollback/rollBackClusters.js";
import type { InCluster } from "../clusters/together.js";
import { holderName } from "../util/who.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { serverTime } from "../kubernetes/requests.js";
import { readLiveColor } from "../traffic/live.js";
import { refuseLostRelease } from "../state/releaseLock.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Say, Step } from "../util/step.js";
import type { AnalysisSettings } from "../config/analysisSettings.js";
import { isMovePending, type Move } from "../traffic/move.js";
import { readRelease, writeRelease } from "../state/record.js";
import { refuseChangedImage } from "../gates/changedImage.js";
import { baselineOf, refuseFewer, refuseBlocked, type Candidate } from "../gates/switchGate.js";

export type SwitchTurnInputs = InCluster &
  Move &
  Candidate &
  AnalysisSettings & {
    /** That the gate has let through. */
    switchId: string;
  };

export type SwitchTurnOutputs = { begun: string };

/**
 * It is this cluster's turn: while the ones before were moved and analyzed, minutes have passed since
 * its gate. What may have changed is asked again, and the release begins now, for whoever analyzes it.
 */
export const switchTurn: Step<SwitchTurnInputs, SwitchTurnOutputs> = {
  check: () => Promise.resolve([]),

  /** A cluster that is away by now is for the run to find out: only that rolls back the others. */
  isNeeded: (_last, inputs) => isMovePending(inputs).catch(() => true),

  async run(inputs, say) {
    try {
      return { begun: await begin(connect(inputs), inputs, say) };
    } catch (error) {
      throw await failTogether(
        inputs,
        { color: inputs.color, reason: messageOf(error), evidence: [], by: holderName() },
        error,
        say,
      );
    }
  },
};

/** @returns when, by the API server's clock; empty when traffic is there already */
async function begin(cluster: Cluster, inputs: SwitchTurnInputs, say: Say): Promise<string> {
  const { app, color, switchId, limits } = inputs;
  const live = await readLiveColor(cluster, app);
  if (live === color) return "";
  refuseLostRelease(cluster, app);
  const release = await readRelease(cluster, app);
  if (release?.id !== switchId || release.state !== "approved") {
    throw new UserError({
      code: "BG-APPROVAL-MISSING",
      what: `The switch to ${color} was refused: its gate has let another one through, or none`,
      rule: `this is ${switchId}, and ConfigMap ${cluster.namespace}/${app}-release has ${release === undefined ? "none" : `${release.id} (${release.state})`}`,
      next: "pulumi up: then the gates come first",
    });
  }
  await refuseBlocked(cluster, inputs);
  await refuseChangedImage(cluster, inputs, say);
  if (live !== undefined) await refuseFewer(cluster, inputs, live);
  const baseline = await baselineOf(cluster, { app, live, limits }, release);
  const at = (await serverTime(cluster)).toISOString();
  await writeRelease(cluster, app, { ...release, baseline, at });
  return at;
}
