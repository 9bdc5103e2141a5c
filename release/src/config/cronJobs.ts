import { z } from "zod";
import { colors, type Color } from "../app/color.js";
import { names } from "../app/names.js";
import {
  background,
  backgroundList,
  backgroundRule,
  ownAndCommon,
  type BackgroundArgs,
} from "./background.js";
import { isSchedule, isTimeZone, scheduleRule, timeZoneRule } from "./cronSchedule.js";
import { workersOf, type WorkerConfig } from "./workers.js";

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
export type CronJobConfig = { cronJobs: CronJob[] } & Record<Color, { cronJobs?: CronJob[] | undefined }>;

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
