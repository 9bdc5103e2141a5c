import { AdmissionregistrationV1Api, type KubeConfig } from "@bluegreen/release/kubernetes/client";
import { orUndefined } from "@bluegreen/release";
import { simulatedKey, simulatedNames } from "./names";

/**
 * Puts the pods of a simulation's namespaces on its nodes, where the taint lets no other pod go. In
 * the API server and not in the program: what is measured is the program as it is.
 */
export async function placeOnSimulatedNodes(config: KubeConfig, id: string): Promise<void> {
  const api = config.makeApiClient(AdmissionregistrationV1Api);
  const name = simulatedNames.placement(id);
  await api.createMutatingAdmissionPolicy({
    body: {
      metadata: { name },
      spec: {
        failurePolicy: "Fail",
        reinvocationPolicy: "Never",
        matchConstraints: {
          resourceRules: [
            { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] },
          ],
        },
        matchConditions: [
          {
            name: "simulated",
            expression: `request.namespace.startsWith("${simulatedNames.namespacePrefix(id)}")`,
          },
        ],
        mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: placement(id) } }],
      },
    },
  });
  await api.createMutatingAdmissionPolicyBinding({
    body: { metadata: { name }, spec: { policyName: name } },
  });
}

export async function removePlacement(config: KubeConfig, id: string): Promise<void> {
  const api = config.makeApiClient(AdmissionregistrationV1Api);
  const name = simulatedNames.placement(id);
  await orUndefined(api.deleteMutatingAdmissionPolicyBinding({ name }));
  await orUndefined(api.deleteMutatingAdmissionPolicy({ name }));
}

/** A JSON patch in CEL. Kubernetes' own plugins have given the pod tolerations before. */
function placement(id: string): string {
  return `[
    JSONPatch{op: "add", path: "/spec/nodeSelector", value: {"${simulatedKey}": "${id}"}},
    JSONPatch{op: "add", path: "/spec/tolerations/-", value: Object.spec.tolerations{key: "${simulatedKey}", operator: "Equal", value: "${id}", effect: "NoSchedule"}}
  ]`;
}
