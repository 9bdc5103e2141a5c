/** Of Kubernetes' own types, what the rules read. */
export interface Container {
  name: string;
  image?: string;
  resources?: { requests?: Partial<Record<string, string>>; limits?: Partial<Record<string, string>> };
  readinessProbe?: object;
  livenessProbe?: object;
  securityContext?: SecurityContext & { allowPrivilegeEscalation?: boolean; privileged?: boolean; capabilities?: { drop?: string[]; add?: string[] } };
}

/** What a pod says for all its containers, and each of them for itself. */
interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
  seccompProfile?: { type?: string };
}

export interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
  securityContext?: SecurityContext;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  volumes?: { name: string; hostPath?: object }[];
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
}

interface PodTemplate {
  spec?: PodSpec;
}

interface Manifest {
  metadata?: Metadata;
  spec?: PodSpec & { template?: PodTemplate; jobTemplate?: { spec?: { template?: PodTemplate } } };
}

/** By kind: where its pods are described. Those that end by themselves have nothing to probe. */
const kinds: Partial<Record<string, { serves: boolean; pod: (spec: Manifest["spec"]) => PodSpec | undefined }>> = {
  "kubernetes:apps/v1:Deployment": { serves: true, pod: (spec) => spec?.template?.spec },
  "kubernetes:apps/v1:StatefulSet": { serves: true, pod: (spec) => spec?.template?.spec },
  "kubernetes:apps/v1:DaemonSet": { serves: true, pod: (spec) => spec?.template?.spec },
  "kubernetes:apps/v1:ReplicaSet": { serves: true, pod: (spec) => spec?.template?.spec },
  "kubernetes:batch/v1:Job": { serves: false, pod: (spec) => spec?.template?.spec },
  "kubernetes:batch/v1:CronJob": { serves: false, pod: (spec) => spec?.jobTemplate?.spec?.template?.spec },
  "kubernetes:core/v1:Pod": { serves: false, pod: (spec) => spec },
};

/** Undefined for what makes no pods. */
export function workloadOf(type: string, props: object): Workload | undefined {
  const { metadata, spec }: Manifest = props;
  const kind = kinds[type];
  const pod = kind?.pod(spec);
  return kind === undefined || pod === undefined ? undefined : { name: nameOf(type, metadata), pod, serves: kind.serves };
}

/** Kind, and where it is. */
export function nameOf(type: string, metadata: Metadata | undefined): string {
  return `${type.slice(type.lastIndexOf(":") + 1)} ${metadata?.namespace ?? "default"}/${metadata?.name ?? "(named by the cluster)"}`;
}

export function containersOf({ initContainers = [], containers = [] }: PodSpec): Container[] {
  return [...initContainers, ...containers];
}
