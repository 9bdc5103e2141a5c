import { existsSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { adminClient, writeEdgeCertificate } from "../cluster/certificates";
import { componentKubeconfig } from "../cluster/configuration";
import { writeKubeconfig } from "../cluster/kubeconfig";
import { network, type Layout } from "../cluster/layout";
import type { Programs } from "../programs/programs";
import { addComponent, componentStatuses, readPorts } from "../cluster/supervisor";
import { applyEdgeObjects, gateway } from "./objects";
import { edgeName, traefik } from "./traefik";

/** The ingress, with TLS: Traefik at the node's address. */
export interface Edge {
  /** Where it listens inside the stage's network: 443 for HTTPS, 80 for HTTP. */
  address: string;
  /** Loopback port of this machine that leads to its 443. */
  port: number;
  /** What its certificate is for. Names below it, too, one level deep. */
  host: string;
  /** Path of the certificate of the authority that signed it, in PEM. */
  ca: string;
  /** The Gateway that HTTPRoutes attach to; its listeners are http and https. */
  gateway: { name: string; namespace: string };
}

const host = "app.example.com";

/** True when the running stage has an edge, or gets one. */
export async function hasEdge(paths: Layout): Promise<boolean> {
  return (await componentStatuses(paths)).has(edgeName);
}

/** Adds the edge to the running stage, and touches nothing else of it. */
export async function addEdge(paths: Layout, programs: Programs, program: string): Promise<void> {
  // Those that trust it stay right when this was cut off before.
  if (!existsSync(join(paths.edgePki, "server.crt")))
    await writeEdgeCertificate(paths, programs, [host, `*.${host}`]);
  await applyEdgeObjects(paths, program);
  await writeKubeconfig({
    file: componentKubeconfig(paths, edgeName),
    pki: paths.pki,
    client: adminClient,
    port: network.apiPort,
  });
  // After the definitions: Traefik waits long for one that is missing.
  await addComponent(paths, traefik(paths, program));
}

/** The edge of a stage that has one. */
export async function describeEdge(paths: Layout): Promise<Edge> {
  return {
    address: network.node,
    port: (await readPorts(paths)).edge,
    host,
    ca: join(paths.edgePki, "ca.crt"),
    gateway,
  };
}

/** True when the edge answers: with 404, as long as nothing is routed. */
export async function edgeAnswers(paths: Layout): Promise<boolean> {
  const { edge: port } = await readPorts(paths);
  return new Promise((resolve) => {
    // Without a name there is nothing that its certificate could prove.
    const asked = request(
      { host: "127.0.0.1", port, path: "/", agent: false, timeout: 3000, rejectUnauthorized: false },
      (response) => {
        response.destroy();
        resolve(true);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", () => {
      resolve(false);
    });
    asked.end();
  });
}
