/** Values as a person may read them: secrets never, unknowns by a word. */
import type { PropertyChange } from "./diff";
import { isProps, Secret, Unknown, type Value } from "./value";

const LONGEST = 120;

function plain(value: Value): unknown {
  if (value instanceof Secret) return "[secret]";
  if (value instanceof Unknown) return "[unknown]";
  if (Array.isArray(value)) return value.map(plain);
  if (!isProps(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

export function showValue(value: Value | undefined, secret: boolean): string {
  if (value === undefined) return "";
  if (secret || value instanceof Secret) return "[secret]";
  if (value instanceof Unknown) return "[unknown]";
  const text = JSON.stringify(plain(value));
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
}

export interface ShownChange {
  path: string;
  kind: PropertyChange["kind"];
  old?: string;
  new?: string;
}

/** A provider's serialized code is long and tells nobody anything. */
const CODE = "__provider";

export function showChange(change: PropertyChange): ShownChange {
  if (change.path === CODE) return { path: CODE, kind: change.kind, old: "provider code", new: "provider code (changed)" };
  return {
    path: change.path,
    kind: change.kind,
    ...(change.old === undefined ? {} : { old: showValue(change.old, change.secret) }),
    ...(change.new === undefined ? {} : { new: showValue(change.new, change.secret) }),
  };
}
