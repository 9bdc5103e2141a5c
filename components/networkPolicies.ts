import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { colors, namespaceOf, inEachNamespace, type Color } from "@bluegreen/release/app/color";
import {
  workersSelector,
  names,
  preflightLabel,
  relayLabel,
  workerLabel,
} from "@bluegreen/release/app/names";
import { isFields } from "@bluegreen/release/util/json";
import type { BackgroundPods, PodSettings } from "@bluegreen/release/config/podSettings";
import { containersOf } from "@bluegreen/release/config/podTemplate/userTemplate";
import type { AppSettings } from "./lateArgs";
import { controllerLabels } from "./analysisController";

type Spec = Required<kubernetes.types.input.networking.v1.NetworkPolicySpec>;
export type PolicySpec = Pick<Spec, "podSelector" | "policyTypes"> & Partial<Spec>;

export interface Policy {
  /** What it is called in this program, where one name stands in more than one namespace. */
  resource: string;
  namespace: string;
  name: string;
  spec: PolicySpec;
}

/** Where names are resolved: in the cluster, or on the node. */
const dns = [
  { protocol: "UDP", port: 53 },
  { protocol: "TCP", port: 53 },
];
const https = 443;
const postgres = 5432;

/**
 * Who may reach the pods that this program makes, and what they may reach, each policy for the pods
 * of one color, of the preflight pod, or of the analysis controller. What else runs in their namespaces is not selected.
 * Kubelet's probes and port-forwards come from the pod's node, which no policy can shut out.
 */
export function networkPolicies(app: string, settings: AppSettings): Policy[] {
  if (!settings.networkPolicy.enabled) return [];
  const egress = egressOf(settings);
  const policy = (
    where: Omit<Policy, "spec">,
    podSelector: PolicySpec["podSelector"],
    ingress: object[],
    rules?: object[],
  ): Policy => ({
    ...where,
    spec: {
      podSelector,
      policyTypes: rules === undefined ? ["Ingress"] : ["Ingress", "Egress"],
      ingress,
      ...(rules !== undefined && { egress: rules }),
    },
  });
  const own = (of: Color | "analysis", namespace: string) => ({
    resource: names.networkPolicy(app, of),
    namespace,
    name: names.networkPolicy(app, of),
  });
  const preflight = names.networkPolicy(app, "preflight");
  const relay = names.networkPolicy(app, "relay");
  return [
    ...colors.map((color) =>
      policy(
        own(color, namespaceOf(settings, color)),
        { matchLabels: { app, version: color } },
        ingressOf(app, color, settings),
        egress,
      ),
    ),
    // Nobody calls them.
    ...colors
      .filter((color) => inBackground(settings.pods[color]).length > 0)
      .map((color) => {
        const name = names.networkPolicy(app, `${color}-workers`);
        const pods = {
          matchLabels: workersSelector(app, color),
          matchExpressions: [{ key: workerLabel, operator: "Exists" }],
        };
        return policy({ resource: name, namespace: namespaceOf(settings, color), name }, pods, [], egress);
      }),
    ...inEachNamespace(settings, preflight).map(({ namespace, name: resource }) =>
      policy(
        { resource, namespace, name: preflight },
        { matchLabels: { [preflightLabel]: app } },
        [],
        egress,
      ),
    ),
    // It reaches what the pods reach; a port-forward comes from its node.
    ...(settings.database.runIn === "update"
      ? []
      : inEachNamespace(settings, relay).map(({ namespace, name: resource }) =>
          policy({ resource, namespace, name: relay }, { matchLabels: { [relayLabel]: app } }, [], egress),
        )),
    ...(settings.analysis.controllerImage === ""
      ? []
      : [policy(own("analysis", settings.namespace), { matchLabels: controllerLabels(app) }, [])]),
  ];
}

/**
 * To the ports of http and of the metrics, those of config, and no other. No `from` at all is everybody: a load balancer may reach pods from outside
 * of the cluster.
 */
function ingressOf(
  app: string,
  color: Color,
  {
    networkPolicy: { allowFrom, extraPorts },
    analysis: { controllerImage, metrics },
    namespacePerColor,
    namespace,
    pods,
  }: AppSettings,
): object[] {
  const { port } = pods[color].http;
  const open = new Set([port, ...(metrics.port === 0 ? [] : [metrics.port]), ...extraPorts]);
  const ports = [...open].map((each) => ({ protocol: "TCP", port: each }));
  if (allowFrom.length === 0) return [{ ports }];
  // To a policy, a peer without a namespace is in its own: the color's.
  const inApps = namespacePerColor
    ? { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } }
    : {};
  const peers = allowFrom.map(({ namespaceLabels, podLabels }) => ({
    ...(Object.keys(namespaceLabels).length > 0
      ? { namespaceSelector: { matchLabels: namespaceLabels } }
      : inApps),
    ...(Object.keys(podLabels).length > 0 && { podSelector: { matchLabels: podLabels } }),
  }));
  // It reads their metrics.
  const controller =
    controllerImage === "" ? [] : [{ ...inApps, podSelector: { matchLabels: controllerLabels(app) } }];
  return [{ ports, from: [...peers, ...controller] }];
}

/** By ports, not by addresses: those of a managed database or of an API are nobody's to know, and change. */
function egressOf({
  networkPolicy: { egress, egressPorts },
  colors: { blue, green },
  pods,
  databaseAccount,
}: AppSettings): object[] | undefined {
  if (egress === "unrestricted") return undefined;
  const known = [
    ...[blue, green].flatMap(({ env }) => Object.values(env).map((value) => portIn(value, https))),
    ...colors
      .flatMap((color) => [
        pods[color].podTemplate.spec,
        ...inBackground(pods[color]).flatMap(({ patch: { spec } }) => (isFields(spec) ? [spec] : [])),
      ])
      .flatMap((spec) => [...containersOf(spec), ...containersOf(spec, "initContainers")])
      .flatMap(({ env }) => (Array.isArray(env) ? env.filter(isFields) : []))
      .map(({ value }) => portIn(String(value), https)),
    ...egressPorts,
  ];
  const database =
    databaseAccount === undefined
      ? postgres
      : pulumi.output(databaseAccount.address).apply((at) => portIn(`postgres://${at}`, postgres));
  const ports = pulumi
    .output(database)
    .apply((port) => [...new Set([https, port, ...known])].map((each) => ({ protocol: "TCP", port: each })));
  return [{ ports: ports.apply((all) => [...dns, ...all]) }];
}

function inBackground({ workers, cronJobs }: PodSettings): BackgroundPods[] {
  return [...workers, ...cronJobs];
}

function portIn(text: string, fallback: number): number {
  const port = text.includes("://") && URL.canParse(text) ? new URL(text).port : "";
  return port === "" ? fallback : Number(port);
}
