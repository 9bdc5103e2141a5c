import { workerLabel } from "@bluegreen/release/app/names";

/** Of Kubernetes' own types, what the rules read. */
export interface Container {
  name: string;
  image?: string;
  resources?: { requests?: Partial<Record<string, string>>; limits?: Partial<Record<string, string>> };
  ports?: { hostPort?: number }[];
  readinessProbe?: Handler;
  livenessProbe?: Handler;
  startupProbe?: Handler;
  lifecycle?: { postStart?: Handler; preStop?: Handler };
  securityContext?: SecurityContext & {
    allowPrivilegeEscalation?: boolean;
    privileged?: boolean;
    procMount?: string;
    capabilities?: { drop?: string[]; add?: string[] };
  };
}

/** What the kubelet asks. */
interface Handler {
  httpGet?: { host?: string };
  tcpSocket?: { host?: string };
}

/** What a pod says for all its containers, and each of them for itself. */
export interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
  seccompProfile?: { type?: string };
  appArmorProfile?: { type?: string };
  seLinuxOptions?: { type?: string; user?: string; role?: string };
  windowsOptions?: { hostProcess?: boolean };
}

export interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  securityContext?: SecurityContext & { sysctls?: { name: string }[] };
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  /** Each has its kind as a field of its own, such as emptyDir. */
  volumes?: ({ name: string } & Partial<Record<string, unknown>>)[];
}

export interface Metadata {
  name?: string;
  namespace?: string;
  labels?: Partial<Record<string, string>>;
  annotations?: object;
}

/** Something that makes pods. */
export interface Workload {
  /** For people: Deployment shop/web. */
  name: string;
  pod: PodSpec;
  /** Its pods run until somebody ends them. */
  serves: boolean;
  /** It changes what it names and leaves the rest: what it does not say is not missing. */
  isPatch: boolean;
}

interface PodTemplate {
  spec?: PodSpec;
}

interface Manifest {
  metadata?: Metadata;
  template?: PodTemplate;
  spec?: PodSpec & { template?: PodTemplate; jobTemplate?: { spec?: { template?: PodTemplate } } };
}

const ofTemplate = ({ spec }: Manifest) => spec?.template?.spec;

/**
 * By kind, of whatever version of its API: where its pods are described. Those that end by themselves have
 * nothing to probe.
 */
const kinds: Partial<Record<string, { serves: boolean; pod: (manifest: Manifest) => PodSpec | undefined }>> =
  {
    Deployment: { serves: true, pod: ofTemplate },
    StatefulSet: { serves: true, pod: ofTemplate },
    DaemonSet: { serves: true, pod: ofTemplate },
    ReplicaSet: { serves: true, pod: ofTemplate },
    ReplicationController: { serves: true, pod: ofTemplate },
    Job: { serves: false, pod: ofTemplate },
    CronJob: { serves: false, pod: ({ spec }) => spec?.jobTemplate?.spec?.template?.spec },
    Pod: { serves: false, pod: ({ spec }) => spec },
    PodTemplate: { serves: false, pod: ({ template }) => template?.spec },
  };

/**
 * Kinds that somebody else has defined like Deployments, such as Argo's Rollout. Others have a template, too,
 * and not of pods.
 */
const otherKind = {
  serves: true,
  pod: (manifest: Manifest) => [ofTemplate(manifest)].find((pod) => pod?.containers !== undefined),
};

/** Undefined for what makes no pods. */
export function workloadOf(type: string, props: object): Workload | undefined {
  const [, kindName, patch] = /^kubernetes:.*:(\w+?)(Patch)?$/.exec(type) ?? [];
  if (kindName === undefined) return undefined;
  const manifest: Manifest = props;
  const { serves, pod: find } = kinds[kindName] ?? otherKind;
  const pod = find(manifest);
  return (
    pod && {
      name: nameOf(type, manifest.metadata),
      pod,
      serves: serves && !isWorker(manifest.metadata),
      isPatch: patch !== undefined,
    }
  );
}

/** Of a release: no Service selects its pods. */
export function isWorker(metadata: Metadata | undefined): boolean {
  return metadata?.labels?.[workerLabel] !== undefined;
}

/** Kind, and where it is. */
export function nameOf(type: string, metadata: Metadata | undefined): string {
  return `${type.slice(type.lastIndexOf(":") + 1)} ${metadata?.namespace ?? "default"}/${metadata?.name ?? "(named by the cluster)"}`;
}

export function containersOf({
  initContainers = [],
  containers = [],
  ephemeralContainers = [],
}: PodSpec): Container[] {
  return [...initContainers, ...containers, ...ephemeralContainers];
}

/** The image of each container. One without is asked for its image, unless a patch leaves it as it is. */
export function imagesOf({ pod, isPatch }: Workload): { container: string; image: string }[] {
  return containersOf(pod).flatMap(({ name, image }) =>
    isPatch && image === undefined ? [] : [{ container: name, image: image ?? "" }],
  );
}
