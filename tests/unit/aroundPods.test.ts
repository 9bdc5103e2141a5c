import { expect } from "chai";
import { parseSettings } from "@bluegreen/release/config/settings";
import { rolesFor } from "@bluegreen/release/doctor/rights";
import { recordApp, someSettings, type Recorded, type Recorder } from "./recorder";

interface Metadata {
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** What config says of the objects around the pods. */
describe("The objects around the pods", () => {
  const metadataOf = ({ inputs }: Recorded) => inputs["metadata"] as Metadata;
  const objectsOf = ({ recorded }: Recorder) => recorded.filter(({ type }) => type.startsWith("kubernetes:"));
  const specOf = (recorder: Recorder, type: string, name: string) =>
    recorder.one(type, name).inputs["spec"] as Record<string, unknown>;
  const service = "kubernetes:core/v1:Service";
  const ingress = "kubernetes:networking.k8s.io/v1:Ingress";

  it("have the labels and annotations of config, beside the program's, and pods do not", async () => {
    const plain = await recordApp(someSettings);
    const labelled = await recordApp({
      ...someSettings,
      labels: '{"team":"checkout","cost-center":4711}',
      annotations: '{"example.com/owner":"checkout"}',
    });
    expect(objectsOf(labelled).length).to.equal(objectsOf(plain).length);
    for (const object of objectsOf(labelled)) {
      const { labels, annotations } = metadataOf(object);
      const before = metadataOf(plain.one(object.type, object.name));
      expect(labels, object.name).to.deep.equal({
        team: "checkout",
        "cost-center": "4711",
        ...before.labels,
      });
      expect(Object.keys(annotations ?? {}).sort(), object.name).to.deep.equal(
        ["example.com/owner", ...Object.keys(before.annotations ?? {})].sort(),
      );
    }
    const hash = (each: Recorder) =>
      each.one("pulumi-nodejs:dynamic/bluegreen:Rollout", "chatgpt-app-blue-rollout").inputs["template"];
    expect(hash(labelled), "no pod changes").to.equal(hash(plain));
  });

  it("give theirs to the steps that make objects, and their rights", async () => {
    const own = { labels: '{"team":"checkout"}', annotations: '{"example.com/owner":"checkout"}' };
    const recorder = await recordApp({ ...someSettings, ...own, migrations: '{"command":["migrate"]}' });
    const told = recorder.recorded.filter(({ inputs }) => "annotations" in inputs && "labels" in inputs);
    expect([...new Set(told.map(({ type }) => type.split(":").at(-1)))].sort()).to.deep.equal([
      "MigrationCommand",
      "ReleaseUnlock",
    ]);
    for (const { inputs } of told)
      expect(inputs).to.deep.include({
        labels: { team: "checkout" },
        annotations: { "example.com/owner": "checkout" },
      });
    const verbs = (more: Record<string, string>) =>
      rolesFor("chatgpt-app", parseSettings("chatgpt-app", { ...someSettings, ...more }))
        .flatMap(({ rules }) => rules)
        .find(({ resources }) => resources.includes("leases"))?.verbs;
    expect(verbs({})).to.not.include("patch");
    expect(verbs(own)).to.include("patch");
  });

  it("keep the program's own labels, by which they are found", () => {
    for (const labels of ['{"app":"mine"}', '{"version":"2"}', '{"app.kubernetes.io/managed-by":"me"}'])
      expect(() => parseSettings("chatgpt-app", { ...someSettings, labels }), labels).to.throw("labels");
    for (const annotations of ['{"pulumi.com/skipAwait":"false"}', '{"bluegreen.dev/switch-id":"1"}'])
      expect(() => parseSettings("chatgpt-app", { ...someSettings, annotations }), annotations).to.throw(
        "annotations",
      );
  });

  it("of an Ingress have the annotations of config, where the release needs no other", async () => {
    const recorder = await recordApp({
      ...someSettings,
      ingress: JSON.stringify({
        annotations: {
          "nginx.ingress.kubernetes.io/proxy-body-size": "50m",
          "nginx.ingress.kubernetes.io/proxy-read-timeout": 3600,
          "nginx.ingress.kubernetes.io/ssl-redirect": "false",
          "nginx.ingress.kubernetes.io/rewrite-target": "/theirs",
          "cert-manager.io/cluster-issuer": "theirs",
        },
        hosts: ["www.example.com"],
        tlsSecret: "wildcard",
      }),
    });
    const of = (name: string) => metadataOf(recorder.one(ingress, name)).annotations;
    expect(of("chatgpt-app-ingress")).to.include({
      "nginx.ingress.kubernetes.io/proxy-body-size": "50m",
      "nginx.ingress.kubernetes.io/proxy-read-timeout": "3600",
      "nginx.ingress.kubernetes.io/ssl-redirect": "false",
      "cert-manager.io/cluster-issuer": "letsencrypt-prod",
    });
    expect(of("chatgpt-app-ingress-colors")).to.include({
      "nginx.ingress.kubernetes.io/proxy-body-size": "50m",
      "nginx.ingress.kubernetes.io/rewrite-target": "/$2",
    });
    expect(of("chatgpt-app-ingress-idle")).not.to.have.property(
      "nginx.ingress.kubernetes.io/proxy-body-size",
    );
    expect(specOf(recorder, ingress, "chatgpt-app-ingress")["tls"]).to.deep.equal([
      { hosts: ["app.example.com", "www.example.com"], secretName: "wildcard" },
    ]);
  });

  it("are no ingress at all with router none, and ask for no right to it", async () => {
    const traffic = '{"router":"none"}';
    const config = { ...someSettings, traffic, service: '{"type":"LoadBalancer","port":443}' };
    const recorder = await recordApp(config);
    expect(
      objectsOf(recorder).filter(
        ({ type }) => /networking|traefik|gateway|istio/.test(type) && !type.includes("NetworkPolicy"),
      ),
    ).to.deep.equal([]);
    expect(specOf(recorder, service, "chatgpt-app-service")).to.deep.include({
      type: "LoadBalancer",
      ports: [{ name: "http", protocol: "TCP", port: 443, targetPort: "http" }],
    });
    expect(
      rolesFor("chatgpt-app", parseSettings("chatgpt-app", config)).flatMap(({ rules }) =>
        rules.filter(({ resources }) => resources.length === 0 || resources.includes("ingresses")),
      ),
    ).to.deep.equal([]);
    expect(() =>
      parseSettings("chatgpt-app", { ...config, ingress: '{"hosts":["www.example.com"]}' }),
    ).to.throw("router none");
    expect(() =>
      parseSettings("chatgpt-app", { ...config, traffic: '{"router":"none","strategy":"weighted"}' }),
    ).to.throw("no ingress has weights");
  });

  it("of a Service have the ports of config, in each color, too", async () => {
    const recorder = await recordApp({
      ...someSettings,
      service: JSON.stringify({
        annotations: { "example.com/scheme": "internal" },
        port: 8080,
        appProtocol: "kubernetes.io/h2c",
        extraPorts: [
          { name: "grpc", port: 9000 },
          { name: "admin", port: 81, targetPort: "admin" },
        ],
      }),
      networkPolicy: '{"extraPorts":[9000]}',
    });
    const extra = [
      { name: "grpc", protocol: "TCP", port: 9000, targetPort: 9000 },
      { name: "admin", protocol: "TCP", port: 81, targetPort: "admin" },
    ];
    const http = { name: "http", protocol: "TCP", targetPort: "http", appProtocol: "kubernetes.io/h2c" };
    for (const [name, port] of [
      ["chatgpt-app-service", 8080],
      ["chatgpt-app-blue", 80],
      ["chatgpt-app-green", 80],
    ] as const)
      expect(specOf(recorder, service, name)["ports"], name).to.deep.equal([{ ...http, port }, ...extra]);
    expect(metadataOf(recorder.one(service, "chatgpt-app-service")).annotations).to.include({
      "example.com/scheme": "internal",
    });
    const policy = specOf(
      recorder,
      "kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "chatgpt-app-blue-network",
    );
    expect(JSON.stringify(policy["ingress"])).to.contain("9000");
  });

  for (const [name, config, rule] of [
    ["a port twice", { service: '{"extraPorts":[{"name":"a","port":80}]}' }, "every name and number"],
    ["a port called http", { service: '{"extraPorts":[{"name":"http","port":81}]}' }, "service"],
    ["the users' path", { ingress: '{"paths":[{"path":"/","service":"x","port":80}]}' }, "ingress"],
    ["a color's path", { ingress: '{"paths":[{"path":"/green/x","service":"x","port":80}]}' }, "ingress"],
    ["host twice", { ingress: '{"hosts":["app.example.com"]}' }, "hosts without host"],
    ["no host where an ingress is made", { host: "" }, "a host name with router nginx"],
    ["two wildcards in a name", { ingress: '{"hosts":["*.*.example.com"]}' }, "ingress"],
    [
      "other paths at Istio",
      {
        traffic: '{"router":"istio","gateway":"a/b"}',
        ingress: '{"paths":[{"path":"/api","service":"x","port":80}]}',
      },
      "no paths with router istio",
    ],
    [
      "a load balancer where the Service is a name",
      { namespacePerColor: "true", service: '{"type":"LoadBalancer"}' },
      "type ClusterIP with namespacePerColor",
    ],
  ] as const)
    it(`are refused with ${name}`, () => {
      expect(() => parseSettings("chatgpt-app", { ...someSettings, ...config })).to.throw(rule);
    });

  it("need no host with router none, and no ingress is made", async () => {
    const recorder = await recordApp({ ...someSettings, host: "", traffic: '{"router":"none"}' });
    expect(recorder.recorded.filter(({ type }) => type.includes("Ingress"))).to.deep.equal([]);
  });
});
