import type { V2HorizontalPodAutoscaler } from "../kubernetes/client.js";
import type { Color } from "../app/color.js";
import { namespaceOf } from "../app/namespaces.js";
import { isMadeByProgram } from "../app/labels.js";
import { names } from "../app/names.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { shellWord } from "../util/shellWord.js";

/** An autoscaler of a color that the program has not made: the number of pods is its own. */
export interface OtherScaler {
  /** As people know it. */
  called: string;
  /** How to get at least so many pods of it, as a command. */
  raise: (fewest: number) => string;
  /** How to take it away, as a command. */
  remove: string;
}

/** By this label KEDA names the ScaledObject that it has made an autoscaler for. */
const scaledObjectLabel = "scaledobject.keda.sh/name";

/** Undefined where nobody else scales the color. */
export async function readOtherScaler(
  cluster: Cluster,
  app: string,
  color: Color,
): Promise<OtherScaler | undefined> {
  const namespace = namespaceOf(cluster, color);
  const { items } = await cluster.autoscaling.listNamespacedHorizontalPodAutoscaler({ namespace });
  const found = items.find(
    (each) => scales(each, names.deployment(app, color)) && !isMadeByProgram(each.metadata, app),
  );
  return found && asOther(found, namespace);
}

function scales({ spec }: V2HorizontalPodAutoscaler, deployment: string): boolean {
  const { kind, name } = spec.scaleTargetRef;
  return kind === "Deployment" && name === deployment;
}

function asOther({ metadata }: V2HorizontalPodAutoscaler, namespace: string): OtherScaler {
  const scaledObject = metadata?.labels?.[scaledObjectLabel];
  const [kind, resource, name, field] =
    scaledObject === undefined
      ? ["HorizontalPodAutoscaler", "hpa", metadata?.name ?? "", "minReplicas"]
      : ["ScaledObject", "scaledobject", scaledObject, "minReplicaCount"];
  return {
    called: `${kind} ${namespace}/${name}`,
    raise: (fewest) =>
      `kubectl -n ${namespace} patch ${resource} ${shellWord(name)} --type merge -p ${shellWord(JSON.stringify({ spec: { [field]: fewest } }))}`,
    remove: `kubectl -n ${namespace} delete ${resource} ${shellWord(name)}`,
  };
}
