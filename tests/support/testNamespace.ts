import { randomBytes } from "node:crypto";
import { connect, orUndefined, poll, type Cluster, type ClusterRef } from "@bluegreen/release";
import { readStage, type Stage } from "../../local/stage";

/** A namespace of the running stage for one suite, gone after it. */
export interface TestNamespace {
  stage: Stage;
  cluster: Cluster;
  namespace: string;
  /** Where and what, as every step takes it. */
  where: ClusterRef & { app: string };
  remove(): Promise<void>;
}

/** @throws Error when no stage runs: a suite that needs one fails, it is never skipped */
export async function makeNamespace(): Promise<TestNamespace> {
  const stage = await readStage();
  if (stage === undefined) throw new Error("the local stage is not running: npm start, or npm test, which starts it");
  process.env["KUBECONFIG"] = stage.kubeconfig;
  const namespace = `bg-test-${randomBytes(3).toString("hex")}`;
  const where = { context: stage.context, namespace, isolation: "shared", app: "chatgpt-app" } as const;
  const cluster = connect(where);
  await cluster.core.createNamespace({ body: { metadata: { name: namespace } } });
  return {
    stage,
    cluster,
    namespace,
    where,
    remove: async () => {
      await cluster.core.deleteNamespace({ name: namespace });
      await poll(async () => ((await orUndefined(cluster.core.readNamespace({ name: namespace }))) === undefined ? true : undefined), { timeoutMs: 60_000 });
    },
  };
}
