import { quantity } from "./forms.js";

/** What a ResourceQuota counts of pods, by its own names, in pods, CPUs and bytes. */
export const counted = ["pods", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"] as const;
export type Counted = (typeof counted)[number];
export type Amounts = Record<Counted, number>;

/** Of a container, in the shape of a manifest; what is absent is none. */
export type Resources = {
  requests: { cpu?: string; memory?: string };
  limits: { cpu?: string; memory?: string };
};

/** Containers of a pod, and what they need. */
export interface PodNeeds {
  containers: Resources[];
  /** In their order; sidecars run beside all that come after them. */
  initContainers: (Resources & { isSidecar: boolean })[];
}

/** What the scheduler and a quota count: all that runs at once, or what starts it, where that needs more. */
export function podOf({ containers, initContainers }: PodNeeds): Amounts {
  return {
    pods: 1,
    ...Object.fromEntries(
      counted
        .filter((name) => name !== "pods")
        .map((name) => {
          let sidecars = 0;
          let starting = 0;
          for (const each of initContainers) {
            const needed = needOf(each, name);
            starting = Math.max(starting, sidecars + needed);
            if (each.isSidecar) sidecars += needed;
          }
          const running = containers.reduce((sum, each) => sum + needOf(each, name), sidecars);
          return [name, Math.max(running, starting)];
        }),
    ),
  } as Amounts;
}

/** A limit without a request is one, too. */
function needOf({ requests, limits }: Resources, name: Exclude<Counted, "pods">): number {
  const of = name.endsWith(".cpu") ? "cpu" : "memory";
  return quantity((name.startsWith("requests.") ? requests[of] : undefined) ?? limits[of] ?? "0");
}

/** So many of one pod, and so many of another. */
export function sumOf(...parts: { pods: number; of: Amounts }[]): Amounts {
  const sum = (name: Counted) => parts.reduce((so, { pods, of }) => so + pods * of[name], 0);
  return {
    pods: sum("pods"),
    "requests.cpu": sum("requests.cpu"),
    "requests.memory": sum("requests.memory"),
    "limits.cpu": sum("limits.cpu"),
    "limits.memory": sum("limits.memory"),
  };
}

/** What is enough for either of two pods. */
export function mostOf(one: Amounts, other: Amounts): Amounts {
  return Object.fromEntries(counted.map((name) => [name, Math.max(one[name], other[name])])) as Amounts;
}

/** As a manifest, and a person, wants it. */
export function asQuantity(name: Counted, amount: number): string {
  // Sums of fractions are off by a hair.
  const whole = (number: number) => Math.ceil(Math.round(number * 1000) / 1000);
  if (name === "pods") return String(whole(amount));
  return name.endsWith(".cpu") ? `${whole(amount * 1000)}m` : `${whole(amount / 2 ** 20)}Mi`;
}
