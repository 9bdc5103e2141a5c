import { AuthorizationV1Api } from "../kubernetes/client.js";
import { namespacesOf } from "../app/color.js";
import { names } from "../app/names.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { mapBounded } from "../util/mapBounded.js";
import { routers } from "../routers/routers.js";
import type { Settings } from "../config/settings.js";
import { broken, well, type Finding } from "../util/finding.js";
import { bluegreenPiped } from "../util/bluegreenCommand.js";

/** A rule of a Role. */
export interface Rule {
  apiGroups: [string];
  resources: string[];
  verbs: string[];
  /** Of these alone; absent: of all. */
  resourceNames?: string[];
}

/** What whoever runs an update may do, in a namespace or, without one, in the whole cluster. */
export interface Right {
  namespace: string | undefined;
  rules: Rule[];
}

type Asked = Pick<
  Settings,
  | "namespace"
  | "createNamespaces"
  | "namespacePerColor"
  | "traffic"
  | "clusterIssuer"
  | "database"
  | "autoscaling"
  | "networkPolicy"
  | "quota"
  | "analysis"
  | "gates"
  | "migrations"
  | "followers"
  | "labels"
  | "annotations"
>;

/** What the program makes, it has to be able to read, to change and to take away. */
const keep = ["get", "list", "watch", "create", "update", "patch", "delete"];

/** The rights that an update of these settings needs, with what doctor reads, and no others. */
function rightsFor(app: string, settings: Asked): Right[] {
  const rules = rulesIn(app, settings);
  return [
    { namespace: undefined, rules: rulesEverywhere(settings) },
    ...namespacesOf(settings).map((namespace) => ({ namespace, rules })),
  ];
}

/**
 * The same as roles. In a namespace that is not there yet nobody can have one: who makes it needs all of them
 * in the whole cluster.
 */
export function rolesFor(app: string, settings: Asked): Right[] {
  return settings.createNamespaces
    ? [{ namespace: undefined, rules: [...rulesEverywhere(settings), ...rulesIn(app, settings)] }]
    : rightsFor(app, settings);
}

/** On namespaces, and on what says whether there is an ingress controller, and a certificate. */
function rulesEverywhere({ createNamespaces, traffic, clusterIssuer }: Asked): Rule[] {
  const { reads, gateway } = routers[traffic.router];
  return [
    rule("", ["namespaces"], createNamespaces ? keep : ["get"]),
    ...reads.map(({ group, resources, verbs }) => rule(group, resources, verbs)),
    ...(gateway === undefined && traffic.router !== "none" && clusterIssuer !== undefined
      ? [rule("cert-manager.io", ["clusterissuers"], ["get"])]
      : []),
  ];
}

function rulesIn(app: string, settings: Asked): Rule[] {
  const { traffic, clusterIssuer, autoscaling, networkPolicy, quota, analysis, followers } = settings;
  const { labels, annotations } = settings;
  const isLabeled = Object.keys({ ...labels, ...annotations }).length > 0;
  const { makes, certificates } = routers[traffic.router];
  return [
    rule("apps", ["deployments"], keep),
    rule("apps", ["deployments/scale"], ["patch"]),
    rule("", ["services", "configmaps", "secrets", "serviceaccounts"], keep),
    // The smoke gate and the analysis come to pods by the API server; a live change is tried out in a pod of its
    // own.
    rule(
      "",
      ["pods"],
      [
        "get",
        "list",
        "create",
        "delete",
        // One that changes gets the file of the live color at once.
        ...(followers?.colorFile === true ? ["patch"] : []),
      ],
    ),
    rule("", ["pods/log"], ["get"]),
    rule("", ["pods/portforward"], ["get", "create"]),
    rule("discovery.k8s.io", ["endpointslices"], ["list"]),
    rule("coordination.k8s.io", ["leases"], ["get", "create", "update", ...(isLabeled ? ["patch"] : [])]),
    rule("policy", ["poddisruptionbudgets"], keep),
    rule("", ["resourcequotas"], quota.enabled ? keep : ["list"]),
    ...(quota.enabled ? [rule("", ["limitranges"], keep)] : []),
    ...(networkPolicy.enabled ? [rule("networking.k8s.io", ["networkpolicies"], keep)] : []),
    rule(
      "autoscaling",
      ["horizontalpodautoscalers"],
      autoscaling.maxReplicas > 0 ? keep : ["get", "list", "patch", "delete"],
    ),
    ...(makes.resources.length === 0 ? [] : [rule(makes.group, makes.resources, keep)]),
    ...(certificates === true && clusterIssuer !== undefined
      ? [rule("cert-manager.io", ["certificates"], keep)]
      : []),
    ...(followers?.cronJobs === undefined
      ? []
      : [
          rule("batch", ["cronjobs"], keep),
          rule("batch", ["cronjobs/status"], ["patch"]),
          rule("batch", ["jobs"], ["list"]),
        ]),
    ...(hasJobs(settings)
      ? [
          rule("batch", ["jobs"], ["get", "create", "delete"]),
          // Why a Job has no pod stands in events alone.
          rule("", ["events"], ["list"]),
        ]
      : []),
    ...(analysis.controllerImage === ""
      ? []
      : [
          rule("rbac.authorization.k8s.io", ["roles", "rolebindings"], keep),
          // A preview asks to bind a Role that is not there yet, whose rights nobody can compare with one's own.
          {
            ...rule("rbac.authorization.k8s.io", ["roles"], ["bind"]),
            resourceNames: [names.controller(app)],
          },
        ]),
  ];
}

function hasJobs({ gates, migrations, database }: Asked): boolean {
  return (
    migrations.command.length > 0 || database.runIn === "cluster" || gates.some(({ job }) => job !== null)
  );
}

function rule(group: string, resources: string[], verbs: string[]): Rule {
  return { apiGroups: [group], resources, verbs };
}

/** Whether the one who asks has them, as the API server's own authorizers say. */
export async function examineRights(cluster: Cluster, app: string, settings: Asked): Promise<Finding[]> {
  const api = cluster.config.makeApiClient(AuthorizationV1Api);
  const each = rightsFor(app, settings).flatMap(({ namespace, rules }) =>
    rules.flatMap(({ apiGroups: [group], resources, verbs, resourceNames: [of] = [] }) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ namespace, group, resource, verb, of }))),
    ),
  );
  const missing = await mapBounded(each, asked, async ({ namespace, group, resource: name, verb, of }) => {
    const [resource = name, subresource] = name.split("/");
    const resourceAttributes = {
      group,
      resource,
      verb,
      ...(subresource !== undefined && { subresource }),
      ...(of !== undefined && { name: of }),
      ...(namespace !== undefined && { namespace }),
    };
    const { status } = await api.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes } } });
    return status?.allowed === true
      ? []
      : [
          `${verb} ${group === "" ? name : `${name}.${group}`}${namespace === undefined ? "" : ` in ${namespace}`}`,
        ];
  });
  const not = missing.flat();
  const user = cluster.config.getCurrentUser()?.name ?? "the current user";
  if (not.length === 0) return [well("rights", `${user} may do all that an update does`)];
  return [
    broken(
      "rights",
      `${user} may not ${not.slice(0, shown).join(", ")}${not.length > shown ? `, and ${not.length - shown} more` : ""}`,
      `${bluegreenPiped} doctor --rbac | kubectl apply -f - as somebody who may, then bind them to that account: docs/reference/rbac.md`,
    ),
  ];
}

/** Reviews at the same time: an API server takes many more, and so few are done in a second. */
const asked = 10;
/** More than that is a list for nobody: then the account has no rights at all. */
const shown = 6;
