import type { Color } from "../app/color.js";
import { findLiveUrl, readSchemaUrls, type DatabaseRef } from "../databases/colorDatabases.js";
import { ifReachable } from "../postgres/reachable.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import type { Step } from "../util/step.js";
import { connected, reading } from "../postgres/connected.js";
import { lastSwitch, recordSwitch } from "./switches.js";

export type SwitchRecordInputs = ClusterRef &
  DatabaseRef & {
    /** What users have been switched to. */
    color: Color;
    version: string;
    template: string;
  };

/** Where the database was out of reach, the next update notes it. */
export type SwitchRecordOutputs = { noted: boolean };

/**
 * Notes in the database when traffic was switched, after the active Service has moved: contract migrations
 * count from it.
 */
export const switchRecord: Step<SwitchRecordInputs, SwitchRecordOutputs> = {
  check: () => Promise.resolve([]),

  /** Asks the database: an update that was killed, or could not reach it, has noted nothing. */
  async isNeeded(last, inputs) {
    const { color, template } = inputs;
    if (last.color !== color || last.template !== template) return true;
    const url = await findLiveUrl(connect(inputs), inputs);
    if (url === undefined) return true;
    // One that refuses may be about to be made again, by this very update: it has no note then.
    const found = await ifReachable(
      async () => ({ noted: await reading(url, lastSwitch) }),
      () => undefined,
    ).catch(() => ({ noted: undefined }));
    if (found === undefined) return last.noted === false;
    return found.noted?.color !== color || found.noted.template !== template;
  },

  async run(inputs, say) {
    const { live } = await readSchemaUrls(connect(inputs), inputs);
    // Traffic has moved: a note that is missing makes contract migrations wait longer, and fails nothing.
    const done = await ifReachable(async () => {
      await connected(live, (db) => recordSwitch(db, inputs));
      return true;
    }, say);
    return { noted: done === true };
  },
};
