import type {
  V1Deployment,
  V1Ingress,
  V1PodDisruptionBudget,
  V1Service,
  V2HorizontalPodAutoscaler,
} from "@bluegreen/release/kubernetes/client";
import { UserError } from "@bluegreen/release/util/userError";

/** An object as YAML or the API server has it. */
export interface Manifest {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string };
  items?: Manifest[];
}

/** Of a Gateway: only what is read of it. */
export interface HttpRoute extends Manifest {
  spec?: {
    hostnames?: string[];
    parentRefs?: { name: string; namespace?: string; sectionName?: string }[];
    rules?: { backendRefs?: { name: string }[] }[];
  };
}

/** What a team runs today, sorted by what it is for. */
export interface Running {
  deployment: V1Deployment;
  services: V1Service[];
  ingresses: V1Ingress[];
  routes: HttpRoute[];
  autoscalers: V2HorizontalPodAutoscaler[];
  budgets: V1PodDisruptionBudget[];
  others: Manifest[];
}

/** Workloads that are no Deployment, and why two colors of one would not do. */
const otherWorkloads: Record<string, string> = {
  StatefulSet: "its pods have an identity and a volume each, which two colors cannot share",
  DaemonSet: "it runs on every node, and no Service chooses between two of them",
  ReplicationController: "write it as a Deployment first",
  Rollout: "write its workloadRef's or its own template as a Deployment first: docs/guides/migrating.md",
};

/**
 * The Deployment of a web app among manifests, with what belongs to it.
 * @param name of the Deployment, where there are several
 * @throws UserError when there is not one
 */
export function sortManifests(manifests: readonly Manifest[], name?: string): Running {
  const all = manifests.flatMap((each) => (each.kind === "List" ? (each.items ?? []) : [each]));
  const of = <T>(kind: string): T[] => all.filter((each) => each.kind === kind) as unknown as T[];
  const deployments = of<V1Deployment>("Deployment");
  const chosen = deployments.filter(({ metadata }) => name === undefined || metadata?.name === name);
  const [deployment] = chosen;
  if (deployment === undefined || chosen.length > 1) throw notOne(all, deployments, name);
  const labels = deployment.spec?.template.metadata?.labels ?? {};
  const services = of<V1Service>("Service").filter(({ spec }) => selects(spec?.selector, labels));
  const isOurs = (service: string | undefined) =>
    services.some(({ metadata }) => metadata?.name === service && service !== undefined);
  const ingresses = of<V1Ingress>("Ingress").filter(
    ({ spec }) =>
      isOurs(spec?.defaultBackend?.service?.name) ||
      spec?.rules?.some(({ http }) => http?.paths.some(({ backend }) => isOurs(backend.service?.name))),
  );
  const routes = of<HttpRoute>("HTTPRoute").filter(({ spec }) =>
    spec?.rules?.some(({ backendRefs }) => backendRefs?.some((each) => isOurs(each.name))),
  );
  const autoscalers = of<V2HorizontalPodAutoscaler>("HorizontalPodAutoscaler").filter(
    ({ spec }) =>
      spec.scaleTargetRef.kind === "Deployment" && spec.scaleTargetRef.name === deployment.metadata?.name,
  );
  const budgets = of<V1PodDisruptionBudget>("PodDisruptionBudget").filter(({ spec }) =>
    selects(spec?.selector?.matchLabels, labels),
  );
  const taken = new Set<unknown>([
    deployment,
    ...services,
    ...ingresses,
    ...routes,
    ...autoscalers,
    ...budgets,
  ]);
  return {
    deployment,
    services,
    ingresses,
    routes,
    autoscalers,
    budgets,
    others: all.filter((each) => !taken.has(each)),
  };
}

/** An empty selector is nobody's. */
export function selects(
  selector: Record<string, string> | undefined,
  labels: Record<string, string>,
): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

/** As a person calls it. */
export function titleOf({ kind, metadata }: Manifest): string {
  return `${kind ?? "object"} ${metadata?.name ?? "without a name"}`;
}

function notOne(all: Manifest[], deployments: V1Deployment[], name: string | undefined): UserError {
  const called = deployments.map(({ metadata }) => metadata?.name ?? "?").join(", ");
  const [other] = all.filter(({ kind }) => kind !== undefined && kind in otherWorkloads);
  const why =
    deployments.length > 0
      ? name === undefined
        ? `there are several: ${called}`
        : `none of them is called ${name}: ${called}`
      : other === undefined
        ? "there is none"
        : `there is none, but ${titleOf(other)}: ${otherWorkloads[other.kind ?? ""] ?? ""}`;
  return new UserError({
    code: "BG-NOT-ADOPTABLE",
    what: "Nothing was adopted: one Deployment is needed",
    rule: why,
    next: deployments.length > 0 ? "name one of them: --deployment NAME" : "the file of a Deployment",
  });
}
