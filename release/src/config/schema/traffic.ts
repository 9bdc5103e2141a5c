import { z } from "zod";
import { affinities, trafficStrategies } from "../../routers/router.js";
import { routerNames, routers, whichCan } from "../../routers/routers.js";
import {
  annotations,
  annotationsRule,
  ingress,
  labels,
  labelsRule,
  service,
  networkPolicy,
  quota,
} from "../aroundPods.js";
import { clusters, contextName } from "../clusters.js";
import {
  field,
  json,
  mapField,
  objectField,
  objectOf,
  part,
  integer,
  state,
  flag,
  type Readable,
} from "../fields.js";
import { dnsSubdomain, isGateway, isHostName, dnsLabel } from "../forms.js";

const ingressObjects: Readable = { place: "the objects of the ingress" };

const gatewayRule = `with router ${whichCan(({ gateway }) => gateway !== undefined)} and only then`;

/** How requests come in, and what of it moves. */
const traffic = objectOf(
  {
    strategy: part(z.enum(trafficStrategies).default("selector"), trafficStrategies.join(" or ")),
    router: part(z.enum(routerNames).default("nginx"), routerNames.join(", ")),
    gateway: part(
      z
        .string()
        .refine((text) => text === "" || isGateway(text))
        .default(""),
      `NAMESPACE/NAME, or with router ${whichCan((each) => each.gateway?.listeners === true)} NAMESPACE/NAME/LISTENER; ${gatewayRule}`,
    ),
    internalHost: part(
      z
        .string()
        .refine((text) => text === "" || isHostName(text))
        .default(""),
      'a host name in lower case, no address and not that of host, or ""',
    ),
    affinity: part(z.enum(affinities).default("none"), affinities.join(", ")),
  },
  [
    ({ router, gateway: named }) => {
      const { gateway } = routers[router];
      return named === ""
        ? gateway === undefined
        : gateway !== undefined && (gateway.listeners || named.split("/").length === 2);
    },
    `gateway ${gatewayRule}`,
  ],
);

/** How requests arrive, and the objects that they come in by. */
export const trafficShape = {
  host: field(z.string().refine(isHostName).optional(), {
    rule: "a host name, in lower case, and no address",
    description:
      "Host name of the app, in lower case; no address. Needed, except with traffic.router none, which makes no ingress.",
    example: "app.example.com",
    ends: ingressObjects,
  }),
  traffic: objectField(traffic, {
    description:
      "How requests arrive, and what moves in a switch (docs/guides/traffic-routing.md). strategy: selector (of the active Service) or weighted (weights of the router between both colors). router: nginx, traefik, gateway, istio, alb, gce or none (no ingress). gateway (router gateway or istio): NAMESPACE/NAME of a Gateway that is there, or NAMESPACE/NAME/LISTENER (router gateway). internalHost: host of the color paths /blue and /green, which then ask for no password; another one than host; not set, they are on host and ask for one. affinity: none, cookie (the edge keeps a user with a color) or clientIP (the Services do).",
    example: "--path traffic.strategy weighted",
    ends: ingressObjects,
  }),
  canaryWeight: field(json(z.int().min(0).max(99).default(0)), {
    unit: "percent",
    rule: "a whole number of percent from 0 to 99: all traffic moves by activeColor",
    description:
      "Percentage of the traffic, 0 to 99, that the idle color gets; only with traffic.strategy weighted. All traffic moves by activeColor. npm run bluegreen -- shift raises it step by step (docs/guides/traffic-routing.md).",
    example: "10",
    ends: ingressObjects,
  }),
  canaryStepSeconds: integer(
    60,
    0,
    3600,
    "seconds",
    state,
    "Seconds, 0 to 3600, that an update analyses the idle color after it has raised its weight; npm run bluegreen -- shift sets it.",
  ),
  ingress: objectField(ingress, {
    description:
      "The objects of the ingress. annotations: of those that requests come in by; they win over the program's, except where a release needs its own, which the preview says. hosts: further host names, *.example.com too, all with TLS. tlsSecret: Secret of the certificate; not set, APP-tls. paths: other backends on these hosts, each {path, pathType, service, port}.",
    example: "--path 'ingress.hosts[0]' www.example.com",
    ends: ingressObjects,
  }),
  service: objectField(service, {
    description:
      "The Services. annotations, type (ClusterIP, NodePort or LoadBalancer) and port are the active Service's; appProtocol, of the app's port, and extraPorts, each {name, port, targetPort, appProtocol}, also those of the Services of each color.",
    example: "--path service.type LoadBalancer",
    ends: { place: "the Services" },
  }),
  labels: mapField(labels, {
    rule: labelsRule,
    description:
      "Labels of every object that the program makes, namespaces included, beside its own. Not of pods: a new label of a pod is a new pod.",
    example: "--path labels.team checkout",
    ends: { place: "the metadata of objects" },
  }),
  annotations: mapField(annotations, {
    rule: annotationsRule,
    description: "Annotations of every object that the program makes, not of pods. Its own win.",
    example: "--path 'annotations[\"example.com/owner\"]' checkout",
    ends: { place: "the metadata of objects" },
  }),
  ingressClass: field(z.string().regex(dnsSubdomain).optional(), {
    rule: "the name of an IngressClass",
    description: "IngressClass of the ingress. Not set, the one that goes with traffic.router.",
    example: "nginx",
    ends: ingressObjects,
  }),
  clusterIssuer: field(z.string().regex(dnsSubdomain).default("letsencrypt-prod"), {
    rule: "the name of a cert-manager ClusterIssuer, or none",
    description:
      "cert-manager ClusterIssuer of the host's certificate; none, where somebody else makes Secret APP-tls.",
    example: "letsencrypt-prod",
    ends: ingressObjects,
  }),
};

