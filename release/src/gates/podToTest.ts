import { colorService } from "../routers/activeService.js";
import type { Color } from "../app/color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readyPodsBehind, type ReadyPod } from "../kubernetes/endpoints.js";
import { UserError } from "../util/userError.js";

/**
 * A ready pod of a color, users or not.
 * @param gate what is not run without one
 * @throws UserError when there is none
 */
export async function podToTest(
  cluster: Cluster,
  { app, color }: { app: string; color: Color },
  gate: string,
): Promise<ReadyPod> {
  const service = colorService(cluster, app, color);
  const [pod] = await readyPodsBehind(cluster, service);
  if (pod !== undefined) return pod;
  throw new UserError({
    code: "BG-TOO-FEW-READY-PODS",
    what: `${gate} was not run: Service ${service.namespace}/${service.name} has no ready endpoint`,
    rule: "a gate needs at least one ready pod to test",
    next: `kubectl -n ${service.namespace} get pods -l app=${app},version=${color}`,
  });
}
