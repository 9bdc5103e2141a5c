import { VersionApi } from "../kubernetes/client.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Settings } from "../config/settings.js";
import { examineDatabases } from "./databases.js";
import { advice, broken, unknown, well, type Finding } from "../util/finding.js";
import { examineMetrics } from "./metrics.js";
import { examineNamespaces } from "./namespaces.js";
import { plannedIn, type PlannedResource } from "./planned.js";
import { settingsIn } from "./plannedSettings.js";
import { examineRights } from "./rights.js";
import { examineSecrets } from "./secrets.js";
import { examineWayIn } from "./wayIn.js";
import { bluegreen } from "../util/bluegreenCommand.js";

/**
 * Whether a release of these settings would find what it needs, in one cluster. Changes nothing.
 * What cannot be looked at is a finding, too: the rest is worth knowing.
 * @param resources of a preview of the program, whose arguments may be other than config
 */
export async function examine(
  app: string,
  config: Settings,
  resources?: readonly PlannedResource[],
): Promise<Finding[]> {
  const settings = resources === undefined ? config : settingsIn(app, resources, config);
  const planned = resources && plannedIn(resources);
  const reached = await reach(settings);
  if ("finding" in reached) return [reached.finding, rest];
  const { cluster, version } = reached;
  const context = cluster.config.getCurrentContext();
  const looks = await Promise.all([
    whole("namespaces", () => examineNamespaces(cluster, settings)),
    whole("rights", () => examineRights(cluster, app, settings)),
    whole("secrets", () => examineSecrets(cluster, settings, planned)),
    whole("ingress", () => examineWayIn(cluster, settings)),
    whole("metrics", async () => [await examineMetrics(cluster, settings)]),
    whole("database", () => examineDatabases(cluster, settings)),
  ]);
  return [
    well("cluster", `Kubernetes ${version} answers, in context ${context}`),
    ...looks.flat(),
    examineWatcher(settings),
  ];
}

async function reach({
  context,
  namespace,
  namespacePerColor,
}: Settings): Promise<{ cluster: Cluster; version: string } | { finding: Finding }> {
  try {
    const cluster = connect({ context, namespace, namespacePerColor });
    return { cluster, version: (await cluster.config.makeApiClient(VersionApi).getCode()).gitVersion };
  } catch (error) {
    return {
      finding: broken(
        "cluster",
        `${context === "" ? "the current context" : `context ${context}`} of the kubeconfig leads to no API server that answers: ${shortly(error)}`,
        "kubectl config get-contexts, then pulumi config set context NAME",
      ),
    };
  }
}

const rest = unknown(
  "the rest",
  "not checked: namespaces, rights, Secrets, ingress, certificate, metrics and database are found by the cluster",
  `${bluegreen} doctor, when it answers`,
);

async function whole(subject: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [
      unknown(subject, `could not be checked: ${shortly(error)}`, `what it says, then ${bluegreen} doctor`),
    ];
  }
}

/** In a line. What a client says of an API server's answer has headers and bodies behind it. */
function shortly(error: unknown): string {
  return error instanceof UserError
    ? error.message.replaceAll(/\s*\n\s*/g, "; ")
    : (messageOf(error).split("\n")[0] ?? "");
}

function examineWatcher({ analysis: { controllerImage, durationSeconds } }: Settings): Finding {
  if (controllerImage !== "")
    return well(
      "watcher",
      `${controllerImage} continues the analysis in the cluster when an update is over or dead`,
    );
  return advice(
    "watcher",
    durationSeconds === 0
      ? "no analysis after a switch: analysis.durationSeconds is 0, and there is no analysis.controllerImage"
      : `no analysis when the update is over or killed, after ${durationSeconds} s`,
    "build watcher/Dockerfile, push it, and pulumi config set --path analysis.controllerImage IMAGE: docs/guides/analysis-and-rollback.md",
  );
}
