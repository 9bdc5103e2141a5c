import { VersionApi } from "./client.js";
import type { Cluster } from "./cluster.js";
import { withSignal } from "./withSignal.js";

const answerMs = 10_000;

/**
 * Now, by the API server's clock, to the second. What is written into the cluster is read by other machines,
 * and this one's clock may be wrong by hours.
 */
export async function serverTime({ config }: Cluster): Promise<Date> {
  const { headers } = await config
    .makeApiClient(VersionApi)
    .getCodeWithHttpInfo({}, withSignal(AbortSignal.timeout(answerMs)));
  const time = new Date(headers["date"] ?? "");
  if (Number.isNaN(time.getTime()))
    throw new Error(`the API server's answer has no usable date: ${headers["date"] ?? "none"}`);
  return time;
}
