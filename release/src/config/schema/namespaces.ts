import { z } from "zod";
import { field, json, objectField, type Readable } from "../fields.js";
import { dnsLabel, dnsSubdomain } from "../forms.js";
import { clusters, contextName } from "../clusters.js";
import { networkPolicy, quota } from "../isolation.js";
import { flag, state } from "./kinds.js";

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
