import { names } from "../names.js";
import type { RouteObject, RouteRole, Way } from "./route.js";

/** What every Ingress of a way in has alike. */
export interface IngressParts<T> {
  name: string;
  roles: RouteRole[];
  annotations: Record<string, string | T>;
  host: string;
  paths: IngressPath[];
}

export interface IngressPath {
  path: string;
  pathType: "Prefix" | "ImplementationSpecific";
  /** Name of a Service. */
  service: string;
  /** @default the Service's port http */
  port?: { name: string } | { number: number };
}

export function ingress<T>(way: Way<T>, className: string | undefined, { name, roles, annotations, host, paths }: IngressParts<T>): RouteObject<T> {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    name,
    roles,
    annotations: { ...(way.clusterIssuer !== undefined && { "cert-manager.io/cluster-issuer": way.clusterIssuer }), ...annotations },
    spec: {
      ...(className !== undefined && { ingressClassName: className }),
      tls: [{ hosts: [host], secretName: names.tlsSecret(way.app, host === way.internalHost) }],
      rules: [{ host, http: { paths: paths.map(({ path, pathType, service, port = { name: "http" } }) => ({ path, pathType, backend: { service: { name: service, port } } })) } }],
    },
  };
}

