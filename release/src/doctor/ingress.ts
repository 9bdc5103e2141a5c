import { z } from "zod";
import type { Color } from "../app/color.js";
import type { Settings } from "../config/settings.js";
import { CustomObjectsApi } from "../kubernetes/client.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { conditions, holds } from "../kubernetes/conditions.js";
import { orUndefined } from "../kubernetes/requests.js";
import { targetsMove } from "../routers/gce.js";
import type { ClusterReader } from "../routers/router.js";
import { routers, type RouterName } from "../routers/routers.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import { broken, well, type Finding } from "../util/finding.js";
import type { Step } from "../util/step.js";
import { userErrorText } from "../util/userError.js";

type Asked = Pick<Settings, "traffic" | "ingressClass" | "clusterIssuer">;

/** Whether the ingress controller is there, and who makes the host's certificate. */
export async function examineIngress(
  cluster: Cluster,
  { traffic: { router: name, gateway }, ingressClass, clusterIssuer }: Asked,
): Promise<Finding[]> {
  const reader = readerOf(cluster);
  const router = routers[name];
  return [
    await router.examine(reader, { ingressClass, gateway }),
    // With a Gateway, whoever made it has the certificate; without an ingress there is none.
    ...(router.gateway === undefined && name !== "none" ? [await examineIssuer(reader, clusterIssuer)] : []),
  ];
}

export const clusterIssuers = { group: "cert-manager.io", version: "v1", plural: "clusterissuers" };

async function examineIssuer(reader: ClusterReader, name: string | undefined): Promise<Finding> {
  if (name === undefined) return well("certificate", "config says that somebody else makes it");
  if (!(await reader.serves(clusterIssuers)))
    return broken(
      "certificate",
      `ClusterIssuer ${name} is wanted, and cert-manager is not in the cluster`,
      "install cert-manager, or pulumi config set clusterIssuer none and make the TLS Secret yourself",
    );
  const found = await reader.read({ ...clusterIssuers, name });
  if (found === undefined)
    return broken(
      "certificate",
      `there is no ClusterIssuer ${name}`,
      "kubectl get clusterissuers, then pulumi config set clusterIssuer NAME",
    );
  return holds(z.object({ status: conditions }).parse(found).status, "Ready")
    ? well("certificate", `ClusterIssuer ${name} is ready`)
    : broken("certificate", `ClusterIssuer ${name} is not ready`, `kubectl describe clusterissuer ${name}`);
}

/** The path of an object is the same for what Kubernetes brings and for what others have added. */
export function readerOf({ config }: Cluster): ClusterReader {
  const api = config.makeApiClient(CustomObjectsApi);
  return {
    async list(kind) {
      const found = (await orUndefined(api.listClusterCustomObject(kind))) as
        { items: unknown[] } | undefined;
      return found?.items ?? [];
    },
    read: ({ namespace, ...object }) =>
      orUndefined<unknown>(
        namespace === undefined
          ? api.getClusterCustomObject(object)
          : api.getNamespacedCustomObject({ ...object, namespace }),
      ),
    async serves({ group, version, plural }) {
      const found = await orUndefined(api.getAPIResources({ group, version }));
      return found?.resources.some(({ name }) => name === plural) ?? false;
    },
  };
}

type RouterGateInputs = ClusterRef & {
  app: string;
  activeColor: Color;
  /** Hash of the active color's wanted pod template. */
  template: string;
  router: RouterName;
  /** Of config; null takes the router's own. */
  ingressClass: string | null;
};

/**
 * Asks whether the controller that is there reads what the router writes. In preview too, so that a pull request
 * fails. Who may not read IngressClasses is not refused for that: doctor says it.
 */
export const routerGate: Step<RouterGateInputs, Record<string, never>> = {
  async check({ app, activeColor: color, template, router, ingressClass, ...where }, _last, say) {
    if (router === "gce") say(`traffic.router gce: ${targetsMove}`);
    const cluster = connect(where);
    const finding = await routers[router]
      .misread?.(readerOf(cluster), { ingressClass: ingressClass ?? undefined })
      .catch(() => undefined);
    if (finding === undefined || finding.state === "well") return [];
    const isBack = isRollbackTarget(await readRelease(cluster, app), { color, template });
    if (finding.state !== "broken" || isBack) {
      say(`${finding.says}; ${finding.next}`);
      return [];
    }
    return [
      {
        property: "router",
        reason: userErrorText({
          code: "BG-INGRESS-CLASS-WRONG",
          what: `traffic.router ${router} was refused`,
          rule: finding.says,
          next: finding.next,
        }),
      },
    ];
  },

  // The question is all there is to it, and it is asked in every update.
  isNeeded: () => Promise.resolve(false),
  run: () => Promise.resolve({}),
};
