import { isColor, type Color } from "@bluegreen/release/app/color";
import { replicasAnnotation, switchAnnotation } from "@bluegreen/release/app/names";
import { isWorker, nameOf, type Metadata } from "./workload";

type Labels = Partial<Record<string, string>>;

/** The Deployment of a color. */
export interface ColorDeployment {
  color: Color;
  name: string;
  namespace: string;
  replicas: number;
  /** Of its pods. */
  labels: Labels;
}

/** The Service that requests come in by. */
export interface ActiveService {
  urn: string;
  name: string;
  namespace: string;
  selector: Labels;
  /** It points into another namespace, by DNS. */
  isExternal: boolean;
}

/** An app in two colors in one cluster, as the components label it: `app`, and `version` with the color. */
export interface App {
  name: string;
  /** The resource that is wrong where one is missing. */
  urn: string;
  deployments: ColorDeployment[];
  activeServices: ActiveService[];
}

/** A resource of the stack. */
export interface StackResource {
  type: string;
  urn: string;
  props: object;
  /** Which cluster it is in. */
  provider?: { urn: string };
}

interface Manifest {
  metadata?: Metadata;
  spec?: Spec;
}

interface Spec {
  replicas?: number | undefined;
  template?: { metadata?: Metadata };
  selector?: Labels;
  type?: string | undefined;
}

/** Of others nothing is read: in a preview, what is not known yet cannot be. */
const deploymentType = "kubernetes:apps/v1:Deployment";
const serviceType = "kubernetes:core/v1:Service";

export function appsOf(resources: readonly StackResource[]): App[] {
  const apps = new Map<string, App>();
  for (const resource of resources) {
    const { type, urn, props, provider } = resource;
    const isDeployment = type === deploymentType;
    if (!isDeployment && type !== serviceType) continue;
    const { metadata }: Manifest = props;
    const spec = patchedSpec(resource, resources);
    const { app: name, version } = metadata?.labels ?? {};
    if (name === undefined || isWorker(metadata)) continue;
    const key = `${provider?.urn ?? ""} ${name}`;
    const app = apps.get(key) ?? { name, urn, deployments: [], activeServices: [] };
    const where = { name: nameOf(type, metadata), namespace: metadata?.namespace ?? "default" };
    if (isDeployment && isColor(version))
      app.deployments.push({
        ...where,
        color: version,
        // A release scales a color itself, and says on the Deployment to how many pods.
        replicas: askedReplicas(metadata) ?? spec.replicas ?? 1,
        labels: spec.template?.metadata?.labels ?? {},
      });
    // By a mark and not by what it selects: that is what may be wrong.
    else if (!isDeployment && Object.keys(metadata?.annotations ?? {}).includes(switchAnnotation))
      app.activeServices.push({
        ...where,
        urn,
        selector: spec.selector ?? {},
        isExternal: spec.type === "ExternalName",
      });
    else continue;
    apps.set(key, app);
  }
  return [...apps.values()];
}

function askedReplicas(metadata: Metadata | undefined): number | undefined {
  const annotations: Labels = { ...metadata?.annotations };
  const text = annotations[replicasAnnotation];
  return text === undefined ? undefined : Number(text);
}

/** What a Deployment or Service says of itself, and what patches of the same stack make of it. */
function patchedSpec({ type, props, provider }: StackResource, resources: readonly StackResource[]): Spec {
  const { metadata, spec = {} }: Manifest = props;
  const patches = resources
    .filter((other) => other.type === `${type}Patch` && other.provider?.urn === provider?.urn)
    .map(({ props: patch }): Manifest => patch)
    .filter(
      ({ metadata: of }) =>
        of?.name === metadata?.name && (of?.namespace ?? "default") === (metadata?.namespace ?? "default"),
    )
    .flatMap((patch) => patch.spec ?? []);
  return patches.reduce<Spec>(
    (before, { replicas = before.replicas, type: kind = before.type, selector, template }) => ({
      replicas,
      type: kind,
      selector: { ...before.selector, ...selector },
      template: {
        metadata: { labels: { ...before.template?.metadata?.labels, ...template?.metadata?.labels } },
      },
    }),
    spec,
  );
}
