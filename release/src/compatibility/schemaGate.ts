import { alerting } from "../alerts/alerting.js";
import type { Color } from "../color.js";
import { findLiveUrl, readSchemaUrls, type DatabaseRef } from "../database/colorDatabases.js";
import { findOtherDatabase } from "../database/otherDatabase.js";
import { ifReachable } from "../database/reachable.js";
import { isSwitchPending } from "../gates/switchPending.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { sayingWhatIsLive } from "../live.js";
import { reading } from "../migrations/connected.js";
import { readApplied } from "../migrations/records.js";
import { messageOf, Refusal } from "../refusal.js";
import type { Step } from "../step.js";
import { whyIncompatible, type SchemaRange } from "./range.js";
import { readRunningVersions, type RunningVersion } from "./runningVersions.js";

export type SchemaGateInputs = ClusterRef &
  DatabaseRef & {
    color: Color;
    /** Hash of the pod template that is asked. */
    template: string;
    /** Whether the stack config wants this color to serve users. */
    active: boolean;
  };

/** The range that the version has stated; both empty when it states none. */
export type SchemaGateOutputs = { needs: string; knows: string };

/**
 * The gate between a version and the schema: before a switch, and before a rollback, which is a
 * switch to a version that may be older than what has been taken away meanwhile.
 */
export const schemaGate: Step<SchemaGateInputs, SchemaGateOutputs> = alerting("schema gate", {
  /** In preview the version can be asked when it runs already, as the standby of a rollback does. */
  async check(inputs, _last, say) {
    try {
      if (!inputs.active || !(await isSwitchPending(inputs))) return [];
      const cluster = connect(inputs);
      const url = await findLiveUrl(cluster, inputs);
      if (url === undefined) return [];
      const refusal = await ifReachable(() => judge(cluster, url, inputs), say);
      return refusal instanceof Refusal ? [{ property: "color", reason: refusal.message }] : [];
    } catch (error) {
      return [{ property: "color", reason: messageOf(error) }];
    }
  },

  async isNeeded(last, inputs) {
    if (last.template !== inputs.template) return true;
    return inputs.active && (await isSwitchPending(inputs));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const { live } = await readSchemaUrls(cluster, inputs);
      // A rollback at night must not fail because the database is out of reach of whoever types it.
      const judged = await ifReachable(() => judge(cluster, live, inputs), say);
      if (judged instanceof Refusal) throw judged;
      return judged ?? { needs: "", knows: "" };
    });
  },
});

/** The range of the version that is asked for; undefined when it states none or has no pods. */
async function judge(cluster: Cluster, url: string, inputs: SchemaGateInputs): Promise<SchemaGateOutputs | Refusal | undefined> {
  const { app, color, template, active } = inputs;
  const elsewhere = await findOtherDatabase(cluster, url, inputs);
  if (elsewhere !== undefined) return elsewhere;
  const version = (await readRunningVersions(cluster, app)).find((each) => each.color === color && each.template === template);
  return version && judgeVersion(url, version, active ? "The switch to" : "The rollout of");
}

/**
 * The range of a version that works on the schema; undefined when it states none, a refusal when it does not work.
 * @param what would be refused
 */
export async function judgeVersion(url: string, { color, image, range }: Pick<RunningVersion, "color" | "image" | "range">, what: string): Promise<SchemaRange | Refusal | undefined> {
  const why = whyIncompatible(range, await reading(url, readApplied));
  if (why === undefined) return range;
  return new Refusal({
    what: `${what} ${color} (${image}) was refused: it would not work on the schema`,
    rule: why,
    next: `pulumi config set ${color}Tag TAG with a version that works with it, and pulumi up; a contract migration is not undone`,
  });
}
