import type { Cluster } from "../kubernetes/cluster.js";
import { replicaFailureOf } from "../kubernetes/deployment.js";
import { orUndefined } from "../kubernetes/requests.js";
import { names } from "../app/names.js";
import type { Release } from "../state/record.js";
import { DeadlineError, poll } from "../util/poll.js";
import type { Say } from "../util/step.js";
import { UserError } from "../util/userError.js";
import { Patience } from "./podCheck.js";

/** A pod of it starts within seconds; its image may have to be pulled. */
const budgetMs = 60_000;
/** An admission that has refused its pod is asked again every few seconds. */
const refusalMs = 15_000;

/**
 * Until the analysis controller has a ready pod. A switch that nobody would roll back when this process dies is
 * refused; a rollback at night is not.
 * @throws UserError with the reason why no pod of it can be made, where there is one
 */
export async function waitForController(
  cluster: Cluster,
  app: string,
  kind: Release["kind"],
  say: Say,
): Promise<void> {
  const name = names.controller(app);
  const patience = new Patience(refusalMs);
  let refusal: string | undefined;
  const check = async () => {
    const deployment = await orUndefined(
      cluster.apps.readNamespacedDeployment({ name, namespace: cluster.namespace }),
    );
    const { metadata, status } = deployment ?? {};
    // A pod of before goes by the settings of before.
    const isNew =
      status?.observedGeneration === metadata?.generation &&
      (status?.updatedReplicas ?? 0) === (status?.replicas ?? 0);
    refusal = replicaFailureOf(deployment);
    if (refusal === undefined) return isNew && (status?.readyReplicas ?? 0) > 0 ? "ready" : undefined;
    const lasts = patience.lasts(refusal);
    patience.next();
    return lasts ? "refused" : undefined;
  };
  const end = await poll(check, { timeoutMs: kind === "rollback" ? 0 : budgetMs }).catch((error: unknown) => {
    if (!(error instanceof DeadlineError)) throw error;
    return error.message;
  });
  if (end === "ready") return;
  if (kind === "rollback") {
    say(`the analysis controller (Deployment ${name}) is not ready: traffic returns without it`);
    return;
  }
  throw new UserError({
    code: "BG-CONTROLLER-NOT-READY",
    what: `The switch was refused: the analysis controller (Deployment ${cluster.namespace}/${name}) has no ready pod of its newest template`,
    rule: refusal ?? `it has to be there before traffic moves, and ${end} it was`,
    next: `kubectl -n ${cluster.namespace} describe pods -l app=${name}; to switch without it: pulumi config rm --path analysis.controllerImage`,
  });
}
