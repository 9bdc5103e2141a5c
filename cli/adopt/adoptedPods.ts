import type { V1Container, V1Deployment, V1PodSpec, V1Service } from "@bluegreen/release/kubernetes/client";
import { colorLabels } from "@bluegreen/release/app/names";
import { colors } from "@bluegreen/release/app/color";
import { selects } from "./manifests";
import type { Tell } from "./notes";

type Fields = Record<string, unknown>;

/** The pods of a Deployment, as podTemplateFile takes them. */
export interface AdoptedPods {
  /** The app's among the containers. */
  container: string;
  /** Of the app's container, where the Services route to. */
  port: number;
  image: string;
  podTemplate: Fields;
}

/** Notes of tools and of the API server, which say nothing about pods. */
const foreignAnnotation =
  /^(?:kubectl\.kubernetes\.io\/(?!default-container)|deployment\.kubernetes\.io\/|meta\.helm\.sh\/)/;

/** What the API server fills in: as good as not said. */
const serverDefaults: [field: string, value: unknown][] = [
  ["restartPolicy", "Always"],
  ["dnsPolicy", "ClusterFirst"],
  ["schedulerName", "default-scheduler"],
];
const containerDefaults: [field: string, value: unknown][] = [
  ["terminationMessagePath", "/dev/termination-log"],
  ["terminationMessagePolicy", "File"],
];

/**
 * Runs them as they run today: where the manifest says nothing, the defaults of Kubernetes hold, and not the stricter
 * ones of a new app.
 */
export function adoptPods(
  app: string,
  { metadata, spec }: V1Deployment,
  { services, choosers }: { services: V1Service[]; choosers: Chooser[] },
  tell: Tell,
): AdoptedPods {
  const template = spec?.template;
  const pod: V1PodSpec = template?.spec ?? { containers: [] };
  const own = appContainer(pod, services, metadata?.name);
  const port = portOf(own, services);
  refuseAlone(pod, tell);
  return {
    container: own.name,
    port,
    image: own.image ?? "",
    podTemplate: {
      metadata: {
        labels: labelsOf(app, template?.metadata?.labels ?? {}, choosers, tell),
        annotations: withoutForeign(template?.metadata?.annotations ?? {}),
      },
      spec: podSpec(pod, own, port, tell),
    },
  };
}

/** By the Services' port, by the Deployment's name, and else the first that has a port at all. */
function appContainer({ containers }: V1PodSpec, services: V1Service[], name?: string): V1Container {
  const targets = services
    .flatMap(({ spec }) => spec?.ports ?? [])
    .map((each) => each.targetPort ?? each.port);
  const found =
    containers.find(({ ports }) =>
      ports?.some((each) => targets.includes(each.name ?? "") || targets.includes(each.containerPort)),
    ) ??
    containers.find((each) => each.name === name) ??
    containers.find(({ ports }) => (ports?.length ?? 0) > 0) ??
    containers[0];
  if (found === undefined) throw new Error("a Deployment without containers");
  return found;
}

/** The Service's port called http, or its first; without one the container's, or its probe's. */
function portOf({ ports = [], readinessProbe, livenessProbe }: V1Container, services: V1Service[]): number {
  const offered = services.flatMap(({ spec }) => spec?.ports ?? []);
  const service = offered.find(({ name, port }) => name === "http" || port === 80) ?? offered[0];
  const target = service?.targetPort ?? service?.port;
  const named = (name: unknown) => ports.find((each) => each.name === name)?.containerPort;
  const probed = readinessProbe?.httpGet?.port ?? livenessProbe?.httpGet?.port;
  const [port = 80] = [target, named("http"), ports[0]?.containerPort, probed].flatMap((each) => {
    const number = typeof each === "string" ? (named(each) ?? Number(each)) : each;
    return number === undefined || Number.isNaN(number) ? [] : [number];
  });
  return port;
}

function refuseAlone({ hostNetwork, containers, volumes = [] }: V1PodSpec, tell: Tell): void {
  if (hostNetwork === true) tell.refused("hostNetwork", "pods of both colors would want the node's ports");
  for (const { name, ports = [] } of containers)
    for (const { hostPort } of ports)
      if (hostPort !== undefined)
        tell.changed(
          `containers.${name}.hostPort ${hostPort}`,
          "both colors would want it: the Service routes to the pod",
        );
  for (const { name, persistentVolumeClaim } of volumes)
    if (persistentVolumeClaim !== undefined && persistentVolumeClaim.readOnly !== true)
      tell.left(
        `volumes.${name}`,
        `claim ${persistentVolumeClaim.claimName} is mounted by both colors: it needs ReadWriteMany, or all pods on one node`,
      );
}

