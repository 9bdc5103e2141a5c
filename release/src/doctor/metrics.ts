import type { Cluster } from "../kubernetes/cluster.js";
import type { Settings } from "../config/settings.js";
import { broken, well, type Finding } from "../util/finding.js";
import { lookAt } from "./look.js";

/** What autoscalers go by. */
export async function examineMetrics(
  cluster: Cluster,
  { autoscaling: { maxReplicas } }: Pick<Settings, "autoscaling">,
): Promise<Finding> {
  if (maxReplicas === 0) return well("metrics", "not needed: no autoscaler is wanted");
  if (await lookAt(cluster).serves({ group: "metrics.k8s.io", version: "v1beta1", plural: "pods" }))
    return well("metrics", "the cluster measures its pods");
  return broken(
    "metrics",
    "autoscaling is wanted, and the cluster knows no pods.metrics.k8s.io",
    "install metrics-server, or pulumi config set --path autoscaling.maxReplicas 0",
  );
}
