import type { V1DeploymentSpec } from "@bluegreen/release/kubernetes/client";
import { names, poll, templateAnnotation, whatIsPending, type Cluster, type Color } from "@bluegreen/release";
import { readDeployment } from "@bluegreen/release/kubernetes/deployment";

/** How long one update may take. */
const updateTimeoutMs = 120_000;

/**
 * One Deployment whose pods are exchanged where they are. Its answers carry the color that it was updated to.
 */
export interface Rolling {
  /** What selects its pods. */
  selector: Record<string, string>;
  /** What `kubectl set image` and `kubectl rollout status` do: returns when all pods are new ones. */
  update: (to: Color) => Promise<void>;
}

/**
 * Makes it from the Deployment of a color: as many pods of the same image, with the same limits, probes,
 * drain and strategy.
 */
export async function makeRolling(cluster: Cluster, app: string, color: Color): Promise<Rolling> {
  const { apps, namespace } = cluster;
  const name = `${app}-rolling`;
  const selector = { app: name };
  const untilDone = async (template: Color, replicas: number): Promise<void> => {
    await poll(
      async () =>
        whatIsPending(await apps.readNamespacedDeployment({ name, namespace }), { template, replicas }) ===
        undefined
          ? true
          : undefined,
      { timeoutMs: updateTimeoutMs },
    );
  };
  const spec = await specLike(cluster, app, color, selector);
  const replicas = spec.replicas ?? 1;
  await apps.createNamespacedDeployment({ namespace, body: { metadata: { name }, spec } });
  await untilDone(color, replicas);
  return {
    selector,
    update: async (to) => {
      await apps.replaceNamespacedDeployment({
        name,
        namespace,
        body: { metadata: { name }, spec: await specLike(cluster, app, to, selector) },
      });
      await untilDone(to, replicas);
    },
  };
}

/** The spec of a color's Deployment, for pods of this selector. */
async function specLike(
  cluster: Cluster,
  app: string,
  color: Color,
  selector: Record<string, string>,
): Promise<V1DeploymentSpec> {
  const spec = (await readDeployment(cluster, app, color))?.spec;
  if (spec === undefined) throw new Error(`Deployment ${names.deployment(app, color)} is not there`);
  spec.selector = { matchLabels: selector };
  spec.template.metadata = { labels: selector, annotations: { [templateAnnotation]: color } };
  return spec;
}
