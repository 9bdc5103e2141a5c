import { PolicyV1Api, type V1ObjectMeta } from "@bluegreen/release/kubernetes/client";
import { colors, poll, type Cluster } from "@bluegreen/release";
import { mapBounded } from "@bluegreen/release/util/mapBounded";
import { names } from "@bluegreen/release/app/names";

/** What of an object's metadata is the copy's own affair. */
function copied({ name, labels, annotations }: V1ObjectMeta = {}): V1ObjectMeta {
  return {
    ...(name !== undefined && { name }),
    ...(labels !== undefined && { labels }),
    ...(annotations !== undefined && { annotations }),
  };
}

const atOnce = 4;

/**
 * Copies of an app's objects in namespaces of their own: the cluster has their pods, Services and budgets to
 * keep, as it would have those of a stack, but no stack is behind them.
 */
export async function makeCopies(from: Cluster, app: string, namespaces: string[]): Promise<void> {
  const { namespace } = from;
  const policy = from.config.makeApiClient(PolicyV1Api);
  const services = await Promise.all(
    [names.activeService(app), ...colors.map((color) => names.colorService(app, color))].map((name) =>
      from.core.readNamespacedService({ name, namespace }),
    ),
  );
  const deployments = await Promise.all(
    colors.map((color) =>
      from.apps.readNamespacedDeployment({ name: names.deployment(app, color), namespace }),
    ),
  );
  const budgets = await Promise.all(
    colors.map((color) =>
      policy.readNamespacedPodDisruptionBudget({ name: names.deployment(app, color), namespace }),
    ),
  );
  const source = await from.core.readNamespace({ name: namespace });
  await mapBounded(namespaces, atOnce, async (name) => {
    await from.core.createNamespace({
      body: {
        metadata: { name, labels: { ...source.metadata?.labels, "kubernetes.io/metadata.name": name } },
      },
    });
    for (const { metadata, spec } of services) {
      await from.core.createNamespacedService({
        namespace: name,
        body: {
          metadata: copied(metadata),
          spec: {
            ...(spec?.selector && { selector: spec.selector }),
            ...(spec?.ports && { ports: spec.ports }),
          },
        },
      });
    }
    for (const { metadata, spec } of budgets)
      await policy.createNamespacedPodDisruptionBudget({
        namespace: name,
        body: { metadata: copied(metadata), ...(spec && { spec }) },
      });
    for (const { metadata, spec } of deployments)
      await from.apps.createNamespacedDeployment({
        namespace: name,
        body: { metadata: copied(metadata), ...(spec && { spec }) },
      });
  });
}

/** How many of all wanted pods of these namespaces are ready. */
async function readyIn(
  cluster: Cluster,
  namespaces: Set<string>,
): Promise<{ ready: number; wanted: number }> {
  const { items } = await cluster.apps.listDeploymentForAllNamespaces();
  const ours = items.filter(({ metadata }) => namespaces.has(metadata?.namespace ?? ""));
  const sum = (figure: (deployment: (typeof ours)[number]) => number | undefined) =>
    ours.reduce((total, each) => total + (figure(each) ?? 0), 0);
  return { ready: sum(({ status }) => status?.readyReplicas), wanted: sum(({ spec }) => spec?.replicas) };
}

export async function untilReady(
  cluster: Cluster,
  namespaces: string[],
  {
    timeoutMs,
    signal,
    progress,
  }: { timeoutMs: number; signal: AbortSignal; progress: (text: string) => void },
): Promise<void> {
  const all = new Set(namespaces);
  await poll(
    async () => {
      signal.throwIfAborted();
      const { ready, wanted } = await readyIn(cluster, all);
      progress(`${ready} of ${wanted} pods ready`);
      return wanted > 0 && ready === wanted ? true : undefined;
    },
    { timeoutMs, intervalMs: 3000 },
  );
}

export async function removeCopies(
  { core }: Cluster,
  namespaces: string[],
  timeoutMs: number,
): Promise<void> {
  await mapBounded(namespaces, atOnce, (name) => core.deleteNamespace({ name }));
  const gone = new Set(namespaces);
  await poll(
    async () =>
      (await core.listNamespace()).items.some(({ metadata }) => gone.has(metadata?.name ?? ""))
        ? undefined
        : true,
    { timeoutMs, intervalMs: 3000 },
  );
}
