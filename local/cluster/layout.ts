import { join } from "node:path";
import { stageDir, stageId } from "../paths";

/** Addresses inside the stage's network. They may be the same in every stage: no network reaches another. */
export const network = {
  /** Address of the node, on a bridge without ports: PostgreSQL and Redis listen here for pods. */
  node: "10.89.0.1",
  nodePrefix: "10.89.0.1/24",
  pods: "10.88.0.0/16",
  services: "10.96.0.0/16",
  /** First address of the service network: the API server as seen by pods. */
  apiService: "10.96.0.1",
  apiPort: 6443,
  edgePort: 443,
  /** Where the edge tells what it has counted. */
  edgeMetricsPort: 9100,
  metricsPort: 4443,
} as const;

/** Name of the kubeconfig context. */
export const contextName = "bluegreen-local";

/** Name of the one node. */
export const nodeName = "bluegreen-node";

/** Paths below the stage folder. */
export interface Layout {
  root: string;
  kubeconfig: string;
  /** What the supervisor was started with. */
  supervisor: string;
  /** The loopback ports outside, written last: where they are missing, a start was cut off. */
  ports: string;
  /** Host and port inside that the app's loopback port leads to; missing until there is an active Service. */
  appAddress: string;
  /** Output of the dashboard, its token included. */
  dashboardLog: string;
  status: string;
  logs: string;
  pki: string;
  frontProxyPki: string;
  /** The edge's own certificate authority: users trust it, components do not. */
  edgePki: string;
  etcd: string;
  kubelet: string;
  containerd: string;
  containerdSocket: string;
  config: string;
  postgres: string;
  redis: string;
  /** The stage's own instead of folders and files that the components use under fixed names. */
  fixed: string;
  /** cgroup that all pods are below, a name in every hierarchy. */
  cgroup: string;
}

/** The paths of the stage that the environment names. */
export function layout(): Layout {
  const root = stageDir();
  return {
    root,
    kubeconfig: join(root, "kubeconfig"),
    supervisor: join(root, "supervisor.json"),
    ports: join(root, "ports.json"),
    appAddress: join(root, "app-address"),
    dashboardLog: join(root, "dashboard.log"),
    status: join(root, "status.json"),
    logs: join(root, "logs"),
    pki: join(root, "pki"),
    frontProxyPki: join(root, "front-proxy-pki"),
    edgePki: join(root, "edge-pki"),
    etcd: join(root, "etcd"),
    kubelet: join(root, "kubelet"),
    containerd: join(root, "containerd"),
    containerdSocket: join(root, "containerd", "containerd.sock"),
    config: join(root, "config"),
    postgres: join(root, "postgres"),
    redis: join(root, "redis"),
    fixed: join(root, "fixed"),
    cgroup: `bluegreen-${stageId()}`,
  };
}

/**
 * Where the stage folder's services are seen inside the namespaces: their accounts cannot enter the folders
 * above it.
 */
export const inside = { postgres: "/run/bluegreen/postgres", redis: "/run/bluegreen/redis" } as const;
