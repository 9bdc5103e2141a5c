import type * as kubernetes from "@pulumi/kubernetes";
import { colors, type Color } from "@bluegreen/release/color";
import { homeOf, inEachHome } from "@bluegreen/release/homes";
import { names, trialLabel } from "@bluegreen/release/names";
import type { Settings } from "@bluegreen/release/settings/settings";
import { watcherLabels } from "./watcher";

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
const redis = 6379;

/**
 * Who may reach the pods that this program makes, and what they may reach, each policy for the pods
 * of one color, of the trial, or of the watcher. What else runs in their namespaces is not selected.
 * Kubelet's probes and port-forwards come from the pod's node, which no policy can shut out.
 */
export function networkPolicies(app: string, settings: Settings): Policy[] {
  if (!settings.networkPolicy.enabled) return [];
  const egress = egressOf(settings);
  const policy = (where: Omit<Policy, "spec">, matchLabels: Record<string, string>, ingress: object[], rules?: object[]): Policy => ({
    ...where,
    spec: { podSelector: { matchLabels }, policyTypes: rules === undefined ? ["Ingress"] : ["Ingress", "Egress"], ingress, ...(rules !== undefined && { egress: rules }) },
  });
  const own = (of: Color | "watcher", namespace: string) => ({ resource: names.networkPolicy(app, of), namespace, name: names.networkPolicy(app, of) });
  const trial = names.networkPolicy(app, "trial");
  return [
    ...colors.map((color) => policy(own(color, homeOf(settings, color)), { app, version: color }, ingressOf(app, settings), egress)),
    ...inEachHome(settings, trial).map(({ namespace, name: resource }) => policy({ resource, namespace, name: trial }, { [trialLabel]: app }, [], egress)),
    ...(settings.watcherImage === undefined ? [] : [policy(own("watcher", settings.namespace), watcherLabels(app), [])]),
  ];
}

/** To the http port and no other. No `from` at all is everybody: a load balancer may reach pods from outside of the cluster. */
function ingressOf(app: string, { networkPolicy: { from }, watcherImage, isolation, namespace, http: { port } }: Settings): object[] {
  const ports = [{ protocol: "TCP", port }];
  if (from.length === 0) return [{ ports }];
  // To a policy, a peer without a namespace is in its own: the color's.
  const inApps = isolation === "shared" ? {} : { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } };
  const peers = from.map(({ namespaceLabels, podLabels }) => ({
    ...(Object.keys(namespaceLabels).length > 0 ? { namespaceSelector: { matchLabels: namespaceLabels } } : inApps),
    ...(Object.keys(podLabels).length > 0 && { podSelector: { matchLabels: podLabels } }),
  }));
  // It reads their metrics.
  const watcher = watcherImage === undefined ? [] : [{ ...inApps, podSelector: { matchLabels: watcherLabels(app) } }];
  return [{ ports, from: [...peers, ...watcher] }];
}

/** By ports, not by addresses: those of a managed database or of an API are nobody's to know, and change. */
function egressOf({ networkPolicy: { egress, egressPorts }, redisUrl, databaseAccount }: Settings): object[] | undefined {
  if (egress === "any") return undefined;
  const ports = new Set([https, portOf(redisUrl, redis), databaseAccount === undefined ? postgres : portOf(`postgres://${databaseAccount.address}`, postgres), ...egressPorts]);
  return [{ ports: [...dns, ...[...ports].map((port) => ({ protocol: "TCP", port }))] }];
}

function portOf(url: string, fallback: number): number {
  const { port } = new URL(url);
  return port === "" ? fallback : Number(port);
}
