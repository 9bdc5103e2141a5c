import { linksToRun } from "../alerts/ciRun.js";
import { raiseAlert } from "../alerts/raise.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { messageOf } from "../util/userError.js";
import type { Say } from "../util/step.js";
import { addHistory } from "../state/history.js";
import type { BlockedImage } from "../state/blockedImages.js";
import { setState, type Release } from "../state/record.js";

/** The switch that is undone. Without an id it is not known how traffic came to where it is. */
export type Undone = Pick<Release, "to" | "from" | "weight"> & Partial<Pick<Release, "id">>;

/**
 * Traffic was rolled back: what the blocked image tells is noted. Written twice, each note stands there once.
 * The state comes last, for until then whoever finds the blocked image does all of this again (finishRollback.ts).
 * Never throws: traffic is back, and what comes next must continue.
 */
export async function noteRollback(
  where: ClusterRef & { app: string },
  { id, to, from, weight }: Undone,
  { reason: why, evidence, at, by: who }: BlockedImage,
  say: Say,
): Promise<void> {
  const cluster = connect(where);
  const { app, namespace } = where;
  const trying = async (what: string, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      say(
        `traffic is back, and ${what} does not say so yet: ${messageOf(error)}; the analysis controller, status or the next pulumi up completes it`,
      );
      return false;
    }
  };
  const told = { who, why, at, evidence };
  const isInHistory =
    from === null ||
    (await trying("the history", () =>
      addHistory(cluster, app, id ?? "byhand", { kind: "rollback", weight, to: from, from: to, ...told }),
    ));
  if (from !== null) {
    const links = linksToRun();
    await raiseAlert(
      cluster,
      { kind: "rolledBack", app, namespace, from: to, to: from, ...told, at: new Date(at), links },
      say,
      { isPatient: true },
    );
  }
  if (id !== undefined && isInHistory)
    await trying("the record of the switch", () => setState(cluster, app, id, "rolledBack"));
}
