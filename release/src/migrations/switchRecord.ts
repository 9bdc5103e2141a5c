import type { Color } from "../color.js";
import { findLiveUrl, readSchemaUrls, type DatabaseRef } from "../database/colorDatabases.js";
import { ifReachable } from "../database/reachable.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import type { Step } from "../step.js";
import { connected, reading } from "./connected.js";
import { lastSwitch, recordSwitch } from "./switches.js";

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

  /** Asks the database: an update that was killed, or could not reach it, has noted nothing. */
  async isNeeded(last, inputs) {
    const { color, template } = inputs;
    if (last.color !== color || last.template !== template) return true;
    const url = await findLiveUrl(connect(inputs), inputs);
    if (url === undefined) return true;
    const found = await ifReachable(async () => ({ noted: await reading(url, lastSwitch) }), () => undefined);
    return found !== undefined && (found.noted?.color !== color || found.noted.template !== template);
  },

  async run(inputs, say) {
    const { live } = await readSchemaUrls(connect(inputs), inputs);
    // Traffic has moved: a note that is missing makes contract migrations wait longer, and fails nothing.
    await ifReachable(() => connected(live, (db) => recordSwitch(db, inputs)), say);
    return {};
  },
};
