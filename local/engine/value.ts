/**
 * Property values as the engine sees them: JSON plus two things JSON has no word for, secrets and values
 * that are not known yet (previews only).
 */
export class Secret {
  constructor(readonly value: Value) {}
}

export class Unknown {
  readonly kind = "unknown";
}

export const UNKNOWN = new Unknown();

export interface Props {
  [key: string]: Value;
}

export type Value = null | boolean | number | string | Value[] | Props | Secret | Unknown;

export function isProps(value: Value | undefined): value is Props {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !(value instanceof Unknown)
  );
}

/** A secret of a secret is the same secret. */
export function makeSecret(value: Value): Secret {
  return value instanceof Secret ? value : new Secret(value);
}

/** The value without its secret marks; unknowns stay. */
export function reveal(value: Value): Value {
  if (value instanceof Secret) return reveal(value.value);
  if (Array.isArray(value)) return value.map(reveal);
  return isProps(value) ? revealProps(value) : value;
}

export function revealProps(props: Props): Props {
  return mapProps(props, reveal);
}

export function mapProps(props: Props, change: (value: Value, key: string) => Value): Props {
  return Object.fromEntries(Object.entries(props).map(([key, value]) => [key, change(value, key)]));
}

function some(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (value instanceof Secret) return some(value.value, test);
  if (Array.isArray(value)) return value.some((item) => some(item, test));
  return isProps(value) && Object.values(value).some((item) => some(item, test));
}

export const containsSecret = (value: Value): boolean => some(value, (item) => item instanceof Secret);
export const containsUnknown = (value: Value): boolean => some(value, (item) => item instanceof Unknown);

/** Deep equality that does not look at secret marks, as the real engine compares inputs. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
  const a = left instanceof Secret ? left.value : left;
  const b = right instanceof Secret ? right.value : right;
  if (a instanceof Secret || b instanceof Secret) return equal(a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (isProps(a) && isProps(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => key in b && equal(a[key], b[key]));
  }
  return a === b;
}

/**
 * Providers that do not understand secrets get and return plain values; every output (or checked input)
 * named like a secret input becomes a secret again, so that its value is not stored in plain text.
 */
export function markSecretsLike(values: Props, model: Props): Props {
  return mapProps(values, (value, key) => {
    const like = model[key];
    if (like === undefined || value instanceof Secret) return value;
    if (isProps(value) && isProps(like)) return markSecretsLike(value, like);
    return containsSecret(like) ? new Secret(value) : value;
  });
}

/** Marks the named top-level outputs as secrets (`additionalSecretOutputs`). */
export function markSecretKeys(values: Props, keys: readonly string[]): Props {
  return mapProps(values, (value, key) => (keys.includes(key) ? makeSecret(value) : value));
}
