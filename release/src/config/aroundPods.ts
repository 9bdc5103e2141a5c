import { z } from "zod";
import { domain } from "../app/names.js";
import { objectOf, part } from "./fields.js";
import {
  dnsLabel,
  dnsSubdomain,
  httpPath,
  isHostName,
  labelKey,
  labelValue,
  cpuPattern,
  cpuRule,
  memoryPattern,
  memoryRule,
} from "./forms.js";

// What config says of the objects around the pods: their metadata, the ingress, the Services, sizes and policies.

/** By which Services, policies and the program itself find what is theirs. */
const ownLabels = [
  "app",
  "version",
  ...["name", "instance", "version", "managed-by"].map((name) => `app.kubernetes.io/${name}`),
];

const text = z.union([z.string(), z.boolean().transform(String), z.int().transform(String)]);

export const labels = z
  .record(
    z
      .string()
      .regex(labelKey)
      .refine((name) => !ownLabels.includes(name) && !name.startsWith(`${domain}/`)),
    text.pipe(z.string().regex(labelValue)),
  )
  .default({});
export const labelsRule = `an object of label names and values as Kubernetes takes them, without ${ownLabels.join(", ")} and ${domain}/…, which are the program's`;

export const annotations = z
  .record(
    z
      .string()
      .regex(labelKey)
      .refine((name) => !name.startsWith(`${domain}/`) && !name.startsWith("pulumi.com/")),
    text,
  )
  .default({});
export const annotationsRule = `an object of annotation names and texts, without ${domain}/… and pulumi.com/…`;

/** *.example.com: of every name with one more part. */
function isHostOrWildcard(host: string): boolean {
  return isHostName(host.startsWith("*.") ? host.slice(2) : host);
}

const port = z.int().min(1).max(65_535);

/** What else is behind the host. */
const otherPath = z.strictObject({
  path: z
    .string()
    .max(200)
    .regex(httpPath)
    .refine((path) => !/^\/(?:(?:blue|green)(?:\/|$)|$)/.test(path)),
  pathType: z.enum(["Prefix", "Exact"]).default("Prefix"),
  service: z.string().regex(dnsLabel),
  port,
});

export const ingress = objectOf({
  annotations: part(annotations, annotationsRule),
  hosts: part(
    z
      .array(z.string().refine(isHostOrWildcard))
      .max(50)
      .refine((hosts) => new Set(hosts).size === hosts.length)
      .default([]),
    "at most 50 host names in lower case, each once; *.example.com stands for every name with one more part",
  ),
  tlsSecret: part(
    z
      .string()
      .refine((name) => name === "" || dnsSubdomain.test(name))
      .default(""),
    'the name of a Secret; "": APP-tls',
  ),
  paths: part(
    z.array(otherPath).max(50).default([]),
    "at most 50 of {path, pathType, service, port}: a path other than / and those of the colors, Prefix or Exact, and a Service of the namespace with the number of its port",
  ),
});

/** Of a port: no more characters than that, and not the one of the app. */
const portName = z
  .string()
  .max(15)
  .regex(dnsLabel)
  .refine((name) => name !== "http");

const extraPort = z.strictObject({
  name: portName,
  port,
  targetPort: z.union([port, z.string().max(15).regex(dnsLabel)]).exactOptional(),
  appProtocol: z.string().min(1).max(63).exactOptional(),
});

export const service = objectOf(
  {
    annotations: part(annotations, annotationsRule),
    type: part(
      z.enum(["ClusterIP", "NodePort", "LoadBalancer"]).default("ClusterIP"),
      "ClusterIP, NodePort or LoadBalancer",
    ),
    port: part(port.default(80), "1 to 65535"),
    appProtocol: part(z.string().max(63).default(""), 'as Kubernetes takes it; "": none'),
    extraPorts: part(
      z.array(extraPort).max(20).default([]),
      "at most 20 of {name, port, targetPort, appProtocol}, none of them called http",
    ),
  },
  [
    ({ port: http, extraPorts }) => {
      const ports = [http, 80, ...extraPorts.map((each) => each.port)];
      const names = extraPorts.map(({ name }) => name);
      return (
        new Set(ports).size >= new Set([http, 80]).size + extraPorts.length &&
        new Set(names).size === names.length
      );
    },
    "every name and number of a port once, 80 and that of the app among them",
  ],
);
export type ServiceSettings = z.output<typeof service>;

/** By CPU, between two numbers of pods; with a maxReplicas of 0 a color has `replicas`, always. */
export const autoscaling = objectOf(
  {
    minReplicas: part(z.int().min(1).max(1000).default(3), "1 to 1000"),
    maxReplicas: part(z.int().min(0).max(1000).default(0), "0, for no autoscaler, or minReplicas to 1000"),
    cpuPercent: part(z.int().min(1).max(1000).default(70), "1 to 1000, of resources.requests.cpu"),
  },
  [
    ({ minReplicas, maxReplicas }) => maxReplicas === 0 || maxReplicas >= minReplicas,
    "a maxReplicas of 0, for no autoscaler, or of minReplicas or more",
  ],
);

const cpuOrComputed = part(
  z.union([z.literal(""), z.coerce.string().regex(cpuPattern)]).default(""),
  `${cpuRule}; "": computed`,
);
const memoryOrComputed = part(
  z.union([z.literal(""), z.coerce.string().regex(memoryPattern)]).default(""),
  `${memoryRule}; "": computed`,
);

/** What the namespace may use at most; 0 and "" are computed from the other settings. */
export const quota = objectOf({
  enabled: part(z.boolean().default(false), "true or false"),
  pods: part(z.int().min(0).max(100_000).default(0), "0 to 100000; 0: computed"),
  cpuRequests: cpuOrComputed,
  cpuLimits: cpuOrComputed,
  memoryRequests: memoryOrComputed,
  memoryLimits: memoryOrComputed,
});

const selectorLabels = z.record(z.string().regex(labelKey), z.string().regex(labelValue)).default({});

/** Without labels of a namespace: pods of the app's own one. */
const peer = z
  .strictObject({ namespaceLabels: selectorLabels, podLabels: selectorLabels })
  .refine(({ namespaceLabels, podLabels }) => Object.keys({ ...namespaceLabels, ...podLabels }).length > 0);

export const networkPolicy = objectOf({
  enabled: part(z.boolean().default(true), "true or false"),
  allowFrom: part(
    z.array(peer).max(20).default([]),
    "at most 20 of {namespaceLabels, podLabels}, each with at least one label, names and values as Kubernetes takes them",
  ),
  egress: part(z.enum(["unrestricted", "restricted"]).default("unrestricted"), "unrestricted or restricted"),
  extraPorts: part(
    z.array(z.int().min(1).max(65_535)).max(20).default([]),
    "at most 20 port numbers, 1 to 65535",
  ),
  egressPorts: part(
    z.array(z.int().min(1).max(65_535)).max(20).default([]),
    "at most 20 port numbers, 1 to 65535",
  ),
});
