import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type { BlueGreenAppArgs } from "@bluegreen/components/args";
import { parseSettings, type Settings } from "@bluegreen/release/config/settings";
import { quotaLimits } from "@bluegreen/release/config/room";
import { errorCodeOf } from "@bluegreen/release/util/userError";
import { colorTemplate } from "@bluegreen/components/podTemplate";
import { names } from "@bluegreen/release/app/names";
import { release } from "@bluegreen/components/release";
import { record, recordApp, someSettings } from "./recorder";

interface Container {
  name: string;
  image: string;
  env: { name: string; value?: string; valueFrom?: unknown }[];
  envFrom: unknown[];
  ports: { name: string; containerPort: number }[];
  resources: unknown;
  volumeMounts: { name: string; mountPath: string }[];
  securityContext: Record<string, unknown>;
  livenessProbe: unknown;
  readinessProbe: unknown;
  startupProbe: unknown;
  lifecycle: unknown;
}

interface PodSpec extends Record<string, unknown> {
  containers: Container[];
  initContainers: Container[];
  volumes: { name: string }[];
  securityContext: Record<string, unknown>;
}

const valid = {
  activeColor: "blue",
  blueTag: "v1",
  greenTag: "v2",
  imageRepository: "ghcr.io/you/shop",
  host: "shop.example.com",
  database: '{"strategy":"none"}',
};

const settingsOf = (template: string, config: Record<string, string> = {}): Settings =>
  parseSettings("shop", { ...valid, ...config, podTemplate: JSON.stringify(parse(template)) });

/** The pods of blue with a template, written as a team writes it. */
async function podsOf(template: string, config: Record<string, string> = {}) {
  const settings = settingsOf(template, config);
  let made: ReturnType<typeof colorTemplate> | undefined;
  await record("shop", () => {
    made = colorTemplate("shop", "blue", "v1", settings);
  });
  if (made === undefined) throw new Error("no template was made");
  const spec = made.spec as unknown as PodSpec;
  const app = spec.containers.find(({ name }) => name === settings.container);
  if (app === undefined) throw new Error("the pods have no container of the app");
  return { ...made, settings, spec, app };
}

function refusalOf(act: () => unknown): { code: string | undefined; text: string } {
  try {
    act();
  } catch (error) {
    return { code: errorCodeOf(error), text: String(error) };
  }
  throw new Error("it was accepted");
}

