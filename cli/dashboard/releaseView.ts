import type { HistoryEntry } from "@bluegreen/release/state/history";
import { attention, type ReleaseStatus } from "@bluegreen/release/releases/status";
import type { ReleaseView } from "../../pages/dashboard/state";
import { states } from "../statusText";
import { tagOf } from "../tagOf";
import { lastMoveView, moveView, rolledBackView, sampleView, schemaView } from "../views";

/** The last minutes of the usual interval; the report has them all. */
const shownSamples = 12;

/** Where a release stands, as the dashboard shows it. */
export function releaseView(status: ReleaseStatus, history: readonly HistoryEntry[]): ReleaseView {
  const { live, colors, schema, lastSwitch, rollback, blockedImages } = status;
  const move = lastMoveView(status);
  return {
    live,
    colors: colors.map(({ color, role, image, ready, wanted, weight }) => ({
      color,
      role,
      tag: image === null ? null : tagOf(image),
      image,
      ready,
      wanted,
      weight,
    })),
    attention: attention(status),
    schema: schemaView(schema),
    last: move === null || lastSwitch === null ? null : { move, state: states[lastSwitch.state] },
    rollback: rollback.possible ? { to: rollback.to } : { why: rollback.why },
    rolledBack: rolledBackView(blockedImages),
    samples: status.samples.slice(-shownSamples).map(sampleView),
    history: history.toReversed().map(moveView),
  };
}
