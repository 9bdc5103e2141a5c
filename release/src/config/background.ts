import { z } from "zod";
import { colors, type Color } from "../app/color.js";
import { names } from "../app/names.js";
import { dnsLabel } from "./forms.js";
import { words, wordsRule } from "./gates.js";
import { podTemplateRule, podTemplateSchema, type PodTemplateArg } from "./podTemplate/podTemplateSchema.js";

/** What is said of pods of the release that answer no requests: of a worker, and of a CronJob. */
const background = {
  name: z.string().max(30).regex(dnsLabel),
  command: words.default([]),
  args: words.default([]),
  podTemplate: podTemplateSchema.prefault({}),
};

type Whole = z.ZodObject<typeof background>;
export type Background = z.output<Whole>;
/** The same, as somebody writes it: what is left out has its default. */
type BackgroundArgs = Omit<z.input<Whole>, "podTemplate"> & { podTemplate?: PodTemplateArg };

/** @param own rule of the fields that only one kind of them has */
function backgroundRule(own: string): string {
  return `a list of at most 20 of {name: a Kubernetes name of at most 30 characters, used once; ${own}; command, args: ${wordsRule}; podTemplate: ${podTemplateRule}}`;
}

/** Some of one kind, each by a name of its own. */
function backgroundList<T extends z.ZodType<{ name: string }>>(each: T, rule: string) {
  return z
    .array(each)
    .max(20)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, rule);
}

/** Those of a color: its own, and those of both that it has none of the same name for. */
function ownAndCommon<Each extends { name: string }>(
  ofBoth: readonly Each[],
  own: readonly Each[] = [],
): Each[] {
  return [...ofBoth.filter(({ name }) => own.every((each) => each.name !== name)), ...own];
}

const runOn = ["active", "both"] as const;

const worker = z
  .strictObject({
    ...background,
    runOn: z.enum(runOn).default("active"),
    replicas: z.int().min(1).max(1000).default(1),
    overlap: z.boolean().default(false),
  })
  .refine((each) => each.runOn === "active" || !each.overlap);

/** Pods of the release that answer no requests. */
export type Worker = z.output<typeof worker>;
/** The same, as somebody writes it: what is left out has its default. */
export type WorkerArgs = Omit<z.input<typeof worker>, keyof BackgroundArgs> & BackgroundArgs;

export const workersRule = backgroundRule(
  `runOn: ${runOn.join(" or ")}; replicas: 1 to 1000; overlap, with runOn active: true or false`,
);

export const workers = backgroundList(worker, workersRule);

/** What config says of workers: of both colors, and over that of one of them. */
type WorkerConfig = { workers: Worker[] } & Record<Color, { workers?: Worker[] | undefined }>;

export function workersOf({ workers: ofBoth, ...config }: WorkerConfig, color: Color): Worker[] {
  return ownAndCommon(ofBoth, config[color].workers);
}

/** Whether either color has any. @param workers what is known of them */
export function hasWorkers(workers: Record<Color, readonly unknown[]>): boolean {
  return colors.some((color) => workers[color].length > 0);
}

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

const scheduleRule = `five fields of cron as Kubernetes reads them (minute, hour, day of month, month, day of week from 0 to 6), as 30 2 * * 1-5, or one of ${macros.join(", ")}`;

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

const timeZoneRule = "a name of the IANA time zone database, as Europe/Berlin or Etc/UTC";

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

const concurrencyPolicies = ["Allow", "Forbid", "Replace"] as const;
/** Pods of a Job have no other. */
const restartPolicies: readonly unknown[] = ["Never", "OnFailure", undefined];

const cronJob = z
  .strictObject({
    ...background,
    schedule: z.string().refine(isSchedule),
    timeZone: z.string().refine(isTimeZone).optional(),
    concurrencyPolicy: z.enum(concurrencyPolicies).default("Forbid"),
  })
  .refine(({ podTemplate: { spec } }) => restartPolicies.includes(spec?.restartPolicy));

