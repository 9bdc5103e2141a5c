/** Fields of a schedule in their order, with the names that two of them have for their values. */
const fields = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: "jan feb mar apr may jun jul aug sep oct nov dec".split(" ") },
  { min: 0, max: 6, names: "sun mon tue wed thu fri sat".split(" ") },
] as const satisfies Field[];

interface Field {
  min: number;
  max: number;
  names: readonly string[];
}

const macros: readonly string[] = [
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@midnight",
  "@hourly",
];

export const scheduleRule = `five fields of cron as Kubernetes reads them (minute, hour, day of month, month, day of week from 0 to 6), as 30 2 * * 1-5, or one of ${macros.join(", ")}`;

/**
 * As Kubernetes takes one for a CronJob. Not `@every`, which counts from whenever a Job was started last and not by the
 * clock, and no time zone in it, which Kubernetes refuses as well.
 */
export function isSchedule(text: string): boolean {
  if (macros.includes(text)) return true;
  const parts = text.trim().split(/\s+/);
  return (
    parts.length === fields.length &&
    fields.every((field, index) => (parts[index] ?? "").split(",").every((part) => isPart(part, field)))
  );
}

/** `*`, a value, or a range of them, with a step or without. */
function isPart(text: string, field: Field): boolean {
  const [whole, low = "", high = low, step = "1"] =
    /^(\w+|[*?])(?:(?<=\w)-(\w+))?(?:\/(\d+))?$/.exec(text) ?? [];
  if (whole === undefined || Number(step) === 0) return false;
  if (low === "*" || low === "?") return true;
  const [from, to] = [valueOf(low, field), valueOf(high, field)];
  return from >= field.min && to <= field.max && from <= to;
}

/** NaN where it is none, which is within no bounds. */
function valueOf(text: string, { min, names }: Field): number {
  const index = names.indexOf(text.toLowerCase());
  return index === -1 ? (/^\d+$/.test(text) ? Number(text) : Number.NaN) : min + index;
}

export const timeZoneRule = "a name of the IANA time zone database, as Europe/Berlin or Etc/UTC";

/** Kubernetes takes no offset, and knows upper case from lower case. */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Z][\w+-]*(?:\/[A-Z][\w+-]*)*$/.test(text)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}
