/** Which changed fields of which kinds cannot change in place. The same table as the real provider's, for the kinds in use here. */
import { type Path } from "../paths";
import { touches } from "../diff";
import type { Props } from "../value";

const POD_SPEC = [
  "affinity", "automountServiceAccountToken", "containers", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases",
  "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "initContainers", "nodeName", "nodeSelector", "overhead",
  "preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName", "schedulerName",
  "securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace", "subdomain",
  "terminationGracePeriodSeconds", "volumes",
].map((field) => `spec.${field}`);

const JOB = ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"];
const BINDING = ["roleRef"];

const FIXED: Record<string, readonly string[]> = {
  "apps/v1 Deployment": ["spec.selector"],
  "apps/v1 DaemonSet": ["spec.selector"],
  "apps/v1 StatefulSet": [
    "spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates",
  ],
  "batch/v1 Job": JOB,
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": BINDING,
  "rbac.authorization.k8s.io/v1 RoleBinding": BINDING,
  "storage.k8s.io/v1 StorageClass": ["parameters", "provisioner"],
  "v1 PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  "v1 Pod": POD_SPEC,
  "v1 ResourceQuota": ["spec.scopes"],
  "v1 Service": ["spec.clusterIP"],
};

export interface Mutability {
  secrets: boolean;
  configMaps: boolean;
}

/** The fields among the changed ones that force a replacement. */
export function replacingFields(apiVersion: string, kind: string, inputs: Props, changed: readonly Path[], mutable: Mutability): string[] {
  const fields = ["metadata.name", "metadata.namespace", ...(FIXED[`${apiVersion} ${kind}`] ?? [])];
  const immutable = inputs["immutable"] === true;
  // Unless told otherwise, the real provider replaces Secrets and ConfigMaps whose content changes.
  if (apiVersion === "v1" && kind === "Secret") {
    fields.push("type");
    if (!mutable.secrets || immutable) fields.push("stringData", "data");
  }
  if (apiVersion === "v1" && kind === "ConfigMap" && (!mutable.configMaps || immutable)) fields.push("binaryData", "data");
  return touches(changed, fields);
}
