import type { InCluster } from "../clusters/together.js";
import type { AnalysisSettings } from "../config/analysisSettings.js";
import type { GateInputs } from "../gates/gateKind.js";
import { GateError, passGate, type GateOutputs } from "../gates/ownGates.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { serverTime } from "../kubernetes/requests.js";
import { failTogether } from "../rollback/rollBackClusters.js";
import { rollBackRelease } from "../rollback/rollBackRelease.js";
import { ageOf, isRollbackTarget, isInEffect, readRelease, type Release } from "../state/record.js";
import { isSwitchPending } from "../traffic/move.js";
import { holderName } from "../util/who.js";
import { UserError } from "../util/userError.js";
import type { Say, Step } from "../util/step.js";

export type GateAfterSwitchInputs = InCluster &
  AnalysisSettings &
  GateInputs & {
    /** Of the switch, from its gate. */
    switchId: string;
  };

/**
 * A gate with real users: from the moment that traffic has moved, beside the analysis, which nobody is to be
 * without for as long as a load test takes. Unless it passes, traffic returns, as after a breach.
 */
export const gateAfterSwitch: Step<GateAfterSwitchInputs, GateOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    const cluster = connect(inputs);
    if (await isSwitchPending(inputs))
      return !isRollbackTarget(await readRelease(cluster, inputs.app), inputs);
    return last.switchId !== inputs.switchId && (await unevaluated(cluster, inputs)) !== undefined;
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    const release = await unevaluated(cluster, inputs);
    if (release === undefined) return { outcome: "not run: nothing was switched that it could roll back" };
    try {
      return { outcome: await passGate(cluster, inputs, true, say) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw await undo(inputs, release, error, say);
    }
  },
};

/** After that it is no gate of the switch any more: config may have got it long after. */
const evaluatedWithinMs = 3_600_000;

/** The switch that moved traffic to this color, as long as this gate may evaluate it. */
async function unevaluated(
  cluster: Cluster,
  { app, color, switchId, route }: GateAfterSwitchInputs,
): Promise<Release | undefined> {
  const release = await readRelease(cluster, app);
  if (release?.id !== switchId || release.kind !== "switch" || release.to.color !== color) return undefined;
  if (!(await isInEffect(cluster, app, release, route))) return undefined;
  const isOpen = release.state === "approved" || release.state === "analyzing";
  return isOpen || ageOf(release, await serverTime(cluster)) < evaluatedWithinMs ? release : undefined;
}

/** @returns what the update fails with */
async function undo(
  inputs: GateAfterSwitchInputs,
  release: Release,
  failed: UserError,
  say: Say,
): Promise<Error> {
  const { color, gate, together } = inputs;
  // Of the first release there is nothing to roll back to.
  if (release.from === null) return failed;
  const by = holderName();
  const reason = `gate ${gate.name} did not pass: ${failed instanceof GateError ? failed.how : "it could not be run"}`;
  const evidence = failed instanceof GateError ? failed.lines.slice(-evidenceMax) : [];
  const isBack = await rollBackRelease(
    { where: inputs, undone: release, settings: inputs, reason, evidence, by },
    say,
  );
  const error = new UserError(
    {
      code: "BG-ROLLED-BACK",
      what: isBack
        ? `${color} (${release.to.image}) was rolled back: traffic is on ${release.from.color} again`
        : `${color} (${release.to.image}) did not pass gate ${gate.name}; somebody else has moved its traffic meanwhile`,
      rule: failed.message.split("\n  next:", 1)[0] ?? reason,
      next: `pulumi config set activeColor ${release.from.color} && pulumi up, which brings config in line; then push a new image`,
    },
    { cause: failed },
  );
  return together === null ? error : failTogether(inputs, { color, reason, evidence, by }, error, say);
}

/** An alert and a note in the cluster hold it. */
const evidenceMax = 5;
