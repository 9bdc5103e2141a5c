import type { FlatSettings } from "./schema.js";

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
