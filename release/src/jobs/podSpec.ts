import type { V1Container, V1PodSpec, V1SecurityContext } from "../kubernetes/client.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { isForbidden } from "../kubernetes/requests.js";
import { findSecretValues } from "../kubernetes/secretValue.js";
import type { PlainRecord } from "../util/step.js";

/** Any number but 0, and not one of a real system account. */
const user = 10001;

/** As the restricted Pod Security Standard wants it. */
const restricted: V1SecurityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };

/** What config says of a container: plain, and not the client's class. */
type ProgramContainer = Pick<V1Container, "name" | "image" | "command" | "env" | "resources">;

/** The pod of a program that is the user's and not the app's: any image, as the account of a color's pods. */
export function programPod(
  { account, imagePullSecrets }: { account: string; imagePullSecrets: string[] },
  container: ProgramContainer,
): V1PodSpec {
  const { name, image, command, env = [], resources } = container;
  return {
    serviceAccountName: account,
    imagePullSecrets: imagePullSecrets.map((secret) => ({ name: secret })),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name,
        ...(image !== undefined && { image }),
        ...(command !== undefined && { command }),
        ...(resources !== undefined && { resources }),
        securityContext: restricted,
        // Its own user has no home in an image that was made for another one.
        env: [{ name: "HOME", value: "/tmp" }, ...env],
        volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
      },
    ],
    volumes: [{ name: "tmp", emptyDir: {} }],
  };
}

/** What waits for requests, or belongs to the program that is not started. */
const ofServer = [
  "args",
  "lifecycle",
  "livenessProbe",
  "ports",
  "readinessProbe",
  "startupProbe",
] as const satisfies (keyof V1Container)[];

/**
 * The pod of another program in the app's own image, with all that its pods have: variables, Secrets, volumes,
 * init containers. Beside it nothing runs that would keep its Job from ending, except sidecars of Kubernetes' own
 * kind, which end by themselves.
 * @throws Error when the template has no such container
 */
export function appPod(template: PlainRecord, container: string, command: string[]): V1PodSpec {
  // It is the one of a Deployment, which the API server has taken, or will check by the same rules.
  const pod = structuredClone(template) as unknown as V1PodSpec;
  const own = pod.containers.find(({ name }) => name === container);
  if (own === undefined) throw new Error(`the pod template has no container ${container}`);
  for (const key of ofServer) Reflect.deleteProperty(own, key);
  Reflect.deleteProperty(pod, "topologySpreadConstraints" satisfies keyof V1PodSpec);
  return Object.assign(pod, { containers: [Object.assign(own, { command })] });
}

/**
 * The values that a pod's containers take from Secrets, so that nobody is shown them. A Secret that is not there,
 * or may not be read, has none: the pod says so itself.
 */
export async function secretValuesIn(
  cluster: Cluster,
  namespace: string,
  { containers, initContainers = [] }: V1PodSpec,
): Promise<string[]> {
  const all = [...containers, ...initContainers];
  const keys = all
    .flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []))
    .map(({ name, key }) => ({ name, key }));
  const whole = all
    .flatMap(({ envFrom = [] }) => envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []))
    .map((name) => ({ name, key: undefined }));
  const wanted = [...keys, ...whole];
  const secrets = new Map(
    await Promise.all(
      [...new Set(wanted.flatMap(({ name }) => name ?? []))].map(
        async (name) => [name, await read(cluster, namespace, name)] as const,
      ),
    ),
  );
  return wanted.flatMap(({ name = "", key }) => {
    const values = secrets.get(name) ?? {};
    return key === undefined ? Object.values(values) : (values[key] ?? []);
  });
}

async function read(cluster: Cluster, namespace: string, name: string): Promise<Record<string, string>> {
  try {
    return (await findSecretValues(cluster, { namespace, name })) ?? {};
  } catch (error) {
    if (isForbidden(error)) return {};
    throw error;
  }
}
