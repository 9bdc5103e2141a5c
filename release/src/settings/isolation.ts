import { z } from "zod";
import { cpuPattern, memoryPattern } from "./quantity.js";

/** By CPU, between two numbers of pods; with a maxReplicas of 0 a color has `replicas`, always. */
export const autoscaling = z
  .strictObject({
    minReplicas: z.int().min(1).max(1000).default(3),
    maxReplicas: z.int().min(0).max(1000).default(0),
    cpuPercent: z.int().min(1).max(1000).default(70),
  })
  .refine(({ minReplicas, maxReplicas }) => maxReplicas === 0 || maxReplicas >= minReplicas);

const cpuOrComputed = z.union([z.literal(""), z.coerce.string().regex(cpuPattern)]).default("");
const memoryOrComputed = z.union([z.literal(""), z.string().regex(memoryPattern)]).default("");

/** What the namespace may use at most; 0 and "" are computed from the other settings. */
export const quota = z.strictObject({
  enabled: z.boolean().default(false),
  pods: z.int().min(0).max(100_000).default(0),
  cpuRequests: cpuOrComputed,
  cpuLimits: cpuOrComputed,
  memoryRequests: memoryOrComputed,
  memoryLimits: memoryOrComputed,
});
export type QuotaSettings = z.output<typeof quota>;

const labelName = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/;
const labels = z.record(z.string().regex(labelName), z.string().regex(labelValue)).default({});

/** Without labels of a namespace: pods of the app's own one. */
const peer = z.strictObject({ namespaceLabels: labels, podLabels: labels }).refine(({ namespaceLabels, podLabels }) => Object.keys({ ...namespaceLabels, ...podLabels }).length > 0);
export type NetworkPeer = z.output<typeof peer>;

export const networkPolicy = z.strictObject({
  enabled: z.boolean().default(true),
  from: z.array(peer).max(20).default([]),
  egress: z.enum(["any", "known"]).default("any"),
  egressPorts: z.array(z.int().min(1).max(65_535)).max(20).default([]),
});
