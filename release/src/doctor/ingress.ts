import { z } from "zod";
import type { Cluster } from "../kubernetes/cluster.js";
import { conditions, holds } from "../kubernetes/conditions.js";
import type { ClusterReader } from "../routers/router.js";
import { routers } from "../routers/routers.js";
import type { Settings } from "../config/settings.js";
import { broken, well, type Finding } from "../util/finding.js";
import { readerOf } from "./clusterReader.js";

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
