import { join } from "node:path";
import { colors, type Color } from "@bluegreen/release";
import type { JsonObject } from "../../../local/cluster/rawObjects";
import type { Edge } from "../../../local/edge/edge";
import { loadBundles, makeTlsSecret } from "../../../local/stage";
import { waitFor } from "../../../local/system/wait";
import { applyIn, edgeOf, makeNamespace, type TestNamespace } from "../../support/testNamespace";

/** Name of the TLS Secret, as the app's Ingress has it. */
export const tlsSecret = "chatgpt-app-tls";

/** Port of both colors' Services. */
export const port = 80;

/**
 * A namespace with one small pod of each color, each behind a Service of its color's name, and a host of its
 * own at the edge.
 */
export interface Colors extends TestNamespace {
  edge: Edge;
  host: string;
  /** Creates the object in the namespace, or makes it what is given here. */
  apply(object: JsonObject & { metadata: JsonObject }): Promise<void>;
}

/** @throws Error when no stage with an edge runs */
export async function makeColors(): Promise<Colors> {
  const [image = ""] = await loadBundles([
    { reference: "bluegreen.local/echo:dev", bundle: join(__dirname, "echoServer.js") },
  ]);
  const test = await makeNamespace();
  const edge = edgeOf(test.stage);
  const apply = applyIn(test);
  await makeTlsSecret({ name: tlsSecret, namespace: test.namespace });
  await Promise.all(colors.flatMap((color) => [apply(deployment(color, image)), apply(service(color))]));
  await Promise.all(
    colors.map(async (color) =>
      waitFor(
        async () =>
          (await test.cluster.apps.readNamespacedDeployment({ name: color, namespace: test.namespace }))
            .status?.readyReplicas === 1
            ? true
            : undefined,
        300_000,
        () => Promise.resolve(new Error(`The pod of ${color} does not get ready.`)),
      ),
    ),
  );
  // One host a namespace: suites may run side by side at one edge.
  return { ...test, edge, host: `${test.namespace}.${edge.host}`, apply };
}

function deployment(color: Color, image: string): JsonObject & { metadata: JsonObject } {
  const labels = { color };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: color },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: "echo",
              image,
              env: [{ name: "COLOR", value: color }],
              readinessProbe: { httpGet: { path: "/", port: 3000 }, periodSeconds: 1 },
              resources: { limits: { memory: "128Mi", cpu: "500m" } },
            },
          ],
          terminationGracePeriodSeconds: 1,
        },
      },
    },
  };
}

function service(color: Color): JsonObject & { metadata: JsonObject } {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: color },
    spec: { selector: { color }, ports: [{ port, targetPort: 3000 }] },
  };
}
