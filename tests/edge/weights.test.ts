import { expect } from "chai";
import type { JsonObject } from "../../local/cluster/rawObjects";
import { makeColors, port, tlsSecret, type Colors } from "./support/colors";
import { startCrowd } from "./support/crowd";
import { User } from "./support/user";

type Object = JsonObject & { metadata: JsonObject };

/** For each kind of route: the object that has the weights. */
const kinds: {
  name: string;
  weights: (test: Colors, blue: number, green: number) => Object;
  fixed: (test: Colors) => Object[];
}[] = [
  {
    name: "a TraefikService",
    weights: (_home, blue, green) => ({
      apiVersion: "traefik.io/v1alpha1",
      kind: "TraefikService",
      metadata: { name: "app" },
      spec: {
        weighted: {
          services: [
            { name: "blue", port, weight: blue },
            { name: "green", port, weight: green },
          ],
        },
      },
    }),
    fixed: ({ host }) => [
      {
        apiVersion: "traefik.io/v1alpha1",
        kind: "IngressRoute",
        metadata: { name: "app" },
        spec: {
          entryPoints: ["websecure"],
          routes: [
            { kind: "Rule", match: `Host(\`${host}\`)`, services: [{ kind: "TraefikService", name: "app" }] },
          ],
          tls: { secretName: tlsSecret },
        },
      },
    ],
  },
  {
    name: "an HTTPRoute",
    weights: ({ host, edge }, blue, green) => ({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "app" },
      spec: {
        parentRefs: [{ ...edge.gateway, sectionName: "https" }],
        hostnames: [host],
        rules: [
          {
            backendRefs: [
              { name: "blue", port, weight: blue },
              { name: "green", port, weight: green },
            ],
          },
        ],
      },
    }),
    fixed: () => [],
  },
  {
    name: "nginx' canary annotations",
    weights: (test, _blue, green) =>
      nginxIngress(test, "canary", "green", {
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-weight": String(green),
      }),
    fixed: (test) => [nginxIngress(test, "app", "blue", {})],
  },
];

function nginxIngress({ host }: Colors, name: string, service: string, annotations: JsonObject): Object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, annotations },
    spec: {
      ingressClassName: "nginx",
      tls: [{ hosts: [host], secretName: tlsSecret }],
      rules: [
        {
          host,
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: service, port: { number: port } } },
              },
            ],
          },
        },
      ],
    },
  };
}

describe("weights moved under load", function () {
  for (const { name, weights, fixed } of kinds) {
    it(`act for everybody and fail no request, with ${name}`, async () => {
      const test = await makeColors();
      try {
        for (const object of [...fixed(test), weights(test, 100, 0)]) await test.apply(object);
        const user = new User(test.edge, test.host);
        await user.askUntil(({ color }) => color === "blue", "/");
        user.close();
        const crowd = startCrowd(test.edge, test.host, "/");
        await crowd.untilAll("blue");
        const took = [];
        for (const [blue, green, color] of [
          [0, 100, "green"],
          [100, 0, "blue"],
          [0, 100, "green"],
        ] as const) {
          const started = Date.now();
          await test.apply(weights(test, blue, green));
          took.push((await crowd.untilAll(color)) - started);
        }
        const { failures } = await crowd.stop();
        expect(failures).to.deep.equal([]);
        console.log(`      until the last user had moved: ${took.join(", ")} ms`);
      } finally {
        await test.remove();
      }
    });
  }
});
