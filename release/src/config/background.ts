import { z } from "zod";
import { dnsLabel } from "./forms.js";
import { words, wordsRule } from "./gates.js";
import { podTemplateRule, podTemplateSchema, type PodTemplateArg } from "./podTemplate/podTemplateSchema.js";

/** What is said of pods of the release that answer no requests: of a worker, and of a CronJob. */
export const background = {
  name: z.string().max(30).regex(dnsLabel),
  command: words.default([]),
  args: words.default([]),
  podTemplate: podTemplateSchema.prefault({}),
};

type Whole = z.ZodObject<typeof background>;
export type Background = z.output<Whole>;
/** The same, as somebody writes it: what is left out has its default. */
export type BackgroundArgs = Omit<z.input<Whole>, "podTemplate"> & { podTemplate?: PodTemplateArg };

/** @param own rule of the fields that only one kind of them has */
export function backgroundRule(own: string): string {
  return `a list of at most 20 of {name: a Kubernetes name of at most 30 characters, used once; ${own}; command, args: ${wordsRule}; podTemplate: ${podTemplateRule}}`;
}

/** Some of one kind, each by a name of its own. */
export function backgroundList<T extends z.ZodType<{ name: string }>>(each: T, rule: string) {
  return z
    .array(each)
    .max(20)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, rule);
}

/** Those of a color: its own, and those of both that it has none of the same name for. */
export function ownAndCommon<Each extends { name: string }>(
  ofBoth: readonly Each[],
  own: readonly Each[] = [],
): Each[] {
  return [...ofBoth.filter(({ name }) => own.every((each) => each.name !== name)), ...own];
}
