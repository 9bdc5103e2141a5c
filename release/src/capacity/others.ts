import { namespaceOf, colors, type Color } from "../app/color.js";
import { isMadeByProgram, names, colorLabels } from "../app/names.js";
import { PolicyV1Api, type V2HorizontalPodAutoscaler, type V1LabelSelector } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import { shellWord } from "../util/bluegreenCommand.js";
import type { Say, Violation } from "../util/step.js";
import { userErrorText } from "../util/userError.js";

/** An autoscaler of a color that the program has not made: the number of pods is its own. */
interface OtherScaler {
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

interface Planned {
  app: string;
  /** Hash of each color's wanted pod template; null for a color that is not deployed. */
  templates: Record<Color, string | null>;
  replicas: number;
  maxReplicas: number;
  /** Whether the program makes a PodDisruptionBudget for each color. */
  budgets: boolean;
}

/** Two autoscalers of one Deployment take pods from each other. One of somebody else's alone is left alone, and said. */
export async function refuseOtherScalers(
  cluster: Cluster,
  { app, templates, replicas, maxReplicas }: Planned,
  say: Say,
): Promise<Violation[]> {
  const found = await Promise.all(
    colors.map(async (color): Promise<Violation[]> => {
      const other = templates[color] === null ? undefined : await readOtherScaler(cluster, app, color);
      if (other === undefined) return [];
      if (maxReplicas === 0) {
        say(
          `${color} keeps the number of pods that ${other.called} gives it, which this program has not made: replicas ${replicas} is what it begins with`,
        );
        return [];
      }
      return [
        {
          property: "maxReplicas",
          reason: userErrorText({
            code: "BG-AUTOSCALER-NOT-OURS",
            what: `autoscaling.maxReplicas ${maxReplicas} was refused: ${other.called}, which this program has not made, scales ${color}`,
            rule: "two autoscalers of one Deployment take pods from each other",
            next: `pulumi config set --path autoscaling.maxReplicas 0 leaves ${color} to that one; to leave it to the program: ${other.remove}`,
          }),
        },
      ];
    }),
  );
  return found.flat();
}

/** Kubernetes evicts no pod that two budgets select: a drain of its node would never end. */
export async function refuseOtherBudgets(
  cluster: Cluster,
  { app, templates, budgets }: Planned,
  say: Say,
): Promise<Violation[]> {
  if (!budgets) return [];
  const found = await Promise.all(
    colors.map(async (color): Promise<Violation[]> => {
      if (templates[color] === null) return [];
      const namespace = namespaceOf(cluster, color);
      const [{ items }, deployment] = await Promise.all([
        cluster.config.makeApiClient(PolicyV1Api).listNamespacedPodDisruptionBudget({ namespace }),
        readDeployment(cluster, app, color),
      ]);
      const labels = deployment?.spec?.template.metadata?.labels ?? colorLabels(app, color);
      const others = items.filter(({ metadata }) => !isMadeByProgram(metadata, app));
      const next = (name: string) =>
        `pulumi config set podDisruptionBudget false keeps that one alone; to keep the program's: kubectl -n ${namespace} delete pdb ${shellWord(name)}`;
      return others.flatMap(({ metadata, spec }) => {
        const name = metadata?.name ?? "";
        const called = `PodDisruptionBudget ${namespace}/${name}, which this program has not made,`;
        if (name === names.budget(app, color))
          return [
            {
              property: "budgets",
              reason: userErrorText({
                code: "BG-BUDGET-NOT-OURS",
                what: `The PodDisruptionBudget of ${color} was refused: ${called} has its name`,
                rule: "what others have made is not changed",
                next: next(name),
              }),
            },
          ];
        if (selects(spec?.selector, labels))
          say(
            `${called} selects the pods of ${color}, too, and Kubernetes evicts no pod of two budgets: ${next(name)}`,
          );
        return [];
      });
    }),
  );
  return found.flat();
}

/** As Kubernetes reads a selector: one that says nothing selects all pods. */
export function selects(selector: V1LabelSelector | undefined, labels: Record<string, string>): boolean {
  if (selector === undefined) return false;
  return (
    Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}
