import { z } from "zod";
import { field, json, mapField, objectField, objectOf, part, type Readable } from "../fields.js";
import { dnsSubdomain, isGateway, isHostName } from "../forms.js";
import { affinities, trafficStrategies } from "../../routers/router.js";
import { routerNames, routers, whichCan } from "../../routers/routers.js";
import { annotations, annotationsRule, ingress, labels, labelsRule, service } from "../aroundPods.js";
import { integer, state } from "./kinds.js";

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