const objectNames: Readable = { place: "names of objects" };

/** Clusters and namespaces, what the app may use there, and whom it may reach. */
export const namespacesShape = {
  quota: objectField(quota, {
    description:
      'What the namespace may use at most, or with namespacePerColor that of each color (docs/guides/namespace-per-color.md#quota). enabled: makes a ResourceQuota and a LimitRange. The others are its limits; 0 and "" are computed: room for both colors, a rolling update, the preflight pod and the analysis controller; a limit that resources do not have is left out. Add what else runs in the namespace.',
    example: "--path quota.enabled true",
    ends: { place: "a ResourceQuota" },
  }),
  networkPolicy: objectField(networkPolicy, {
    description:
      "Who may reach the pods, and what they may reach, where the cluster's network enforces it (docs/guides/namespace-per-color.md#networkpolicies). enabled: pods take connections on the http port alone, and on extraPorts of the pods. allowFrom: {namespaceLabels, podLabels} of whoever may, [] for everybody. egress: unrestricted, or restricted, which is DNS, HTTPS, the ports of the database and of URLs in env, and egressPorts.",
    example: "--path networkPolicy.egress restricted",
    ends: { place: "NetworkPolicies" },
  }),
  imagePullSecrets: field(json(z.array(z.string().regex(dnsSubdomain)).max(10).default([])), {
    rule: "a list of at most 10 names of Secrets, of the type kubernetes.io/dockerconfigjson, in the namespace",
    description:
      "Secrets that images are pulled with, in the namespace of each color and, with analysis.controllerImage, in the app's. Pods run as accounts of their own, which take nothing from the default account.",
    example: "--plaintext --path 'imagePullSecrets[0]' registry-credentials",
    ends: { place: "ServiceAccounts" },
    parts: {},
  }),
  namespace: field(z.string().regex(dnsLabel), {
    ofApp: (app) => app,
    rule: "a Kubernetes name: lower-case letters, digits and '-', at most 63",
    description:
      "Namespace that the program makes, unless createNamespaces is false, and fills; with namespacePerColor, of what belongs to no color.",
    example: "production",
    ends: objectNames,
  }),
  createNamespaces: flag(
    true,
    "Whether the program makes its namespaces. false: somebody has made them before, and an update needs no rights outside of them (docs/reference/rbac.md).",
  ),
  namespacePerColor: flag(
    false,
    "Whether each color lives in a namespace of its own, NAMESPACE-blue and NAMESPACE-green, which the program makes (docs/guides/namespace-per-color.md#namespaces); otherwise both live in the namespace, with all else. Needs traffic.strategy weighted with traffic.router gateway or traefik, and cannot be changed while there is an active color.",
  ),
  context: field(contextName.default(""), {
    rule: "a context of your kubeconfig",
    description: "Context of your kubeconfig. Not set, its current context is used.",
    example: "production",
    ends: state,
  }),
  clusters: objectField(clusters, {
    description:
      "One release over several clusters (docs/guides/multi-cluster.md). targets: {name, context} of each; none, and the app is in the one cluster that context names. rollout: sequential (traffic moves in one cluster after the other, each analysed before the next) or parallel. onFailure, when one fails: rollback (traffic of those that have switched returns) or stop (everything stays).",
    example: "--path 'clusters.targets[0].name' eu",
    ends: { place: "ConfigMaps of the clusters" },
  }),
};
