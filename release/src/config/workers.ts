import { z } from "zod";
import type { Color } from "../app/color.js";
import { dnsLabel } from "./forms.js";
import { words, wordsRule } from "./gates.js";
import { podTemplateRule, podTemplateSchema, type PodTemplateArg } from "./podTemplate/podTemplateSchema.js";

const runOn = ["active", "both"] as const;

const worker = z
  .strictObject({
    name: z.string().max(30).regex(dnsLabel),
    runOn: z.enum(runOn).default("active"),
    replicas: z.int().min(1).max(1000).default(1),
    overlap: z.boolean().default(false),
    command: words.default([]),
    args: words.default([]),
    podTemplate: podTemplateSchema.prefault({}),
  })
  .refine((each) => each.runOn === "active" || !each.overlap);

/** Pods of the release that answer no requests. */
export type Worker = z.output<typeof worker>;
/** The same, as somebody writes it: what is left out has its default. */
export type WorkerArgs = Omit<z.input<typeof worker>, "podTemplate"> & { podTemplate?: PodTemplateArg };

export const workersRule = `a list of at most 20 of {name: a Kubernetes name of at most 30 characters, used once; runOn: ${runOn.join(" or ")}; replicas: 1 to 1000; overlap, with runOn active: true or false; command, args: ${wordsRule}; podTemplate: ${podTemplateRule}}`;

export const workers = z
  .array(worker)
  .max(20)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, workersRule);

/** What config says of workers: of both colors, and over that of one of them. */
export type WorkerConfig = { workers: Worker[] } & Record<Color, { workers?: Worker[] | undefined }>;

/** Those of a color: its own, and those of both that it has none of the same name for. */
export function workersOf({ workers: ofBoth, ...config }: WorkerConfig, color: Color): Worker[] {
  const own = config[color].workers ?? [];
  return [...ofBoth.filter(({ name }) => own.every((each) => each.name !== name)), ...own];
}
