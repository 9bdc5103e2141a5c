import { colors } from "../color.js";
import { quantity } from "../settings/quantity.js";
import type { FlatSettings } from "../settings/schema.js";
import { sizesOf } from "../settings/sizes.js";
import { asQuantity, counted, podOf, sumOf, type Amounts, type Counted, type Resources } from "./amounts.js";

/** More pods than wanted, in a rolling update. */
const surgePercent = 25;

export const surge = `${surgePercent}%`;

/** As Kubernetes rounds it. */
export function surgeOf(replicas: number): number {
  return Math.ceil((replicas * surgePercent) / 100);
}

export const watcherResources: Resources = { requests: { cpu: "20m", memory: "96Mi" }, limits: { cpu: "500m", memory: "256Mi" } };

type PodSettings = Pick<FlatSettings, "cpuRequest" | "cpuLimit" | "memoryRequest" | "memoryLimit">;

export function appResources({ cpuRequest, cpuLimit, memoryRequest, memoryLimit }: PodSettings): Resources {
  return { requests: { cpu: cpuRequest, memory: memoryRequest }, limits: { cpu: cpuLimit, memory: memoryLimit } };
}

export type RoomSettings = PodSettings & Pick<FlatSettings, "isolation" | "replicas" | "autoscaling" | "watcherImage">;

/**
 * The most that pods use at once in a namespace that has a color in it: its colors whole, one of them
 * in a rolling update whose old pods are still draining, and the trial's pod; where it is the app's
 * as well, the watcher, which has its own surge.
 */
export function roomFor(settings: RoomSettings): Amounts {
  const { replicas, maxReplicas } = sizesOf(settings);
  const whole = Math.max(replicas, maxReplicas);
  const trial = 1;
  const isShared = settings.isolation === "shared";
  const watchers = isShared && settings.watcherImage !== undefined ? 2 : 0;
  return sumOf(
    { pods: (isShared ? colors.length : 1) * whole + whole + surgeOf(whole) + trial, of: podOf(appResources(settings)) },
    { pods: watchers, of: podOf(watcherResources) },
  );
}

/** Which part of the setting gives which limit. */
export const quotaKeys = { pods: "pods", "requests.cpu": "cpuRequests", "requests.memory": "memoryRequests", "limits.cpu": "cpuLimits", "limits.memory": "memoryLimits" } as const satisfies Record<Counted, keyof FlatSettings["quota"]>;

/** Limits of the quota that the program makes: those that config gives, and room for the app for the others. */
export function quotaLimits({ quota, ...settings }: RoomSettings & Pick<FlatSettings, "quota">): Record<Counted, string> {
  const room = roomFor(settings);
  const limit = (name: Counted): string => {
    const given = quota[quotaKeys[name]];
    return given === 0 || given === "" ? asQuantity(name, room[name]) : String(given);
  };
  return { pods: limit("pods"), "requests.cpu": limit("requests.cpu"), "requests.memory": limit("requests.memory"), "limits.cpu": limit("limits.cpu"), "limits.memory": limit("limits.memory") };
}

/** Limits of config that leave no room for the app, and what it needs. */
export function tooSmall({ quota, ...settings }: RoomSettings & Pick<FlatSettings, "quota">): { key: string; value: string; needed: string }[] {
  const room = roomFor(settings);
  return counted.flatMap((name) => {
    const key = quotaKeys[name];
    const value = String(quota[key]);
    if (value === "" || value === "0" || quantity(value) >= room[name]) return [];
    return [{ key, value, needed: asQuantity(name, room[name]) }];
  });
}
