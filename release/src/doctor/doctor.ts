import { VersionApi } from "../kubernetes/client.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { messageOf, Refusal } from "../refusal.js";
import type { Settings } from "../settings/settings.js";
import { examineDatabases } from "./databases.js";
import { advice, broken, unknown, well, type Finding } from "./finding.js";
import { examineMetrics } from "./metrics.js";
import { examineNamespaces } from "./namespaces.js";
import { examineRights } from "./rights.js";
import { examineSecrets } from "./secrets.js";
import { examineWayIn } from "./wayIn.js";

/**
 * Whether a release of these settings would find what it needs, in one cluster. Changes nothing.
 * What cannot be looked at is a finding, too: the rest is worth knowing.
 */
export async function examine(settings: Settings): Promise<Finding[]> {
  const reached = await reach(settings);
  if ("finding" in reached) return [reached.finding, rest];
  const { cluster, version } = reached;
  const context = cluster.config.getCurrentContext();
  const looks = await Promise.all([
    whole("namespaces", () => examineNamespaces(cluster, settings)),
    whole("rights", () => examineRights(cluster, settings)),
    whole("secrets", () => examineSecrets(cluster, settings)),
    whole("way in", () => examineWayIn(cluster, settings)),
    whole("metrics", async () => [await examineMetrics(cluster, settings)]),
    whole("database", () => examineDatabases(cluster, settings)),
  ]);
  return [well("cluster", `Kubernetes ${version} answers, in context ${context}`), ...looks.flat(), examineWatcher(settings)];
}

async function reach({ context, namespace, isolation }: Settings): Promise<{ cluster: Cluster; version: string } | { finding: Finding }> {
  try {
    const cluster = connect({ context, namespace, isolation });
    return { cluster, version: (await cluster.config.makeApiClient(VersionApi).getCode()).gitVersion };
  } catch (error) {
    return { finding: broken("cluster", `${context === "" ? "the current context" : `context ${context}`} of the kubeconfig leads to no API server that answers: ${shortly(error)}`, "kubectl config get-contexts, then pulumi config set context NAME") };
  }
}

const rest = unknown("the rest", "not looked at: namespaces, rights, Secrets, way in, certificate, metrics and database are found by the cluster", "npm run bluegreen -- doctor, when it answers");

async function whole(subject: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [unknown(subject, `could not be looked at: ${shortly(error)}`, "what it says, then npm run bluegreen -- doctor")];
  }
}

/** In a line. What a client says of an API server's answer has headers and bodies behind it. */
function shortly(error: unknown): string {
  return error instanceof Refusal ? error.message.replaceAll(/\s*\n\s*/g, "; ") : (messageOf(error).split("\n")[0] ?? "");
}

function examineWatcher({ watcherImage, watch: { seconds } }: Settings): Finding {
  if (watcherImage !== undefined) return well("watcher", `${watcherImage} watches on in the cluster when an update is over or dead`);
  return advice("watcher", seconds === 0 ? "nobody watches a switch: watch.seconds is 0, and there is no watcherImage" : `nobody watches when the update is over or killed, after ${seconds} s`, "build watcher/Dockerfile, push it, and pulumi config set watcherImage IMAGE: docs/watch.md");
}