describe("A pod template of the user's", function () {
  // Names of a color's objects are slow on purpose.

  it("says nothing: pods pass the restricted standard, and have somewhere to write", async () => {
    const { spec, app } = await podsOf("{}");
    expect(spec.securityContext).to.deep.equal({
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(app.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    });
    expect(spec.volumes).to.deep.equal([{ name: "bluegreen-tmp", emptyDir: {} }]);
    expect(app.volumeMounts).to.deep.equal([{ name: "bluegreen-tmp", mountPath: "/tmp" }]);
  });

  it("is gunicorn's, whose /tmp is memory, and whose user is the image's", async () => {
    const { spec, app } = await podsOf(`
spec:
  securityContext: { runAsNonRoot: true, fsGroup: 2000 }
  containers:
    - name: shop
      command: [gunicorn, --worker-tmp-dir, /tmp]
      volumeMounts: [{ name: memory, mountPath: /tmp }]
  volumes:
    - name: memory
      emptyDir: { medium: Memory, sizeLimit: 64Mi }
`);
    expect(spec.volumes).to.deep.equal([
      { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
    ]);
    expect(app.volumeMounts).to.deep.equal([{ name: "memory", mountPath: "/tmp" }]);
    expect(spec.securityContext).to.deep.equal({
      runAsNonRoot: true,
      fsGroup: 2000,
      seccompProfile: { type: "RuntimeDefault" },
    });
  });

  it("is a proxy's beside the app: a native sidecar, whose needs count", async () => {
    const { spec, app, settings } = await podsOf(
      `
spec:
  serviceAccountName: cloud
  initContainers:
    - name: cloud-sql-proxy
      image: gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.14
      restartPolicy: Always
      args: [--private-ip, project:region:db]
      resources: { requests: { cpu: 1, memory: 2Gi } }
    - name: wait-for-db
      image: busybox:1.37
      command: [sh, -c, "until nc -z localhost 5432; do sleep 1; done"]
      resources: { requests: { cpu: 4, memory: 8Mi }, limits: { cpu: 4, memory: 8Mi } }
`,
      { imagePullSecrets: '["registry"]' },
    );
    expect(spec.initContainers.map(({ name }) => name)).to.deep.equal(["cloud-sql-proxy", "wait-for-db"]);
    for (const { securityContext } of spec.initContainers)
      expect(securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      });
    expect(app.image).to.equal("ghcr.io/you/shop:v1");
    // The one that waits needs more than all that runs after it, beside the proxy.
    expect(settings.pod).to.deep.include({ "requests.cpu": 5, "limits.cpu": 4 });
    expect(settings.pod["requests.memory"]).to.equal((2048 + 256) * 2 ** 20);
    expect(spec["imagePullSecrets"], "that account has none of the program's").to.deep.equal([
      { name: "registry" },
    ]);
  });

  it("has a claim, and a projected token", async () => {
    const { spec, app } = await podsOf(`
metadata:
  annotations: { vault.hashicorp.com/agent-inject: "true" }
  labels: { team: shop, app.kubernetes.io/name: storefront }
spec:
  automountServiceAccountToken: true
  volumes:
    - name: uploads
      persistentVolumeClaim: { claimName: uploads }
    - name: token
      projected: { sources: [{ serviceAccountToken: { path: token, audience: vault } }] }
  containers:
    - name: shop
      volumeMounts:
        - { name: uploads, mountPath: /data }
        - { name: token, mountPath: /var/run/vault, readOnly: true }
`);
    expect(spec["automountServiceAccountToken"]).to.equal(true);
    expect(spec.volumes.map(({ name }) => name)).to.deep.equal(["bluegreen-tmp", "uploads", "token"]);
    expect(app.volumeMounts.map(({ mountPath }) => mountPath)).to.deep.equal([
      "/tmp",
      "/data",
      "/var/run/vault",
    ]);
  });

  it("has labels and annotations of its own, beside those that select", async () => {
    const { metadata, labels, hash } = await podsOf(`
metadata:
  annotations: { prometheus.io/scrape: "true" }
  labels: { team: shop, app: shop, app.kubernetes.io/name: storefront }
`);
    expect(metadata.labels).to.deep.include({
      app: "shop",
      version: "blue",
      team: "shop",
      "app.kubernetes.io/name": "storefront",
    });
    expect(metadata.annotations).to.deep.equal({
      "prometheus.io/scrape": "true",
      "bluegreen.dev/pod-template-hash": hash,
      "kubectl.kubernetes.io/default-container": "shop",
    });
    expect(labels["app.kubernetes.io/name"]).to.equal("shop");
    expect((await podsOf("{}")).hash).not.to.equal(hash);
  });

  it("has several ports, of which the app's is called http, and what asked it by another name asks it so", async () => {
    const { app, settings } = await podsOf(
      `
spec:
  containers:
    - name: shop
      ports:
        - { name: web, containerPort: 8080 }
        - { name: metrics, containerPort: 9090 }
      livenessProbe: { httpGet: { path: /live, port: web } }
      readinessProbe: { grpc: { port: 9090 } }
`,
      { http: '{"port":8080}' },
    );
    expect(app.ports).to.deep.equal([
      { name: "http", containerPort: 8080, protocol: "TCP" },
      { name: "metrics", containerPort: 9090 },
    ]);
    expect(app.livenessProbe).to.deep.equal({ httpGet: { path: "/live", port: "http" } });
    expect(app.readinessProbe).to.deep.equal({ grpc: { port: 9090 } });
    expect(settings.http).to.deep.equal({ port: 8080, livenessPath: "/live", readinessPath: "/ready" });
    const one = await podsOf("spec: { containers: [{ name: shop, ports: [{ containerPort: 80 }] }] }");
    expect(one.app.ports).to.deep.equal([{ name: "http", containerPort: 80, protocol: "TCP" }]);
    expect(one.settings.http.port).to.equal(80);
    const before = await podsOf(`
spec:
  containers:
    - name: shop
    - { name: nginx, image: "nginx:1", ports: [{ name: http, containerPort: 8081 }] }
`);
    expect(before.app).not.to.have.property("ports");
    expect(before.app).not.to.have.property("readinessProbe");
    expect(before.spec.containers.find(({ name }) => name === "nginx")).to.have.nested.property(
      "readinessProbe.httpGet.path",
      "/ready",
    );
    expect(before.settings.http.port).to.equal(8081);
  });

  it("has probes of every kind, each instead of the program's", async () => {
    const { app } = await podsOf(`
spec:
  containers:
    - name: shop
      livenessProbe: { exec: { command: [check] }, periodSeconds: 20 }
      readinessProbe:
        httpGet: { path: /up, port: http, httpHeaders: [{ name: Host, value: shop.example.com }] }
      startupProbe: { tcpSocket: { port: http }, failureThreshold: 60 }
      lifecycle: { postStart: { exec: { command: [warm] } } }
`);
    expect(app.livenessProbe).to.deep.equal({ exec: { command: ["check"] }, periodSeconds: 20 });
    expect(app.readinessProbe).to.have.nested.property("httpGet.httpHeaders[0].value", "shop.example.com");
    expect(app.startupProbe).to.deep.equal({ tcpSocket: { port: "http" }, failureThreshold: 60 });
    expect(app.lifecycle).to.deep.equal({
      preStop: { sleep: { seconds: 5 } },
      postStart: { exec: { command: ["warm"] } },
    });
    const none = await podsOf("spec: { containers: [{ name: shop, livenessProbe: null }] }");
    expect(none.app).not.to.have.property("livenessProbe");
  });

  it("has a user of its own, root among them, in a container or for all", async () => {
    const own = await podsOf("spec: { containers: [{ name: shop, securityContext: { runAsUser: 65532 } }] }");
    expect(own.spec.securityContext).not.to.have.any.keys("runAsUser", "runAsGroup", "fsGroup");
    expect(own.app.securityContext).to.deep.include({ runAsUser: 65532, readOnlyRootFilesystem: true });
    const root = await podsOf(`
spec:
  securityContext: { runAsUser: 0 }
  containers:
    - { name: shop, securityContext: { readOnlyRootFilesystem: false, capabilities: null } }
`);
    expect(root.spec.securityContext).to.deep.equal({
      runAsUser: 0,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(root.app.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: false,
    });
    expect(root.spec).not.to.have.property("volumes");
  });

  it("has a place to run, a priority, and names to resolve", async () => {
    const { spec } = await podsOf(`
spec:
  nodeSelector: { kubernetes.io/arch: arm64 }
  tolerations: [{ key: spot, operator: Exists, effect: NoSchedule }]
  priorityClassName: web
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms: [{ matchExpressions: [{ key: pool, operator: In, values: [web] }] }]
  dnsConfig: { options: [{ name: ndots, value: "1" }] }
  hostAliases: [{ ip: 10.0.0.1, hostnames: [legacy] }]
  terminationGracePeriodSeconds: 120
`);
    expect(spec).to.deep.include({
      nodeSelector: { "kubernetes.io/arch": "arm64" },
      priorityClassName: "web",
      dnsConfig: { options: [{ name: "ndots", value: "1" }] },
      hostAliases: [{ ip: "10.0.0.1", hostnames: ["legacy"] }],
      terminationGracePeriodSeconds: 120,
    });
  });

  it("has no limits, also for a quota that the program makes", async () => {
    const template =
      "spec: { containers: [{ name: shop, resources: { requests: { cpu: 100m, memory: 64Mi } } }] }";
    const { app, settings } = await podsOf(template, { quota: '{"enabled":true}' });
    expect(app.resources).to.deep.equal({ requests: { cpu: "100m", memory: "64Mi" } });
    expect(settings.pod).to.deep.include({ "requests.cpu": 0.1, "limits.cpu": 0 });
    expect(quotaLimits(settings)).to.have.all.keys("pods", "requests.cpu", "requests.memory");
    expect(
      refusalOf(() =>
        settingsOf("spec: { containers: [{ name: shop, resources: {} }] }", {
          autoscaling: '{"maxReplicas":9}',
        }),
      ).text,
    ).to.contain("only with requests.cpu");
  });

  it("names variables that the program would set, from anywhere, and they are the user's", async () => {
    const template = `
spec:
  containers:
    - name: shop
      env:
        - { name: ENVIRONMENT, value: production }
        - { name: APP_VERSION, value: $(BLUEGREEN_VERSION) }
        - { name: LOG_LEVEL, value: info }
        - { name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
`;
    const { app } = await podsOf(template, {
      database: "{}",
      env: '{"LOG_LEVEL":"debug"}',
      envFromSecrets: '{"DATABASE_URL":"mysql/url","REDIS_URL":"redis/url"}',
    });
    expect(app.env.map(({ name }) => name)).to.deep.equal([
      "BLUEGREEN_COLOR",
      "BLUEGREEN_VERSION",
      "PGAPPNAME",
      "BLUEGREEN_READ_ONLY_KEY",
      "BLUEGREEN_DRAIN_PORT",
      "ENVIRONMENT",
      "APP_VERSION",
      "POD_IP",
      "DATABASE_URL",
      "REDIS_URL",
    ]);
    expect(app.env.find(({ name }) => name === "APP_VERSION")?.value).to.equal("$(BLUEGREEN_VERSION)");
    for (const config of [
      { env: '{"DATABASE_URL":"mysql://db","PGAPPNAME":"mine","BLUEGREEN_DRAIN_PORT":"1"}' },
      { secretEnv: '{"DATABASE_URL":"mysql://db","PGAPPNAME":"mine","BLUEGREEN_DRAIN_PORT":"1"}' },
    ]) {
      const names = (await podsOf("{}", { database: "{}", ...config })).app.env.map(({ name }) => name);
      expect(names).not.to.include.members(["DATABASE_URL"]).and.not.to.include("PGAPPNAME");
    }
  });

  it("takes variables from whole objects, which may have any name", async () => {
    const { app } = await podsOf(
      "spec: { containers: [{ name: shop, envFrom: [{ secretRef: { name: shop-env } }] }] }",
      { database: "{}", env: '{"A":"1"}' },
    );
    expect(app.env.map(({ name }) => name)).to.deep.equal([
      "BLUEGREEN_COLOR",
      "BLUEGREEN_VERSION",
      "PGAPPNAME",
      "BLUEGREEN_READ_ONLY_KEY",
      "BLUEGREEN_DRAIN_PORT",
    ]);
    expect(app.envFrom).to.have.length(2);
    expect(app.envFrom[0]).to.deep.equal({ secretRef: { name: "shop-env" } });
  });

  it("is a Deployment whole, from a file: its image gives way, in every container of the app's repository", async () => {
    const folder = "tests/unit/.podTemplate";
    mkdirSync(folder, { recursive: true });
    try {
      writeFileSync(
        `${folder}/shop.yaml`,
        `
apiVersion: v1
kind: Service
metadata: { name: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: storefront }
spec:
  replicas: 7
  template:
    metadata: { creationTimestamp: null, labels: { app: shop } }
    spec:
      initContainers: [{ name: assets, image: "ghcr.io/you/shop:v0" }]
      containers:
        - { name: web, image: "ghcr.io/you/shop:v0", ports: [{ containerPort: 8000 }] }
        - { name: logs, image: "fluent-bit:3" }
`,
      );
      const { app, spec, settings } = await podsOf("spec: { priorityClassName: web }", {
        podTemplateFile: `${folder}/shop.yaml`,
      });
      expect(settings.container).to.equal("web");
      expect(app.image).to.equal("ghcr.io/you/shop:v1");
      expect(spec.initContainers.map(({ image }) => image)).to.deep.equal(["ghcr.io/you/shop:v1"]);
      expect(spec.containers.map(({ image }) => image)).to.deep.equal([
        "ghcr.io/you/shop:v1",
        "fluent-bit:3",
      ]);
      expect(spec["priorityClassName"]).to.equal("web");
      expect(settings.replicas).to.equal(3);
      writeFileSync(`${folder}/shop.yaml`, "kind: StatefulSet\nspec: {}\n");
      expect(refusalOf(() => settingsOf("{}", { podTemplateFile: `${folder}/shop.yaml` }))).to.deep.include({
        code: "BG-POD-TEMPLATE-INVALID",
      });
      writeFileSync(
        `${folder}/shop.yaml`,
        "spec: { containers: [{ name: a, env: [{ name: P, value: 80 }] }] }",
      );
      expect(refusalOf(() => settingsOf("{}", { podTemplateFile: `${folder}/shop.yaml` })).text).to.contain(
        "spec.containers.0.env.0.value",
      );
      expect(refusalOf(() => settingsOf("{}", { podTemplateFile: `${folder}/none.yaml` })).text).to.contain(
        "cannot be read",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("does not say what is the release's, nor leave open which container is the app's", () => {
    for (const [template, told] of [
      ["metadata: { labels: { app: other } }", "labels.app"],
      ["metadata: { labels: { version: v1 } }", "labels.version"],
      ['metadata: { annotations: { bluegreen.dev/pod-template-hash: "1" } }', "pod-template-hash"],
      ['spec: { containers: [{ name: a, image: "b:1" }, { name: c, image: "d:1" }] }', "containers are a, c"],
      ['spec: { containers: [{ name: cloud-sql-proxy, image: "b:1" }] }', "config set container"],
    ] as const) {
      const { code, text } = refusalOf(() => settingsOf(template));
      expect(code, template).to.equal("BG-POD-TEMPLATE-INVALID");
      expect(text, template).to.contain(told);
    }
    for (const template of ["spec: { containers: [{ image: a }] }", "spec: { volumes: {} }", "kind: Job"])
      expect(refusalOf(() => settingsOf(template)).code, template).to.equal("BG-CONFIG-INVALID");
    expect(
      settingsOf('spec: { containers: [{ name: proxy, image: "b:1" }] }', { container: "shop" }).container,
    ).to.equal("shop");
  });

  it("comes from code and from config, each field from the one that says it", async () => {
    const settings = parseSettings(
      "shop",
      { ...valid, podTemplate: '{"spec":{"nodeSelector":{"b":"2"},"hostNetwork":null}}' },
      undefined,
      { podTemplate: { spec: { nodeSelector: { a: "1" }, hostNetwork: true } } },
    );
    expect(settings.pods.blue.podTemplate.spec).to.deep.equal({ nodeSelector: { a: "1", b: "2" } });
    const green = parseSettings("shop", {
      ...valid,
      podTemplate: '{"spec":{"nodeSelector":{"a":"1"}}}',
      green:
        '{"podTemplate":{"spec":{"nodeSelector":{"a":"2"},"containers":[{"name":"shop","resources":{}}]}}}',
    });
    expect(green.pods.green.podTemplate.spec["nodeSelector"]).to.deep.equal({ a: "2" });
    expect(green.pods.blue.podTemplate.spec).to.deep.equal({ nodeSelector: { a: "1" } });
    expect(green.pods.green.pod["requests.cpu"]).to.equal(0);
    expect(green.pod["requests.cpu"], "room is made for the one that needs more").to.equal(0.25);
    const args: BlueGreenAppArgs = {
      ...(valid as Pick<BlueGreenAppArgs, "host" | "imageRepository">),
      activeColor: "blue",
      database: { strategy: "none" },
      podTemplate: {
        kind: "Deployment",
        metadata: { name: "shop" },
        spec: {
          template: {
            metadata: { labels: { team: "shop" } },
            spec: { dnsPolicy: null, containers: [{ name: "shop", env: [{ name: "A", value: "1" }] }] },
          },
        },
      },
    };
    expect(parseSettings("shop", {}, undefined, { ...args }).pods.blue.podTemplate.labels).to.deep.equal({
      team: "shop",
    });
    const output = { spec: { nodeSelector: { pool: pulumi.output("web") } } };
    expect(
      refusalOf(() => parseSettings("shop", {}, undefined, { ...args, podTemplate: output })).text,
    ).to.contain("none of another resource");
    const given = await recordApp({
      ...someSettings,
      serviceAccount: '{"annotations":{"eks.amazonaws.com/role-arn":"arn"}}',
    });
    const accounts = "kubernetes:core/v1:ServiceAccount";
    expect(given.one(accounts, "chatgpt-app-blue-account").inputs).to.have.nested.property(
      "metadata.annotations",
    );
    const theirs = await recordApp({ ...someSettings, serviceAccount: '{"name":"shop"}' });
    expect(theirs.recorded.filter(({ type }) => type === accounts)).to.deep.equal([]);
  });

  it("changes no pod by the order in which it is written", async () => {
    const one = await podsOf("spec: { nodeSelector: { a: '1', b: '2' }, priorityClassName: web }");
    const other = await podsOf("spec: { priorityClassName: web, nodeSelector: { b: '2', a: '1' } }");
    expect(one.hash).to.equal(other.hash);
  });

  it("leaves two apps of one namespace each its own database, account and Secret", async () => {
    const apps = ["shop", "billing"];
    const recorder = await record("shops", () => {
      for (const app of apps)
        release(
          app,
          parseSettings(app, {
            ...valid,
            namespace: "shop",
            createNamespaces: String(app === "shop"),
            database: "{}",
            databaseAdminUrl: "postgres://admin@db/postgres",
            databaseAddress: "db:5432",
          }),
        );
    });
    const made = recorder.recorded.filter(({ type }) => type.endsWith(":DatabaseAccount"));
    expect(made.map(({ inputs }) => inputs["name"])).to.have.members(["shop", "shop_billing"]);
    const secrets = recorder.recorded
      .filter(({ type }) => type === "kubernetes:core/v1:Secret")
      .map(({ inputs }) => (inputs["metadata"] as { name: string }).name);
    expect(secrets).to.include.members(apps.map((app) => `${app}-database`));
    const named = recorder.recorded.map(({ type, name }) => `${type} ${name}`);
    expect(new Set(named).size, "resources").to.equal(named.length);
    const long = names.databaseAccount("n".repeat(40), "a".repeat(40));
    expect(long)
      .to.have.length(63)
      .and.not.equal(names.databaseAccount("n".repeat(40), "a".repeat(41)));
  });
});