/** A command of the release that is run by the clock, on the active color alone. */
export type CronJob = z.output<typeof cronJob>;
/** The same, as somebody writes it: what is left out has its default. */
export type CronJobArgs = Omit<z.input<typeof cronJob>, keyof BackgroundArgs> & BackgroundArgs;

export const cronJobsRule = backgroundRule(
  `schedule: ${scheduleRule}; timeZone: ${timeZoneRule}; concurrencyPolicy: ${concurrencyPolicies.join(", ")}; restartPolicy in podTemplate, if any: Never or OnFailure`,
);

export const cronJobs = backgroundList(cronJob, cronJobsRule);

/** What config says of CronJobs: of both colors, and over that of one of them. */
type CronJobConfig = { cronJobs: CronJob[] } & Record<Color, { cronJobs?: CronJob[] | undefined }>;

export function cronJobsOf({ cronJobs: ofBoth, ...config }: CronJobConfig, color: Color): CronJob[] {
  return ownAndCommon(ofBoth, config[color].cronJobs);
}

/** Kubernetes' own limit: with a dash and the minute of its start it is the name of a Job. */
const nameMax = 52;

/** What is wrong with their names, each as a rule that it breaks. */
export function brokenNames(app: string, config: CronJobConfig & WorkerConfig): string[] {
  const each = colors.flatMap((color) => {
    const workers = new Set(workersOf(config, color).map(({ name }) => name));
    return cronJobsOf(config, color).flatMap(({ name }) => {
      const whole = names.worker(app, color, name);
      return [
        ...(workers.has(name) ? [`no name that a worker of ${color} has, as ${name}`] : []),
        ...(whole.length > nameMax
          ? [
              `names of at most ${nameMax - whole.length + name.length} characters on ${color}: ${whole} has ${whole.length}, and a CronJob at most ${nameMax}`,
            ]
          : []),
      ];
    });
  });
  return [...new Set(each)];
}

/** A worker that runs on the active color alone, for whoever moves traffic. */
export type ActiveWorker = Pick<Worker, "name" | "replicas" | "overlap">;
export type ActiveWorkers = Record<Color, ActiveWorker[]>;

/** What follows the live color: whoever moves traffic brings it there. */
export type Followers = {
  workers: ActiveWorkers;
  /** Names of the CronJobs of each color; absent where there are none. */
  cronJobs?: Record<Color, string[]>;
  /** Pods have a file with the live color in it; absent where none has. */
  colorFile?: true;
};

/** What config says of them: of both colors, and over that of one of them. */
export type FollowerConfig = WorkerConfig &
  CronJobConfig & { activeColorFile: boolean } & Record<Color, { activeColorFile?: boolean | undefined }>;

/** Whether the pods of a color have the file. */
export function hasColorFile(
  { activeColorFile, ...config }: Pick<FollowerConfig, "activeColorFile" | Color>,
  color: Color,
): boolean {
  return config[color].activeColorFile ?? activeColorFile;
}

/** Undefined where nothing does. */
export function followersOf(config: FollowerConfig): Followers | undefined {
  const workersOn = (color: Color) =>
    workersOf(config, color)
      .filter((each) => each.runOn === "active")
      .map(({ name, replicas, overlap }) => ({ name, replicas, overlap }));
  const cronJobsOn = (color: Color) => cronJobsOf(config, color).map(({ name }) => name);
  const workers = { blue: workersOn("blue"), green: workersOn("green") };
  const cronJobs = { blue: cronJobsOn("blue"), green: cronJobsOn("green") };
  const colorFile = colors.some((color) => hasColorFile(config, color));
  const hasCronJobs = colors.some((color) => cronJobs[color].length > 0);
  if (!colorFile && !hasCronJobs && !hasWorkers(workers)) return undefined;
  return { workers, ...(hasCronJobs && { cronJobs }), ...(colorFile && { colorFile }) };
}
