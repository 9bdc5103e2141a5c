import { quantity } from "../settings/quantity.js";
import { counted, type Amounts, type Counted } from "./amounts.js";

export interface Quota {
  name: string;
  scopes: string[];
  /** Amounts by the names of limits, as the API server hands them out. */
  hard: Record<string, string>;
  used: Record<string, string>;
}

/** A limit of a quota that pods would go beyond. */
export interface Misfit {
  quota: string;
  /** As the quota calls it. */
  limit: string;
  counts: Counted;
  hard: number;
  used: number;
  wanted: number;
}

/** What a quota may call the same thing. */
const otherNames: Record<string, Counted> = { "count/pods": "pods", cpu: "requests.cpu", memory: "requests.memory" };

/** The scopes that pods of a Deployment with requests are in. Priority classes are the API server's to judge. */
const ourScopes = new Set(["NotTerminating", "NotBestEffort"]);

/** Which limits of a namespace's quotas the wanted pods would go beyond, on top of what is used now. */
export function whatDoesNotFit(quotas: Quota[], wanted: Amounts): Misfit[] {
  const countOurs = quotas.filter(({ scopes }) => scopes.every((scope) => ourScopes.has(scope)));
  return countOurs.flatMap(({ name: quota, hard: limits, used }) =>
    Object.entries(limits).flatMap(([limit, text]) => {
      const counts = otherNames[limit] ?? counted.find((name) => name === limit);
      if (counts === undefined) return [];
      const misfit = { quota, limit, counts, hard: quantity(text), used: quantity(used[limit] ?? "0"), wanted: wanted[counts] };
      // By a hair more are sums of fractions.
      return misfit.used + misfit.wanted > misfit.hard * (1 + 1e-9) && misfit.wanted > 0 ? [misfit] : [];
    }),
  );
}
