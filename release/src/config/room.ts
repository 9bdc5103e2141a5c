import { colors, type Color } from "../app/color.js";
import {
  asQuantity,
  counted,
  mostOf,
  podOf,
  sumOf,
  type Amounts,
  type Counted,
  type Resources,
} from "./amounts.js";
import { quantity } from "./forms.js";
import type { BackgroundPods, WorkerPods } from "./podSettings.js";
import type { FlatSettings } from "./schema.js";

/** More pods than wanted, in a rolling update. */
const surgePercent = 25;

export const surge = `${surgePercent}%`;

/** As Kubernetes rounds it. */
export function surgeOf(replicas: number): number {
  return Math.ceil((replicas * surgePercent) / 100);
}

export const controllerResources: Resources = {
  requests: { cpu: "20m", memory: "96Mi" },
  limits: { cpu: "500m", memory: "256Mi" },
};

export const controllerPod = podOf({ containers: [controllerResources], initContainers: [] });

type RoomSettings = Pick<FlatSettings, "namespacePerColor" | "replicas" | "autoscaling" | "analysis"> & {
  /** Of the app's container. */
  resources: Resources;
  /** Of a pod of either color. */
  pod: Amounts;
  pods: Record<Color, { workers: WorkerPods[]; cronJobs: Pick<BackgroundPods, "pod">[] }>;
};

/**
 * The most that pods use at once in a namespace that has a color in it: its colors whole, one of them
 * in a rolling update whose old pods are still draining, and the preflight pod; where it is the app's
 * as well, the analysis controller, which has its own surge.
 */
export function roomFor(settings: RoomSettings): Amounts {
  const { replicas, maxReplicas } = sizesOf(settings);
  const whole = Math.max(replicas, maxReplicas);
  const preflight = 1;
  const { namespacePerColor, analysis, pod } = settings;
  const controllers = !namespacePerColor && analysis.controllerImage !== "" ? 2 : 0;
  return sumOf(
    {
      pods: (namespacePerColor ? 1 : colors.length) * whole + whole + surgeOf(whole) + preflight,
      of: pod,
    },
    { pods: controllers, of: controllerPod },
    { pods: 1, of: workersRoom(settings) },
    { pods: 1, of: cronJobsRoom(settings) },
  );
}

/** Of workers that run on the active color alone one color's are there at a time, unless they overlap. */
function workersRoom({ pods, namespacePerColor }: RoomSettings): Amounts {
  const room = (color: Color, isCounted: (worker: WorkerPods) => boolean) =>
    sumOf(
      ...pods[color].workers
        .filter(isCounted)
        .map((worker) => ({ pods: worker.replicas + surgeOf(worker.replicas), of: worker.pod })),
    );
  const isAlone = ({ runOn, overlap }: WorkerPods) => runOn === "active" && !overlap;
  const most = (isCounted: (worker: WorkerPods) => boolean) =>
    mostOf(room("blue", isCounted), room("green", isCounted));
  if (namespacePerColor) return most(() => true);
  const beside = colors.map((color) => ({ pods: 1, of: room(color, (worker) => !isAlone(worker)) }));
  return sumOf(...beside, { pods: 1, of: most(isAlone) });
}

/** One Job of each, of both colors: one that runs when traffic moves ends where it has begun. */
function cronJobsRoom({ pods, namespacePerColor }: RoomSettings): Amounts {
  const room = (color: Color) => sumOf(...pods[color].cronJobs.map(({ pod }) => ({ pods: 1, of: pod })));
  if (namespacePerColor) return mostOf(room("blue"), room("green"));
  return sumOf(...colors.map((color) => ({ pods: 1, of: room(color) })));
}

/** Which part of the setting gives which limit. */
export const quotaKeys = {
  pods: "pods",
  "requests.cpu": "cpuRequests",
  "requests.memory": "memoryRequests",
  "limits.cpu": "cpuLimits",
  "limits.memory": "memoryLimits",
} as const satisfies Record<Counted, keyof FlatSettings["quota"]>;

/**
 * Limits of the quota that the program makes: those that config gives, and room for the app for the others. A
 * limit that pods do not have is none of the quota's, which would refuse them.
 */
export function quotaLimits({
  quota,
  ...settings
}: RoomSettings & Pick<FlatSettings, "quota">): Partial<Record<Counted, string>> {
  const room = roomFor(settings);
  const absent = absentOf(settings.resources);
  return Object.fromEntries(
    counted
      .filter((name) => !absent.includes(name))
      .map((name) => {
        const given = quota[quotaKeys[name]];
        return [name, given === 0 || given === "" ? asQuantity(name, room[name]) : String(given)];
      }),
  );
}

/** What the app's container, and so every other one that says nothing, has none of. */
export function absentOf({ requests, limits }: Resources): Counted[] {
  return counted.filter((name) => {
    const of = name.endsWith(".cpu") ? "cpu" : "memory";
    return (
      name !== "pods" &&
      (name.startsWith("requests.") ? (requests[of] ?? limits[of]) : limits[of]) === undefined
    );
  });
}

/** Limits of config that leave no room for the app, and what it needs. */
export function tooSmall({
  quota,
  ...settings
}: RoomSettings & Pick<FlatSettings, "quota">): { key: string; value: string; needed: string }[] {
  const room = roomFor(settings);
  return counted.flatMap((name) => {
    const key = quotaKeys[name];
    const value = String(quota[key]);
    if (value === "" || value === "0" || quantity(value) >= room[name]) return [];
    return [{ key, value, needed: asQuantity(name, room[name]) }];
  });
}

/** How many pods a deployed color has. */
export type Sizes = {
  /** Always, or the fewest that an autoscaler may leave it. */
  replicas: number;
  /** The most that an autoscaler may give it; 0 where nothing scales it. */
  maxReplicas: number;
};

export function sizesOf({
  replicas,
  autoscaling: { minReplicas, maxReplicas },
}: Pick<FlatSettings, "replicas" | "autoscaling">): Sizes {
  return { replicas: maxReplicas === 0 ? replicas : minReplicas, maxReplicas };
}
