import { VersionApi } from "@kubernetes/client-node";
import type { Cluster } from "../kubernetes/cluster.js";
import { Refusal } from "../refusal.js";

/**
 * Now, by the API server's clock, to the second. What is written into the cluster is read on other
 * machines: a runner whose clock is wrong would make a switch look hours old.
 */
export async function serverTime(cluster: Cluster): Promise<Date> {
  const { headers } = await cluster.config.makeApiClient(VersionApi).getCodeWithHttpInfo();
  const said = headers["date"];
  const time = said === undefined ? NaN : Date.parse(said);
  if (Number.isNaN(time)) {
    throw new Refusal({ what: "The time was not read from the cluster", rule: `the API server's answer has the Date header ${JSON.stringify(said ?? null)}`, next: "kubectl get --raw /version -v 8, and look what stands between here and the API server" });
  }
  return new Date(time);
}
