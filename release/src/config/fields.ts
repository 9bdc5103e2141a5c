import { z } from "zod";

/**
 * A place where people read a setting's value who may not read Secrets, and what takes a secret one instead.
 */
export interface Readable {
  place: string;
  /** Another setting. */
  instead?: string;
}

/** What a person is told about a setting: before it is given, and when its value is refused. */
export interface FieldHelp {
  description: string;
  /** Of a number. */
  unit?: string;
  rule: string;
  example: string;
  /** Its default, where that is a name which begins with the app's. */
  ofApp?: (app: string) => string;
  /**
   * Where its value ends: in Secrets, and encrypted in the state; or readable, and then it may not be
   * encrypted in config, where that would only look as if it were hidden.
   */
  ends: "secret" | Readable;
  /** A wrong value is never shown: it may hold what belongs into a secret one. @default false */
  hidden?: boolean;
  /**
   * An argument that another resource may give, or the parts of one that may: it decides neither what there is nor
   * whether a preview refuses. Here it has a value that keeps the rule, until the other one is known.
   */
  late?: string | Record<string, string>;
  /** Its type among the arguments, where its own does not say what it holds. */
  argType?: "CronJobArgs[]" | "GateArgs[]" | "PodTemplateArg" | "WorkerArgs[]";
  /**
   * Rules of its parts by their names. Of a setting with parts no value is ever shown: it is refused by the
   * path of the part.
   */
  parts?: Record<string, string>;
}

const help = new WeakMap<z.ZodType, FieldHelp>();

/** A setting: how it is read, what it does, where its value ends, and what to say when it cannot be read. */
export function field<T extends z.ZodType>(schema: T, about: FieldHelp): T {
  help.set(schema, about);
  return schema;
}

export function helpOf(schema: z.ZodType): FieldHelp {
  const about = help.get(schema);
  if (about === undefined) throw new Error("every setting is declared with field()");
  return about;
}

/** Stack config holds text; a number, a flag or a list is JSON in it. */
export function json<T extends z.ZodType>(schema: T, reviver?: Reviver) {
  return z.preprocess((raw) => (typeof raw === "string" ? parseOrKeep(raw, reviver) : raw), schema);
}

interface Part {
  schema: z.ZodType;
  rule: string;
}

/** A part of an object, and what it has to be. */
export function part<T extends z.ZodType>(schema: T, rule: string): { schema: T; rule: string } {
  return { schema, rule };
}

type ShapeOf<Parts extends Record<string, Part>> = { [Name in keyof Parts]: Parts[Name]["schema"] };

const rules = new WeakMap<z.ZodType, Record<string, string>>();

/** An object of parts, and of no others. @param together what has to hold between them, each with its rule */
export function objectOf<Parts extends Record<string, Part>>(
  parts: Parts,
  ...together: [
    holds: (value: z.output<z.ZodObject<ShapeOf<Parts>, z.core.$strict>>) => boolean,
    rule: string,
  ][]
) {
  const shape = Object.fromEntries(
    Object.entries(parts).map(([name, { schema }]) => [name, schema]),
  ) as ShapeOf<Parts>;
  const schema = together.reduce(
    (before, [holds, rule]) => before.refine(holds, rule),
    z.strictObject(shape),
  );
  rules.set(schema, Object.fromEntries(Object.entries(parts).map(([name, { rule }]) => [name, rule])));
  return schema;
}

/** A setting that is an object, made by `objectOf`. @param reviver of its JSON */
export function objectField<T extends z.ZodType>(
  schema: T,
  about: Omit<FieldHelp, "rule" | "parts">,
  reviver?: Reviver,
) {
  const parts = rules.get(schema) ?? {};
  const rule = `an object with ${Object.entries(parts)
    .map(([name, each]) => `${name} (${each})`)
    .join(", ")}`;
  return field(json(schema, reviver).prefault({}), { ...about, rule, parts });
}

/** A setting that is an object of names that are not known before: of variables. */
export function mapField<T extends z.ZodType>(schema: T, about: Omit<FieldHelp, "parts">) {
  return field(json(schema, asWritten), { ...about, parts: {} });
}

type Reviver = (name: string, value: unknown, context?: { source?: string }) => unknown;

/** A number that would be told another way than it is written, as 1.0, is none: a variable is a text. */
export const asWritten: Reviver = (_name, value, context) =>
  typeof value === "number" && context?.source !== String(value) ? Number.NaN : value;

function parseOrKeep(raw: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(raw, reviver);
  } catch {
    return raw;
  }
}

/** Where settings end that are no secrets. An encrypted one among them is refused. */
export const deployment: Readable = { place: "the Deployments of the colors" };
export const state: Readable = { place: "the stack's state" };

export function integer(
  fallback: number,
  min: number,
  max: number,
  unit: string,
  ends: Readable,
  description: string,
) {
  return field(json(z.int().min(min).max(max).default(fallback)), {
    description,
    unit,
    rule: `a whole number of ${unit} from ${min} to ${max}`,
    example: String(fallback),
    ends,
  });
}

export function flag(fallback: boolean, description: string) {
  return field(json(z.boolean().default(fallback)), {
    description,
    rule: "true or false",
    example: "false",
    ends: state,
  });
}
