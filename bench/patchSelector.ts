import { names, type Cluster, type Color } from "@bluegreen/release";

const app = "chatgpt-app";

/** What a bare `kubectl patch` does: no gate, no mark, no history. */
export async function patchSelector(cluster: Cluster, version: Color): Promise<void> {
  await selectPods(cluster, { app, version });
}

/** Lets the active Service reach other pods, whichever they are. */
export async function selectPods(
  { core, namespace }: Cluster,
  selector: Record<string, string>,
): Promise<void> {
  const name = names.activeService(app);
  const service = await core.readNamespacedService({ name, namespace });
  if (service.spec === undefined) throw new Error("the active Service has no spec");
  service.spec.selector = selector;
  await core.replaceNamespacedService({ name, namespace, body: service });
}
