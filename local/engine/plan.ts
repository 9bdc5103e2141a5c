/** What has to happen to one resource, from what it was and what it shall be. Pure. */
import { changedPaths, touches } from "./diff";
import type { ProviderDiff } from "./providers/provider";
import { equal, type Props, type Value } from "./value";

export type Decision =
  | { op: "create" }
  | { op: "same" }
  | { op: "update" }
  | { op: "replace"; deleteBeforeReplace: boolean; reasons: string[] };

export interface Old {
  inputs: Props;
  external: boolean;
  pendingReplacement: boolean;
  initErrors: readonly string[];
  replacementTrigger?: Value;
}

export interface Wanted {
  inputs: Props;
  replaceOnChanges: readonly string[];
  deleteBeforeReplace: boolean | undefined;
  replacementTrigger: Value | undefined;
  /** Reasons that lie in other resources: replaceWith, deletedWith, the provider. */
  forced: readonly string[];
}

/** The provider's answer, completed where it does not say: then a changed input is a change. */
export function completeDiff(diff: ProviderDiff | undefined, oldInputs: Props, inputs: Props): ProviderDiff {
  const known = diff ?? { changes: "unknown", replaces: [], deleteBeforeReplace: false };
  if (known.changes !== "unknown") return known;
  // A provider that names properties to replace for has seen a change.
  const changed = known.replaces.length > 0 || !equal(oldInputs, inputs);
  return { ...known, changes: changed ? "some" : "none" };
}

function replaceReasons(old: Old, wanted: Wanted, diff: ProviderDiff): string[] {
  if (wanted.forced.length > 0) return [...wanted.forced];
  const triggered =
    old.replacementTrigger !== undefined &&
    wanted.replacementTrigger !== undefined &&
    !equal(old.replacementTrigger, wanted.replacementTrigger);
  const onChange = diff.changes === "some" ? touches(changedPaths(old.inputs, wanted.inputs), wanted.replaceOnChanges) : [];
  const onInitError = old.initErrors.length > 0 ? wanted.replaceOnChanges.filter((path) => path === "*" || path === "#initerror") : [];
  const byProvider = diff.changes === "some" ? diff.replaces : [];
  return [...new Set([...byProvider, ...onChange, ...onInitError, ...(triggered ? ["replacementTrigger"] : [])])];
}

export function decide(old: Old | undefined, wanted: Wanted, diff: ProviderDiff): Decision {
  if (!old) return { op: "create" };
  const reasons = replaceReasons(old, wanted, diff);
  // Deleted by a run that did not get to creating it again: only the second half is left.
  if (old.pendingReplacement) return { op: "replace", deleteBeforeReplace: true, reasons };
  // It belonged to someone else, and shall be ours.
  if (old.external) return { op: "replace", deleteBeforeReplace: false, reasons: ["external"] };
  if (reasons.length > 0) {
    return { op: "replace", deleteBeforeReplace: wanted.deleteBeforeReplace ?? diff.deleteBeforeReplace, reasons };
  }
  // An unfinished resource is waited for again, even if nothing changed.
  if (diff.changes === "some" || old.initErrors.length > 0) return { op: "update" };
  return { op: "same" };
}
