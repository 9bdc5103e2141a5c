import { z } from "zod";
import { colors, type Color } from "../app/color.js";
import {
  background,
  backgroundList,
  backgroundRule,
  ownAndCommon,
  type BackgroundArgs,
} from "./background.js";

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
export type WorkerConfig = { workers: Worker[] } & Record<Color, { workers?: Worker[] | undefined }>;

export function workersOf({ workers: ofBoth, ...config }: WorkerConfig, color: Color): Worker[] {
  return ownAndCommon(ofBoth, config[color].workers);
}

/** Whether either color has any. @param workers what is known of them */
export function hasWorkers(workers: Record<Color, readonly unknown[]>): boolean {
  return colors.some((color) => workers[color].length > 0);
}
