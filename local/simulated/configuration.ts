import { network } from "../cluster/layout";
import { simulatedKey } from "./names";

/** Addresses of simulated pods. Nothing in the stage leads there. */
const podAddresses = "10.90.0.0/16";

export interface SimulationConfig {
  id: string;
  /** Where the simulated kubelet listens, on the address of the real node. */
  kubeletPort: number;
  /** Loopback port, in the stage's network, of the app that answers for every simulated pod. */
  appPort: number;
  /** Log of every simulated pod, in the kubelet's format. */
  logFile: string;
}

/** kwok's configuration: documents of JSON, which is YAML. */
export function kwokConfiguration({ id, kubeletPort, appPort, logFile }: SimulationConfig): string {
  const documents = [
    {
      apiVersion: "config.kwok.x-k8s.io/v1alpha1",
      kind: "KwokConfiguration",
      options: {
        manageNodesWithLabelSelector: `${simulatedKey}=${id}`,
        cidr: podAddresses,
        nodeIP: network.node,
        nodePort: kubeletPort,
        serverAddress: `${network.node}:${kubeletPort}`,
        // Logs and port forwards are among them.
        enableDebuggingHandlers: true,
        // A node is ready as long as its Lease is renewed.
        nodeLeaseDurationSeconds: 40,
        nodeLeaseParallelism: 4,
        nodePlayStageParallelism: 4,
        podPlayStageParallelism: 16,
      },
    },
    stage("node-ready", "Node", [unready], { statusTemplate: nodeStatus }),
    // Also again: on a busy machine a node may miss its Lease, and Kubernetes takes its pods for unready.
    stage("pod-ready", "Pod", [unready, { key: ".metadata.deletionTimestamp", operator: "DoesNotExist" }], {
      statusTemplate: podStatus,
    }),
    stage("pod-gone", "Pod", [{ key: ".metadata.deletionTimestamp", operator: "Exists" }], { delete: true }),
    clusterWide("ClusterPortForward", { forwards: [{ target: { address: "127.0.0.1", port: appPort } }] }),
    clusterWide("ClusterLogs", { logs: [{ logsFile: logFile }] }),
  ];
  return documents.map((document) => JSON.stringify(document, undefined, 2)).join("\n---\n");
}

type Condition = { key: string; operator: string; values?: string[] };

const unready: Condition = {
  key: '.status.conditions.[] | select( .type == "Ready" ) | .status',
  operator: "NotIn",
  values: ["True"],
};

/** What kwok does with an object that is in a certain state. */
function stage(name: string, kind: "Node" | "Pod", state: Condition[], next: object): object {
  return {
    apiVersion: "kwok.x-k8s.io/v1alpha1",
    kind: "Stage",
    metadata: { name },
    spec: { resourceRef: { apiGroup: "v1", kind }, selector: { matchExpressions: state }, next },
  };
}

/** What it answers for every pod. */
function clusterWide(kind: string, spec: object): object {
  return { apiVersion: "kwok.x-k8s.io/v1alpha1", kind, metadata: { name: "every-simulated-pod" }, spec };
}

const nodeStatus = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- type: InternalIP
  address: {{ NodeIP | Quote }}
daemonEndpoints:
  kubeletEndpoint:
    Port: {{ NodePort }}
nodeInfo:
  architecture: simulated
  operatingSystem: linux
  osImage: simulated
  kernelVersion: simulated
  containerRuntimeVersion: simulated
  kubeletVersion: simulated
  kubeProxyVersion: simulated
  bootID: simulated
  machineID: simulated
  systemUUID: simulated
phase: Running
`;

/** Ready at once: how long real pods take to start is not what is measured. */
const podStatus = `
{{ $now := Now }}
conditions:
{{ range $type := (list "Initialized" "ContainersReady" "Ready") }}
- type: {{ $type | Quote }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: simulated
  ready: true
  restartCount: 0
  started: true
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
{{ range NodeIPsWith .spec.nodeName }}
hostIP: {{ . | Quote }}
{{ end }}
{{ range PodIPsWith .spec.nodeName false ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
podIP: {{ . | Quote }}
podIPs:
- ip: {{ . | Quote }}
{{ end }}
phase: Running
startTime: {{ $now | Quote }}
`;
