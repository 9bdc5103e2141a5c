/** Property paths as Pulumi writes them: `spec.template["x.y"].containers[0].image`, `*` for any element. */
import { isProps, type Props, Secret, type Value } from "./value";

export type PathStep = string | number;
export type Path = readonly PathStep[];

export function parsePath(text: string): Path {
  const steps: PathStep[] = [];
  const pattern = /\.?([^.[\]]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]/gy;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (!match) throw new Error(`property path ${JSON.stringify(text)} is malformed at character ${at + 1}`);
    const [, name, index, quoted] = match;
    if (name !== undefined) steps.push(name);
    else if (index !== undefined) steps.push(index === "*" ? "*" : Number(index));
    else steps.push((quoted ?? "").replace(/\\(.)/g, "$1"));
  }
  return steps;
}

export function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (/^[A-Za-z_$][\w$-]*$/.test(step)) return index === 0 ? step : `.${step}`;
      return `[${JSON.stringify(step)}]`;
    })
    .join("");
}

/** Whether `outer` is `inner` or one of its parents; `*` in `outer` matches any step. */
export function containsPath(outer: Path, inner: Path): boolean {
  return outer.length <= inner.length && outer.every((step, index) => step === "*" || step === inner[index]);
}

const open = (value: Value | undefined): Value | undefined => (value instanceof Secret ? value.value : value);

/** The keys or indexes of a container that a step stands for. */
function keysFor(container: Value | undefined, step: PathStep): PathStep[] {
  if (step !== "*") return [step];
  if (Array.isArray(container)) return container.map((_, index) => index);
  return isProps(container) ? Object.keys(container) : [];
}

function at(container: Value | undefined, step: PathStep): Value | undefined {
  const value = open(container);
  if (Array.isArray(value)) return typeof step === "number" ? value[step] : undefined;
  return isProps(value) ? value[String(step)] : undefined;
}

function copyInto(target: Value | undefined, source: Value | undefined, path: Path): Value | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return source;
  const into = open(target);
  const from = open(source);
  let result: Value | undefined = into;
  for (const key of new Set([...keysFor(from, step), ...keysFor(into, step)])) {
    const value = copyInto(at(result, key), at(from, key), rest);
    if (Array.isArray(result)) {
      if (typeof key === "number" && value !== undefined) {
        const items = [...result];
        items[key] = value;
        result = items;
      }
    } else if (isProps(result)) {
      const others = Object.fromEntries(Object.entries(result).filter(([name]) => name !== String(key)));
      result = value === undefined ? others : { ...result, [String(key)]: value };
    }
  }
  return target instanceof Secret && result !== undefined ? new Secret(result) : result;
}

/** `ignoreChanges`: the inputs with what stands at the paths taken from the old inputs (or left out, if it was not there). */
export function keepOldAt(inputs: Props, old: Props, paths: readonly string[]): Props {
  let result: Value | undefined = inputs;
  for (const path of paths) result = copyInto(result, old, parsePath(path));
  return isProps(result) ? result : inputs;
}
