import { randomBytes } from "node:crypto";
import { connect, namespacesOf, orUndefined, poll, type Cluster, type ClusterRef } from "@bluegreen/release";
import { rawObjects, type JsonObject } from "../../local/cluster/rawObjects";
import type { Edge } from "../../local/edge/edge";
import { readStage, type Stage } from "../../local/stage";

/**
 * A namespace of the running stage for one suite, with those of its colors where they have their own; gone
 * after it.
 */
export interface TestNamespace {
  stage: Stage;
  cluster: Cluster;
  namespace: string;
  /** Where and what, as every step takes it. */
  where: ClusterRef & { app: string; together: null };
  remove(): Promise<void>;
}

/** @throws Error when the stage has none */
export function edgeOf({ edge }: Stage): Edge {
  if (edge === undefined) throw new Error("the local stage has no edge: npm test, which starts one");
  return edge;
}

/** Creates objects in the namespace, or makes them what is given. */
export function applyIn({ stage: { kubeconfig, context }, namespace }: TestNamespace) {
  const objects = rawObjects(kubeconfig, context);
  return (object: JsonObject & { metadata: JsonObject }) =>
    objects.apply({ ...object, metadata: { namespace, ...object.metadata } }, "test");
}

/** @throws Error when no stage runs: a suite that needs one fails, it is never skipped */
export async function makeNamespace(namespacePerColor = false): Promise<TestNamespace> {
  const stage = await readStage();
  if (stage === undefined)
    throw new Error("the local stage is not running: npm start, or npm test, which starts it");
  process.env["KUBECONFIG"] = stage.kubeconfig;
  const namespace = `bg-test-${randomBytes(3).toString("hex")}`;
  const where = { context: stage.context, namespace, namespacePerColor, app: "chatgpt-app" };
  const cluster = connect(where);
  const all = namespacesOf(cluster);
  for (const name of all) await cluster.core.createNamespace({ body: { metadata: { name } } });
  return {
    stage,
    cluster,
    namespace,
    where: { ...where, together: null },
    remove: async () => {
      for (const name of all) await cluster.core.deleteNamespace({ name });
      for (const name of all)
        await poll(
          async () =>
            (await orUndefined(cluster.core.readNamespace({ name }))) === undefined ? true : undefined,
          { timeoutMs: 600_000 },
        );
    },
  };
}
