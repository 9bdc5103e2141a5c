import { z } from "zod";

/** What a person is told about a setting when its value is refused. */
export interface FieldHelp {
  rule: string;
  example: string;
  /** The value is never shown. @default false */
  secret?: boolean;
}

const help = new WeakMap<z.ZodType, FieldHelp>();

/** A setting: how it is read, and what to say when it cannot be. */
export function field<T extends z.ZodType>(schema: T, about: FieldHelp): T {
  help.set(schema, about);
  return schema;
}

export function helpOf(schema: z.ZodType): FieldHelp {
  const about = help.get(schema);
  if (about === undefined) throw new Error("every setting is declared with field()");
  return about;
}

/** Stack config holds text; a number, a flag or an object is JSON in it. */
export function json<T extends z.ZodType>(schema: T) {
  return z.preprocess((raw) => (typeof raw === "string" ? parseOrKeep(raw) : raw), schema);
}

function parseOrKeep(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}
