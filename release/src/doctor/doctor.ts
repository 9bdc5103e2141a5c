import { VersionApi } from "../kubernetes/client.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import { namespacesOf, podSecurity, type ColorNamespaces } from "../app/color.js";
import { messageOf, UserError } from "../util/userError.js";
import { orUndefined } from "../kubernetes/requests.js";
import type { Settings } from "../config/settings.js";
import { readerOf, examineIngress } from "./ingress.js";
import { examineDatabases } from "./databases.js";
import { advice, broken, unknown, well, type Finding } from "../util/finding.js";
import { plannedIn, settingsIn, type PlannedResource } from "./planned.js";
import { examineRights } from "./rights.js";
import { examineSecrets } from "./secrets.js";
import { bluegreen } from "../util/bluegreenCommand.js";

/**
 * Whether a release of these settings would find what it needs, in one cluster. Changes nothing.
 * What cannot be examined is a finding, too: the rest is worth knowing.
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
  const findings = await Promise.all([
    whole("namespaces", () => examineNamespaces(cluster, settings)),
    whole("rights", () => examineRights(cluster, app, settings)),
    whole("secrets", () => examineSecrets(cluster, settings, planned)),
    whole("ingress", () => examineIngress(cluster, settings)),
    whole("metrics", async () => [await examineMetrics(cluster, settings)]),
    whole("database", () => examineDatabases(cluster, settings)),
  ]);
  return [
    well("cluster", `Kubernetes ${version} answers, in context ${context}`),
    ...findings.flat(),
    examineController(settings),
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
        `${context === "" ? "the current context" : `context ${context}`} of the kubeconfig points to no API server that answers: ${shortly(error)}`,
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

async function whole(subject: string, examine: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await examine();
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

/** Whether the namespaces are there that the program does not make. */
async function examineNamespaces(
  cluster: Cluster,
  settings: ColorNamespaces & Pick<Settings, "createNamespaces">,
): Promise<Finding[]> {
  if (settings.createNamespaces) return [well("namespaces", "the program makes them")];
  return Promise.all(namespacesOf(settings).map((name) => examineNamespace(cluster, name)));
}

async function examineNamespace({ core }: Cluster, name: string): Promise<Finding> {
  const found = await orUndefined(core.readNamespace({ name }));
  if (found === undefined)
    return broken(
      "namespaces",
      `Namespace ${name} is not there, and createNamespaces is false`,
      `kubectl create namespace ${name}`,
    );
  const label = "pod-security.kubernetes.io/enforce";
  if (found.metadata?.labels?.[label] === podSecurity[label])
    return well("namespaces", `${name} is there, and lets no pod have more rights than it needs`);
  return advice(
    "namespaces",
    `${name} is there, and does not enforce the restricted standard, which the app's pods keep`,
    `kubectl label namespace ${name} ${label}=${podSecurity[label]}`,
  );
}

/** What autoscalers go by. */
async function examineMetrics(
  cluster: Cluster,
  { autoscaling: { maxReplicas } }: Pick<Settings, "autoscaling">,
): Promise<Finding> {
  if (maxReplicas === 0) return well("metrics", "not needed: no autoscaler is wanted");
  if (await readerOf(cluster).serves({ group: "metrics.k8s.io", version: "v1beta1", plural: "pods" }))
    return well("metrics", "the cluster measures its pods");
  return broken(
    "metrics",
    "autoscaling is wanted, and the cluster knows no pods.metrics.k8s.io",
    "install metrics-server, or pulumi config set --path autoscaling.maxReplicas 0",
  );
}

function examineController({ analysis: { controllerImage, durationSeconds } }: Settings): Finding {
  if (controllerImage !== "")
    return well(
      "controller",
      `${controllerImage} continues the analysis in the cluster when an update is over or dead`,
    );
  return advice(
    "controller",
    durationSeconds === 0
      ? "no analysis after a switch: analysis.durationSeconds is 0, and there is no analysis.controllerImage"
      : `no analysis when the update is over or killed, after ${durationSeconds} s`,
    "build controller/Dockerfile, push it, and pulumi config set --path analysis.controllerImage IMAGE: docs/guides/analysis-and-rollback.md",
  );
}
