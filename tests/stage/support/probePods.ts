import { once } from "node:events";
import { createServer } from "node:net";
import { AppsV1Api, CoreV1Api, KubeConfig, PortForward } from "@bluegreen/release/kubernetes/client";
import type { Stage } from "../../../local/stage";
import { waitFor } from "../../../local/system/wait";

const labels = { app: "probe" };

/**
 * A Deployment of the probe server and its Service, in a namespace that enforces the restricted Pod Security
 * Standard.
 */
export class ProbePods {
  private readonly kubeconfig = new KubeConfig();
  readonly core: CoreV1Api;
  private readonly apps: AppsV1Api;
  readonly namespace = "probe";

  constructor(stage: Stage) {
    this.kubeconfig.loadFromFile(stage.kubeconfig);
    this.core = this.kubeconfig.makeApiClient(CoreV1Api);
    this.apps = this.kubeconfig.makeApiClient(AppsV1Api);
  }

  /**
   * Creates everything, waits until the pods are ready and returns the Service's address, which kube-proxy
   * leads to them within a second or so.
   */
  async create(image: string): Promise<string> {
    const { namespace } = this;
    await this.core.createNamespace({
      body: { metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } } },
    });
    await this.apps.createNamespacedDeployment({
      namespace,
      body: {
        metadata: { name: "probe" },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
              containers: [
                {
                  name: "probe",
                  image,
                  securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ["ALL"] },
                  },
                  readinessProbe: { httpGet: { path: "/", port: 3000 }, periodSeconds: 1 },
                  resources: { limits: { memory: "128Mi", cpu: "500m" } },
                },
              ],
            },
          },
        },
      },
    });
    const service = await this.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: "probe" },
        spec: { selector: labels, ports: [{ port: 80, targetPort: 3000 }] },
      },
    });
    await waitFor(
      async () =>
        (await this.apps.readNamespacedDeployment({ name: "probe", namespace })).status?.readyReplicas === 2
          ? true
          : undefined,
      60_000,
      async () => new Error(`The probe pods do not get ready: ${(await this.events()).join("; ")}`),
    );
    const address = service.spec?.clusterIP;
    if (address === undefined) throw new Error("The probe Service has no address.");
    return address;
  }

  /** Unique ids of the pods: a pod that was re-created has another one. */
  async podIds(): Promise<string[]> {
    const pods = await this.core.listNamespacedPod({ namespace: this.namespace });
    return pods.items.map((pod) => pod.metadata?.uid ?? "").sort();
  }

  /** What a GET answers through a port-forward to one of the pods. */
  async getForwarded(path: string): Promise<string> {
    const pods = await this.core.listNamespacedPod({ namespace: this.namespace });
    const pod = pods.items[0]?.metadata?.name ?? "";
    const forward = new PortForward(this.kubeconfig);
    const server = createServer(
      (socket) => void forward.portForward(this.namespace, pod, [3000], socket, null, socket),
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The forwarded port is not open.");
    try {
      const answer = await fetch(`http://127.0.0.1:${String(address.port)}${path}`, {
        headers: { connection: "close" },
      });
      return await answer.text();
    } finally {
      server.close();
    }
  }

  private async events(): Promise<string[]> {
    const events = await this.core.listNamespacedEvent({ namespace: this.namespace });
    return events.items.map((event) => event.message ?? "");
  }
}
