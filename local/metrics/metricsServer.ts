import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { adminClient, metricsHost } from "../cluster/certificates";
import { logFile, type Component } from "../cluster/components";
import { componentKubeconfig } from "../cluster/configuration";
import { writeKubeconfig } from "../cluster/kubeconfig";
import { network, type Layout } from "../cluster/layout";
import { StageObjects } from "../cluster/stageObjects";
import { addComponent, componentStatuses } from "../cluster/supervisor";
import type { JsonObject } from "../cluster/rawObjects";

const metricsName = "metrics-server";
const [service = "", namespace = ""] = metricsHost.split(".");

/** True when the running stage has metrics, or gets them. */
export async function hasMetrics(paths: Layout): Promise<boolean> {
  return (await componentStatuses(paths)).has(metricsName);
}

/**
 * Adds metrics-server to the running stage and waits until its API is there: autoscalers and `kubectl top`
 * ask it.
 */
export async function addMetrics(paths: Layout, program: string): Promise<void> {
  await writeKubeconfig({
    file: componentKubeconfig(paths, metricsName),
    pki: paths.pki,
    client: adminClient,
    port: network.apiPort,
  });
  await addComponent(paths, metricsServer(paths, program));
  const objects = new StageObjects(paths);
  const api = await apiService(paths);
  await objects.apply([...endpoints(), api]);
  await objects.untilCondition([api], "Available");
}

/**
 * The shortest that metrics-server allows: an autoscaler is to see a test's load. A kubelet has to have
 * answered before the next turn.
 */
const resolution = "10s";
const kubeletTimeout = "9s";

function metricsServer(paths: Layout, program: string): Component {
  const kubeconfig = componentKubeconfig(paths, metricsName);
  const flags = {
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "bind-address": network.node,
    "secure-port": String(network.metricsPort),
    "tls-cert-file": join(paths.pki, "metrics-server.crt"),
    "tls-private-key-file": join(paths.pki, "metrics-server.key"),
    "kubelet-certificate-authority": join(paths.pki, "ca.crt"),
    "kubelet-preferred-address-types": "InternalIP",
    "metric-resolution": resolution,
    "kubelet-request-timeout": kubeletTimeout,
  };
  return {
    name: metricsName,
    argv: [join(program, metricsName), ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)],
    env: { HOME: "/" },
    log: logFile(paths, metricsName),
    uid: 0,
    gid: 0,
    waitFor: [],
  };
}

/** It is no pod, so its Service selects none: the one endpoint is the node. */
function endpoints(): JsonObject[] {
  const metadata = { name: service, namespace };
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { ports: [{ name: "https", port: 443, targetPort: network.metricsPort }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": service } },
      addressType: "IPv4",
      ports: [{ name: "https", port: network.metricsPort }],
      endpoints: [{ addresses: [network.node] }],
    },
  ];
}

async function apiService({ pki }: Layout): Promise<JsonObject> {
  const version = "v1beta1";
  const group = "metrics.k8s.io";
  return {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `${version}.${group}` },
    spec: {
      group,
      version,
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { name: service, namespace },
      caBundle: (await readFile(join(pki, "ca.crt"))).toString("base64"),
    },
  };
}