/** What chooses pods by labels today. */
export interface Chooser {
  title: string;
  selector: Record<string, string>;
}

/**
 * The app's name: the Deployment's, unless the pods of both colors would be chosen by it today.
 * @throws Error when every name is taken
 */
export function nameFor(deployment: string, choosers: Chooser[]): string {
  const names = [deployment, `${deployment}-app`, `${deployment}-web`];
  return names.find((name) => !choosers.some(({ selector }) => isChosen(name, {}, selector))) ?? deployment;
}

function isChosen(app: string, more: Record<string, string>, selector: Record<string, string>): boolean {
  return colors.some((color) => selects(selector, { ...more, ...colorLabels(app, color) }));
}

/**
 * Those by which a Service of today chooses its pods would bring its users to both colors before the first switch.
 */
function labelsOf(
  app: string,
  given: Record<string, string>,
  choosers: Chooser[],
  tell: Tell,
): Record<string, string> {
  const { app: ofApp, version, ...rest } = given;
  if (ofApp !== undefined && ofApp !== app)
    tell.left(`labels.app ${ofApp}`, `it is ${app}: the colors are chosen by it`);
  if (version !== undefined)
    tell.left(`labels.version ${version}`, "it is blue or green: the colors are chosen by it");
  // Those that the release gives every pod.
  const own = colorLabels(app, "blue");
  const kept = new Map(Object.entries(rest).filter(([key]) => !(key in own)));
  for (const { title, selector } of choosers) {
    for (const key of Object.keys(selector)) {
      if (!kept.has(key) || !isChosen(app, Object.fromEntries(kept), selector)) continue;
      tell.left(
        `labels.${key} ${kept.get(key) ?? ""}`,
        `taken off: ${title} chooses pods by it, and would take those of both colors`,
      );
      kept.delete(key);
    }
  }
  return Object.fromEntries(kept);
}

function withoutForeign(annotations: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !foreignAnnotation.test(key)));
}

function podSpec(pod: V1PodSpec, own: V1Container, port: number, tell: Tell): Fields {
  // serviceAccount is the old name of serviceAccountName, and the API server writes both.
  const { serviceAccount, ...said } = withoutDefaults(pod, serverDefaults);
  const account = pod.serviceAccountName ?? serviceAccount;
  return {
    ...said,
    ...(account !== undefined && { serviceAccountName: account }),
    // As Kubernetes has it where a manifest says nothing.
    automountServiceAccountToken: pod.automountServiceAccountToken ?? account !== undefined,
    enableServiceLinks: pod.enableServiceLinks ?? true,
    securityContext: {
      runAsNonRoot: null,
      runAsUser: null,
      runAsGroup: null,
      fsGroup: null,
      ...fieldsOf(pod.securityContext),
    },
    ...(pod.initContainers !== undefined && {
      initContainers: pod.initContainers.map((each) => container(each)),
    }),
    containers: pod.containers.map((each) => (each === own ? appOwn(own, port, tell) : container(each))),
  };
}

function appOwn(own: V1Container, port: number, tell: Tell): Fields {
  const { readinessProbe, livenessProbe } = own;
  // It is the tag of the color.
  const said = without(container(own), "image");
  if (readinessProbe === undefined)
    tell.made(
      `containers.${own.name}.readinessProbe`,
      `made: port ${port} takes connections; a path would prove more`,
    );
  return {
    ...said,
    securityContext: {
      ...(said["securityContext"] as Fields),
      ...(own.securityContext?.readOnlyRootFilesystem === undefined && { readOnlyRootFilesystem: false }),
    },
    resources: own.resources ?? {},
    livenessProbe: livenessProbe ?? null,
    readinessProbe: readinessProbe ?? { tcpSocket: { port } },
  };
}

function container(each: V1Container): Fields {
  const { ports, ...said } = withoutDefaults(each, containerDefaults);
  return {
    ...said,
    ...(ports !== undefined && { ports: ports.map((port) => without(port, "hostPort")) }),
    securityContext: {
      allowPrivilegeEscalation: null,
      capabilities: null,
      ...fieldsOf(each.securityContext),
    },
  };
}

function fieldsOf(of: object | undefined): Fields {
  return { ...of };
}

function without(of: object, field: string): Fields {
  return Object.fromEntries(Object.entries(of).filter(([key]) => key !== field));
}

function withoutDefaults<T extends object>(of: T, defaults: [string, unknown][]): Partial<T> {
  const isSaid = ([key, value]: [string, unknown]) =>
    !defaults.some(([field, usual]) => field === key && usual === value);
  return Object.fromEntries(Object.entries(of).filter(isSaid)) as Partial<T>;
}
