import { z } from "zod";
import { objectOf, part } from "./fields.js";
import { labelKey, labelValue } from "./forms.js";
import { cpuPattern, cpuRule, memoryPattern, memoryRule } from "./quantity.js";

/** By CPU, between two numbers of pods; with a maxReplicas of 0 a color has `replicas`, always. */
export const autoscaling = objectOf(
  {
    minReplicas: part(z.int().min(1).max(1000).default(3), "1 to 1000"),
    maxReplicas: part(z.int().min(0).max(1000).default(0), "0, for no autoscaler, or minReplicas to 1000"),
    cpuPercent: part(z.int().min(1).max(1000).default(70), "1 to 1000, of resources.requests.cpu"),
  },
  [
    ({ minReplicas, maxReplicas }) => maxReplicas === 0 || maxReplicas >= minReplicas,
    "a maxReplicas of 0, for no autoscaler, or of minReplicas or more",
  ],
);

const cpuOrComputed = part(
  z.union([z.literal(""), z.coerce.string().regex(cpuPattern)]).default(""),
  `${cpuRule}; "": computed`,
);
const memoryOrComputed = part(
  z.union([z.literal(""), z.coerce.string().regex(memoryPattern)]).default(""),
  `${memoryRule}; "": computed`,
);

/** What the namespace may use at most; 0 and "" are computed from the other settings. */
export const quota = objectOf({
  enabled: part(z.boolean().default(false), "true or false"),
  pods: part(z.int().min(0).max(100_000).default(0), "0 to 100000; 0: computed"),
  cpuRequests: cpuOrComputed,
  cpuLimits: cpuOrComputed,
  memoryRequests: memoryOrComputed,
  memoryLimits: memoryOrComputed,
});

const labels = z.record(z.string().regex(labelKey), z.string().regex(labelValue)).default({});

/** Without labels of a namespace: pods of the app's own one. */
const peer = z
  .strictObject({ namespaceLabels: labels, podLabels: labels })
  .refine(({ namespaceLabels, podLabels }) => Object.keys({ ...namespaceLabels, ...podLabels }).length > 0);

export const networkPolicy = objectOf({
  enabled: part(z.boolean().default(true), "true or false"),
  allowFrom: part(
    z.array(peer).max(20).default([]),
    "at most 20 of {namespaceLabels, podLabels}, each with at least one label, names and values as Kubernetes takes them",
  ),
  egress: part(z.enum(["unrestricted", "restricted"]).default("unrestricted"), "unrestricted or restricted"),
  extraPorts: part(
    z.array(z.int().min(1).max(65_535)).max(20).default([]),
    "at most 20 port numbers, 1 to 65535",
  ),
  egressPorts: part(
    z.array(z.int().min(1).max(65_535)).max(20).default([]),
    "at most 20 port numbers, 1 to 65535",
  ),
});
