import { AppsV1Api, NetworkingV1Api } from "@bluegreen/release/kubernetes/client";
import { names } from "@bluegreen/release";
import { expect } from "chai";
import { refusedForms, takenForms } from "../support/settingForms";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

/** What these settings refuse, and Kubernetes would take: it cannot know what comes after it. */
const narrower: Record<string, string[]> = {
  // No shell and no program takes it for a variable.
  env: ['{"1A":"x"}', '{"A":"\\u0000"}'],
  // A host is one host, and DNS knows no longer label.
  host: ["*.example.com", `${"a".repeat(64)}.example`],
  // A node divides a CPU by 1000, thousandths of a byte are a mistake for Mi, and a unit without a number is
  // none.
  "resources.requests": [
    ...["1.0001", "0.5m", "1Gi", "m"].map((cpu) => JSON.stringify({ cpu })),
    ...["128m", "Gi"].map((memory) => JSON.stringify({ memory })),
  ],
  // Older versions want a letter first of a Service, and two database sessions of a longer name could not be
  // told apart.
  app: ["1shop", "a".repeat(45)],
};

describe("Forms of settings", function () {
  let test: TestNamespace;
  before(async () => {
    test = await makeNamespace();
  });
  after(() => test.remove());

  /** Asks the API server whether it would make the object that a value ends in. */
  const asks: Record<string, (value: string) => Promise<unknown>> = {
    app: async (app) => {
      await test.cluster.core.createNamespacedService({
        namespace: test.namespace,
        body: {
          metadata: { name: names.activeService(app) },
          spec: { selector: { app, version: "green" }, ports: [{ port: 80 }] },
        },
        dryRun,
      });
      await deployment(names.controller(app), {});
      await deployment(names.deployment(app, "green"), {});
    },
    namespace: (name) => test.cluster.core.createNamespace({ body: { metadata: { name } }, dryRun }),
    ingressClass: (ingressClassName) => ingress({ ingressClassName, rules: [{ host: "a.example.com" }] }),
    host: (host) => ingress({ rules: [{ host }], tls: [{ hosts: [host], secretName: "a" }] }),
    imagePullSecrets: (value) => secret((JSON.parse(value) as string[])[0] ?? "", "a"),
    envFromSecrets: (value) => {
      const [name = "", ...key] = Object.values(JSON.parse(value) as Record<string, string>)
        .join()
        .split("/");
      return secret(name, key.join("/"));
    },
    env: (value) =>
      test.cluster.core.createNamespacedConfigMap({
        namespace: test.namespace,
        body: { metadata: { name: "a" }, data: JSON.parse(value) as Record<string, string> },
        dryRun,
      }),
    "networkPolicy.allowFrom": (value) =>
      policy({
        ingress: [
          {
            _from: (JSON.parse(value) as Record<string, Record<string, string>>[]).map(
              ({ podLabels, namespaceLabels }) => ({
                ...(podLabels && { podSelector: { matchLabels: podLabels } }),
                ...(namespaceLabels && { namespaceSelector: { matchLabels: namespaceLabels } }),
              }),
            ),
          },
        ],
      }),
    "networkPolicy.egressPorts": (value) =>
      policy({ egress: [{ ports: (JSON.parse(value) as number[]).map((port) => ({ port })) }] }),
    "resources.requests": (value) => pod(JSON.parse(value) as Record<string, string>),
    minReadySeconds: (text) => deployment("a", { minReadySeconds: Number(text) }),
  };

  const dryRun = "All";
  const deployment = (name: string, spec: { minReadySeconds?: number }) => {
    const labels = { app: name };
    const body = {
      metadata: { name, labels },
      spec: {
        ...spec,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "a", image: "a" }] } },
      },
    };
    return test.cluster.config
      .makeApiClient(AppsV1Api)
      .createNamespacedDeployment({ namespace: test.namespace, dryRun, body });
  };
  const networking = () => test.cluster.config.makeApiClient(NetworkingV1Api);
  const ingress = (spec: object) =>
    networking().createNamespacedIngress({
      namespace: test.namespace,
      dryRun,
      body: {
        metadata: { name: "a" },
        spec: { defaultBackend: { service: { name: "a", port: { number: 80 } } }, ...spec },
      },
    });
  const policy = (spec: object) =>
    networking().createNamespacedNetworkPolicy({
      namespace: test.namespace,
      dryRun,
      body: { metadata: { name: "a" }, spec: { podSelector: {}, ...spec } },
    });
  const secret = (name: string, key: string) =>
    test.cluster.core.createNamespacedSecret({
      namespace: test.namespace,
      dryRun,
      body: { metadata: { name }, stringData: { [key]: "x" } },
    });
  const pod = (requests: Record<string, string>) =>
    test.cluster.core.createNamespacedPod({
      namespace: test.namespace,
      dryRun,
      body: {
        metadata: { name: "a" },
        spec: { containers: [{ name: "a", image: "a", resources: { requests } }] },
      },
    });

  for (const key of Object.keys(asks)) {
    const isTaken = (value: string) =>
      asks[key]?.(value).then(
        () => true,
        (error: unknown) => {
          if (String(error).includes("HTTP-Code: 4")) return false;
          throw error;
        },
      );

    it(`of ${key} are taken by the API server where they are taken here`, async () => {
      for (const value of takenForms[key] ?? []) expect(await isTaken(value), value).to.equal(true);
    });

    it(`of ${key} are refused by it where they are refused here`, async () => {
      for (const value of refusedForms[key] ?? [])
        expect(await isTaken(value), value).to.equal(narrower[key]?.includes(value) === true);
    });
  }
});
