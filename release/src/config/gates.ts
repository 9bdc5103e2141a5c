import { z } from "zod";
import {
  dnsLabel,
  isSecretKey,
  variable,
  isImage,
  cpuPattern,
  cpuRule,
  memoryPattern,
  memoryRule,
} from "./forms.js";

/** When a gate of the user's runs. */
export const gateMoments = ["beforeRollout", "beforeSwitch", "afterSwitch", "beforeScaleDown"] as const;
export type GateMoment = (typeof gateMoments)[number];

/** What a gate itself tells its program. */
const told = /^(?:BASE_URL|BLUEGREEN_.*)$/;

/** As the system takes them: without a zero byte. */
const word = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\0]+$/);
/** Of a command, which no shell reads. */
export const words = z.array(word).max(100);
export const wordsRule = "a list of words, none of them empty";

const variableName = z
  .string()
  .regex(variable)
  .refine((name) => !told.test(name));
const text = z.string().regex(/^[^\0]*$/);

const amounts = (cpu: string, memory: string) =>
  z.strictObject({
    cpu: z
      .union([z.string(), z.number()])
      .transform(String)
      .refine((text) => cpuPattern.test(text))
      .default(cpu),
    memory: z.string().regex(memoryPattern).default(memory),
  });

const job = z.strictObject({
  image: z.string().max(512).refine(isImage),
  command: words.default([]),
  envFromSecrets: z.record(variableName, z.string().refine(isSecretKey)).default({}),
  requests: amounts("100m", "128Mi").prefault({}),
  limits: amounts("1", "512Mi").prefault({}),
});

const gate = z
  .strictObject({
    name: z.string().max(30).regex(dnsLabel),
    when: z.enum(gateMoments),
    command: words.default([]),
    job: job.nullable().default(null),
    env: z.record(variableName, z.union([text, z.boolean(), z.int()]).transform(String)).default({}),
    passEnv: z.array(variableName).max(50).default([]),
    timeoutSeconds: z.int().min(1).max(86_400).default(600),
  })
  .refine((each) => each.command.length > 0 !== (each.job !== null))
  .refine((each) => each.job === null || each.passEnv.length === 0);

/** A program of the user's that decides whether a release continues. */
export type Gate = z.output<typeof gate>;
/** The same, as somebody writes it: what is left out has its default. */
export type GateArgs = z.input<typeof gate>;

export const gatesRule = `a list of at most 20 of {name: a Kubernetes name of at most 30 characters, used once; when: ${gateMoments.join(", ")}; either command: ${wordsRule}, or job: {image: with a digest or a tag that is not latest; command: words; envFromSecrets: variables and SECRET/KEY; requests, limits: cpu (${cpuRule}) and memory (${memoryRule})}; env: variables and texts; passEnv, with command: names of variables; timeoutSeconds: 1 to 86400}; no variable BASE_URL or BLUEGREEN_…, which a gate sets`;

export const gates = z
  .array(gate)
  .max(20)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, gatesRule)
  .default([]);
