import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../system/run";
import { network, nodeName, type Layout } from "./layout";
import type { Programs } from "../programs/programs";

/** The client certificate of whoever uses the stage from outside. */
export const adminClient = "admin";

/** The API server where it passes requests on to other API servers, as metrics-server is one. */
export const frontProxyClient = "front-proxy";

/** Name by which the API server asks metrics-server. */
export const metricsHost = "metrics-server.kube-system.svc";

/** Writes a certificate authority of the stage and the certificates of its components. */
export async function writeCertificates(paths: Layout, programs: Programs): Promise<void> {
  await issue(paths, programs, {
    folder: paths.pki,
    servers: [
      {
        name: "kube-apiserver",
        hosts: [
          "localhost",
          "kubernetes",
          "kubernetes.default",
          "kubernetes.default.svc",
          "kubernetes.default.svc.cluster.local",
        ],
        addresses: ["127.0.0.1", network.node, network.apiService],
      },
      { name: "kubelet-server", hosts: [nodeName], addresses: [network.node] },
      { name: "metrics-server", hosts: [metricsHost], addresses: [] },
    ],
    clients: [
      { name: adminClient, user: "bluegreen-admin", group: "system:masters" },
      { name: "kube-apiserver-to-kubelet", user: "kube-apiserver-to-kubelet", group: "system:masters" },
      { name: "kube-controller-manager", user: "system:kube-controller-manager", group: "" },
      { name: "kube-scheduler", user: "system:kube-scheduler", group: "" },
      { name: "kube-proxy", user: "system:kube-proxy", group: "" },
      { name: "kubelet", user: `system:node:${nodeName}`, group: "system:nodes" },
    ],
    keys: ["service-accounts"],
  });
  // Whoever has a certificate of this authority may say whose request it passes on: no other client may.
  await issue(paths, programs, {
    folder: paths.frontProxyPki,
    servers: [],
    clients: [{ name: frontProxyClient, user: frontProxyClient, group: "" }],
    keys: [],
  });
}

/**
 * Writes a certificate authority of its own for what users reach, and one certificate for these hosts,
 * `server.crt` and `server.key`.
 */
export async function writeEdgeCertificate(
  paths: Layout,
  programs: Programs,
  hosts: string[],
): Promise<void> {
  await issue(paths, programs, {
    folder: paths.edgePki,
    servers: [{ name: "server", hosts, addresses: [] }],
    clients: [],
    keys: [],
  });
}

/** What the supervisor takes to make certificates (the Go side has the same fields). */
interface CertificateRequest {
  folder: string;
  servers: { name: string; hosts: string[]; addresses: string[] }[];
  clients: { name: string; user: string; group: string }[];
  keys: string[];
}

async function issue(paths: Layout, programs: Programs, request: CertificateRequest): Promise<void> {
  const file = join(paths.config, "certificates.json");
  await writeFile(file, JSON.stringify(request));
  await run(join(programs.supervisor, "supervisor"), ["certificates", file]);
}
