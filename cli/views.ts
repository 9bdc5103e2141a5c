import type { HistoryEntry } from "@bluegreen/release/state/history";
import type { BlockedImage } from "@bluegreen/release/state/blockedImages";
import type { ReleaseStatus, SchemaStatus } from "@bluegreen/release/releases/status";
import type { Sample } from "@bluegreen/release/state/samples";
import type { Move, RolledBack, SampleView, Schema, Version } from "../pages/views";
import { tagOf } from "./tagOf";

// What the command line reads, as the pages show it.

export function moveView({ at, kind, weight, from, to, who, why, evidence }: HistoryEntry): Move {
  return {
    at,
    kind,
    weight,
    from: from === null ? null : versionView(from),
    to: versionView(to),
    who,
    why,
    evidence,
  };
}

export function versionView({ color, image }: HistoryEntry["to"]): Version {
  return { color, tag: tagOf(image) };
}

/** The newest first. */
export function rolledBackView(blockedImages: readonly BlockedImage[]): RolledBack[] {
  return blockedImages.toReversed().map(({ color, image, at, by, reason, evidence }) => ({
    color,
    tag: tagOf(image),
    at,
    by,
    reason,
    evidence,
  }));
}

export function schemaView(schema: SchemaStatus): Schema {
  if ("unreadable" in schema) return schema;
  return {
    version: schema.version,
    migrations: schema.pending.map(({ id, name, phase, state, notes }) => ({
      name: `${id}_${name}`,
      phase,
      state,
      notes,
    })),
  };
}

/** Of a status, which knows the last move of traffic with what has become of it. */
export function lastMoveView({ lastSwitch }: ReleaseStatus): Move | null {
  return lastSwitch === null ? null : moveView({ ...lastSwitch, evidence: [] });
}

export function sampleView({ at, figures, score, findings }: Sample): SampleView {
  return {
    at,
    figures,
    score,
    found: findings.filter(({ points }) => points >= 0).map(({ text }) => text),
  };
}
