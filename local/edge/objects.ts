import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Layout } from "../cluster/layout";
import { StageObjects } from "../cluster/stageObjects";
import { digText, isObject, type JsonObject } from "../cluster/rawObjects";
import { definitionsFolder } from "./definitions";
import { edgeName, ingressClasses } from "./traefik";

/** Where HTTPRoutes attach: name and namespace of the one Gateway. */
export const gateway = { name: edgeName, namespace: edgeName } as const;

const gatewayClass = "traefik";

/** Name of the TLS Secret beside the Gateway. */
const gatewaySecret = "edge-tls";

/**
 * Puts what the edge needs into the cluster: the definitions of its resources, its classes and its Gateway.
 */
export async function applyEdgeObjects(paths: Layout, program: string): Promise<void> {
  const objects = new StageObjects(paths);
  const definitions = await readDefinitions(program);
  await objects.apply(definitions);
  await objects.untilCondition(
    definitions.filter((definition) => digText(definition, "kind") === "CustomResourceDefinition"),
    "Established",
  );
  await objects.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: gateway.namespace } }]);
  await objects.apply([
    ...classes(),
    gatewayObject(),
    await tlsSecret(paths, { name: gatewaySecret, namespace: gateway.namespace }),
  ]);
}

/** Puts the edge's certificate where an Ingress of that namespace names it. */
export async function applyTlsSecret(
  paths: Layout,
  where: { name: string; namespace: string },
): Promise<void> {
  await new StageObjects(paths).apply([await tlsSecret(paths, where)]);
}

async function readDefinitions(program: string): Promise<JsonObject[]> {
  const folder = definitionsFolder(program);
  const texts = await Promise.all(
    (await readdir(folder)).map(async (file) => readFile(join(folder, file), "utf8")),
  );
  return texts
    .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as JsonObject))
    .filter(isObject);
}

function classes(): JsonObject[] {
  return [
    ...Object.entries(ingressClasses).map(([name, controller]) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name },
      spec: { controller },
    })),
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GatewayClass",
      metadata: { name: gatewayClass },
      spec: { controllerName: "traefik.io/gateway-controller" },
    },
  ];
}

function gatewayObject(): JsonObject {
  const allowedRoutes = { namespaces: { from: "All" } };
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: gateway,
    spec: {
      gatewayClassName: gatewayClass,
      listeners: [
        { name: "http", protocol: "HTTP", port: 80, allowedRoutes },
        {
          name: "https",
          protocol: "HTTPS",
          port: 443,
          allowedRoutes,
          tls: { mode: "Terminate", certificateRefs: [{ name: gatewaySecret }] },
        },
      ],
    },
  };
}

async function tlsSecret(
  { edgePki }: Layout,
  metadata: { name: string; namespace: string },
): Promise<JsonObject> {
  const encoded = async (file: string): Promise<string> =>
    (await readFile(join(edgePki, file))).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata,
    data: { "tls.crt": await encoded("server.crt"), "tls.key": await encoded("server.key") },
  };
}
