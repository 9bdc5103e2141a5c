import type { Color } from "../color.js";
import { readSchemaUrls, type DatabaseRef } from "../database/colorDatabases.js";
import { ifReachable } from "../database/reachable.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import type { Step } from "../step.js";
import { connected } from "./connected.js";
import { recordSwitch } from "./switches.js";

export type SwitchRecordInputs = ClusterRef &
  DatabaseRef & {
    /** What users have been switched to. */
    color: Color;
    version: string;
    template: string;
  };

export type SwitchRecordOutputs = Record<string, never>;

/** Notes in the database when users were switched, after the active Service has moved: contract migrations count from it. */
export const switchRecord: Step<SwitchRecordInputs, SwitchRecordOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded: (last, { color, template }) => Promise.resolve(last.color !== color || last.template !== template),

  async run(inputs, say) {
    const { live } = await readSchemaUrls(connect(inputs), inputs);
    // Traffic has moved: a note that is missing makes contract migrations wait longer, and fails nothing.
    await ifReachable(() => connected(live, (db) => recordSwitch(db, inputs)), say);
    return {};
  },
};
