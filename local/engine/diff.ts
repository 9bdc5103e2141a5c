/** The difference between two sets of inputs, property by property. Pure. */
import { containsPath, formatPath, parsePath, type Path } from "./paths";
import { equal, isProps, type Props, Secret, type Value } from "./value";

export type ChangeKind = "add" | "update" | "delete";

export interface PropertyChange {
  path: string;
  kind: ChangeKind;
  /** Undefined when added. */
  old?: Value;
  /** Undefined when deleted. */
  new?: Value;
  secret: boolean;
}

interface Found {
  path: Path;
  old?: Value;
  new?: Value;
  secret: boolean;
}

function walk(path: Path, old: Value | undefined, fresh: Value | undefined, secret: boolean, found: Found[]): void {
  if (old instanceof Secret || fresh instanceof Secret) {
    const a = old instanceof Secret ? old.value : old;
    const b = fresh instanceof Secret ? fresh.value : fresh;
    walk(path, a, b, true, found);
    return;
  }
  if (equal(old, fresh)) return;
  if (isProps(old) && isProps(fresh)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
      walk([...path, key], old[key], fresh[key], secret, found);
    }
    return;
  }
  if (Array.isArray(old) && Array.isArray(fresh)) {
    for (let index = 0; index < Math.max(old.length, fresh.length); index++) {
      walk([...path, index], old[index], fresh[index], secret, found);
    }
    return;
  }
  found.push({ path, secret, ...(old === undefined ? {} : { old }), ...(fresh === undefined ? {} : { new: fresh }) });
}

/** Every leaf that differs, in the order of the old properties, then the added ones. */
export function diffProps(old: Props, fresh: Props, hidden: readonly string[] = []): PropertyChange[] {
  const found: Found[] = [];
  walk([], old, fresh, false, found);
  const hide = hidden.map(parsePath);
  return found
    .filter((change) => !hide.some((path) => containsPath(path, change.path)))
    .map((change) => ({
      ...change,
      path: formatPath(change.path),
      kind: change.old === undefined ? "add" : change.new === undefined ? "delete" : "update",
    }));
}

/** The changed paths of inputs; an unknown new value counts as a change. */
export function changedPaths(old: Props, fresh: Props): Path[] {
  const found: Found[] = [];
  walk([], old, fresh, false, found);
  return found.map((change) => change.path);
}

/** Changes at, below or above one of the paths. */
export function touches(changed: readonly Path[], paths: readonly string[]): string[] {
  return paths.filter((text) => {
    const path = parsePath(text);
    return changed.some((change) => containsPath(path, change) || containsPath(change, path));
  });
}

