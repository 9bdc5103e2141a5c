import { AuthorizationV1Api } from "../kubernetes/client.js";
import { namespacesOf } from "../homes.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { mapBounded } from "../mapBounded.js";
import type { RouteKind } from "../route/route.js";
import type { Settings } from "../settings/settings.js";
import { broken, well, type Finding } from "./finding.js";

/** A rule of a Role. */
export interface Rule {
  apiGroups: [string];
  resources: string[];
  verbs: string[];
}

/** What whoever runs an update may do, in a namespace or, without one, in the whole cluster. */
export interface Right {
  namespace: string | undefined;
  rules: Rule[];
}

type Asked = Pick<Settings, "namespace" | "makeNamespaces" | "isolation" | "traffic" | "clusterIssuer" | "autoscaling" | "networkPolicy" | "quota" | "watcherImage">;

/** What the program makes, it has to be able to read, to change and to take away. */
const keep = ["get", "list", "watch", "create", "update", "patch", "delete"];

const ingresses = rule("networking.k8s.io", ["ingresses"], keep);

/** Who reads the way in also says what it consists of. */
const wayIn: Record<RouteKind, Rule> = {
  nginx: ingresses,
  alb: ingresses,
  gce: ingresses,
  traefik: rule("traefik.io", ["ingressroutes", "middlewares", "traefikservices"], keep),
  gateway: rule("gateway.networking.k8s.io", ["httproutes", "referencegrants"], keep),
};

/** The rights that an update of these settings needs, with what doctor looks at, and no others. */
export function rightsFor(settings: Asked): Right[] {
  const rules = rulesIn(settings);
  return [{ namespace: undefined, rules: rulesEverywhere(settings) }, ...namespacesOf(settings).map((namespace) => ({ namespace, rules }))];
}

/** The same as roles. In a namespace that is not there yet nobody can have one: who makes it needs all of them in the whole cluster. */
export function rolesFor(settings: Asked): Right[] {
  return settings.makeNamespaces ? [{ namespace: undefined, rules: [...rulesEverywhere(settings), ...rulesIn(settings)] }] : rightsFor(settings);
}

/** On namespaces, and on what says whether there is a way in, and a certificate for it. */
function rulesEverywhere({ makeNamespaces, traffic: { route }, clusterIssuer }: Asked): Rule[] {
  return [
    rule("", ["namespaces"], makeNamespaces ? keep : ["get"]),
    ...(route === "nginx" || route === "alb" ? [rule("networking.k8s.io", ["ingressclasses"], ["get", "list"])] : []),
    ...(route === "gateway" ? [rule("gateway.networking.k8s.io", ["gateways"], ["get"])] : []),
    ...(route !== "gateway" && clusterIssuer !== undefined ? [rule("cert-manager.io", ["clusterissuers"], ["get"])] : []),
  ];
}

function rulesIn({ traffic, clusterIssuer, autoscaling, networkPolicy, quota, watcherImage }: Asked): Rule[] {
  return [
    rule("apps", ["deployments"], keep),
    rule("apps", ["deployments/scale"], ["patch"]),
    rule("", ["services", "configmaps", "secrets", "serviceaccounts"], keep),
    // The smoke gate and the watch come to pods by the API server; a live change is tried out in a pod of its own.
    rule("", ["pods"], ["get", "list", "create", "delete"]),
    rule("", ["pods/log"], ["get"]),
    rule("", ["pods/portforward"], ["get", "create"]),
    rule("discovery.k8s.io", ["endpointslices"], ["list"]),
    rule("coordination.k8s.io", ["leases"], ["get", "create", "update"]),
    rule("policy", ["poddisruptionbudgets"], keep),
    rule("", ["resourcequotas"], quota.enabled ? keep : ["list"]),
    ...(quota.enabled ? [rule("", ["limitranges"], keep)] : []),
    ...(networkPolicy.enabled ? [rule("networking.k8s.io", ["networkpolicies"], keep)] : []),
    rule("autoscaling", ["horizontalpodautoscalers"], autoscaling.maxReplicas > 0 ? keep : ["get", "patch", "delete"]),
    wayIn[traffic.route],
    ...(traffic.route === "traefik" && clusterIssuer !== undefined ? [rule("cert-manager.io", ["certificates"], keep)] : []),
    ...(watcherImage === undefined ? [] : [rule("rbac.authorization.k8s.io", ["roles", "rolebindings"], keep)]),
  ];
}

function rule(group: string, resources: string[], verbs: string[]): Rule {
  return { apiGroups: [group], resources, verbs };
}

/** Whether the one who asks has them, as the API server's own authorizers say. */
export async function examineRights(cluster: Cluster, settings: Asked): Promise<Finding[]> {
  const api = cluster.config.makeApiClient(AuthorizationV1Api);
  const each = rightsFor(settings).flatMap(({ namespace, rules }) => rules.flatMap(({ apiGroups: [group], resources, verbs }) => resources.flatMap((resource) => verbs.map((verb) => ({ namespace, group, resource, verb })))));
  const missing = await mapBounded(each, asked, async ({ namespace, group, resource: name, verb }) => {
    const [resource = name, subresource] = name.split("/");
    const resourceAttributes = { group, resource, verb, ...(subresource !== undefined && { subresource }), ...(namespace !== undefined && { namespace }) };
    const { status } = await api.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes } } });
    return status?.allowed === true ? [] : [`${verb} ${group === "" ? name : `${name}.${group}`}${namespace === undefined ? "" : ` in ${namespace}`}`];
  });
  const not = missing.flat();
  const user = cluster.config.getCurrentUser()?.name ?? "the current user";
  if (not.length === 0) return [well("rights", `${user} may do all that an update does`)];
  return [broken("rights", `${user} may not ${not.slice(0, shown).join(", ")}${not.length > shown ? `, and ${not.length - shown} more` : ""}`, "npm run --silent bluegreen -- doctor --rights | kubectl apply -f - as somebody who may, then bind them to that account: docs/doctor.md#rights")];
}

/** Reviews at the same time: an API server takes many more, and so few are done in a second. */
const asked = 10;
/** More than that is a list for nobody: then the account has no rights at all. */
const shown = 6;
