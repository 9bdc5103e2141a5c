import { quantity } from "../settings/quantity.js";

/** What a ResourceQuota counts of pods, by its own names, in pods, CPUs and bytes. */
export const counted = ["pods", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"] as const;
export type Counted = (typeof counted)[number];
export type Amounts = Record<Counted, number>;

/** Of a container, in the shape of a manifest. */
export type Resources = { requests: { cpu: string; memory: string }; limits: { cpu: string; memory: string } };

export function podOf({ requests, limits }: Resources): Amounts {
  return { pods: 1, "requests.cpu": quantity(requests.cpu), "requests.memory": quantity(requests.memory), "limits.cpu": quantity(limits.cpu), "limits.memory": quantity(limits.memory) };
}

/** So many of one pod, and so many of another. */
export function sumOf(...parts: { pods: number; of: Amounts }[]): Amounts {
  const sum = (name: Counted) => parts.reduce((so, { pods, of }) => so + pods * of[name], 0);
  return { pods: sum("pods"), "requests.cpu": sum("requests.cpu"), "requests.memory": sum("requests.memory"), "limits.cpu": sum("limits.cpu"), "limits.memory": sum("limits.memory") };
}

/** As a manifest, and a person, wants it. */
export function asQuantity(name: Counted, amount: number): string {
  // Sums of fractions are off by a hair.
  const whole = (number: number) => Math.ceil(Math.round(number * 1000) / 1000);
  if (name === "pods") return String(whole(amount));
  return name.endsWith(".cpu") ? `${whole(amount * 1000)}m` : `${whole(amount / 2 ** 20)}Mi`;
}
