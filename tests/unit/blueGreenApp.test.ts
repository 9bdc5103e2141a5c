import { expect } from "chai";
import { parseSettings } from "@bluegreen/release";
import { readControllerSettings, settingsFor } from "@bluegreen/release/config/analysisSettings";
import { failureOf } from "../support/read";
import { makeProgramFolder } from "../support/programFolder";
import { allBefore, recordApp, someSettings, type Recorded, type Recorder } from "./recorder";

const types = {
  namespace: "kubernetes:core/v1:Namespace",
  deployment: "kubernetes:apps/v1:Deployment",
  service: "kubernetes:core/v1:Service",
  ingress: "kubernetes:networking.k8s.io/v1:Ingress",
  budget: "kubernetes:policy/v1:PodDisruptionBudget",
  secret: "kubernetes:core/v1:Secret",
  preflight: "pulumi-nodejs:dynamic/bluegreen:Preflight",
  lock: "pulumi-nodejs:dynamic/bluegreen:LiveLock",
  migrations: "pulumi-nodejs:dynamic/bluegreen:Migrations",
  rollout: "pulumi-nodejs:dynamic/bluegreen:Rollout",
  contract: "pulumi-nodejs:dynamic/bluegreen:Contract",
  sync: "pulumi-nodejs:dynamic/bluegreen:DatabaseSync",
  schema: "pulumi-nodejs:dynamic/bluegreen:SchemaGate",
  smoke: "pulumi-nodejs:dynamic/bluegreen:SmokeGate",
  drain: "pulumi-nodejs:dynamic/bluegreen:Drain",
  writeFreeze: "pulumi-nodejs:dynamic/bluegreen:WriteFreeze",
  writeFreezeEnd: "pulumi-nodejs:dynamic/bluegreen:WriteFreezeEnd",
  unlock: "pulumi-nodejs:dynamic/bluegreen:ReleaseUnlock",
};

describe("The blue-green app", () => {
  let recorder: Recorder;
  before(async () => {
    recorder = await recordApp();
  });

  it("puts everything into a namespace that enforces the restricted Pod Security Standard", () => {
    const { name, labels } = recorder.one(types.namespace, "chatgpt-app").inputs["metadata"] as {
      name: string;
      labels: Record<string, string>;
    };
    expect(name).to.equal("chatgpt-production");
    expect(labels).to.include({
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
    });
    for (const { type, inputs } of recorder.recorded) {
      if (!type.startsWith("kubernetes:") || type === types.namespace) continue;
      expect(inputs["metadata"], type).to.deep.include({ namespace: "chatgpt-production" });
    }
  });

  it("has a Deployment of each color, labeled and selected by version", () => {
    for (const [color, tag] of [
      ["blue", "v1.2.3"],
      ["green", "v1.3.0"],
    ] as const) {
      const { metadata, spec } = recorder.one(types.deployment, `chatgpt-app-${color}`).inputs as {
        metadata: { name: string };
        spec: {
          replicas: number;
          minReadySeconds: number;
          selector: unknown;
          strategy: unknown;
          template: {
            metadata: { labels: unknown };
            spec: Record<string, unknown> & { containers: Record<string, unknown>[] };
          };
        };
      };
      const labels = { app: "chatgpt-app", version: color };
      expect(metadata.name).to.equal(`chatgpt-app-${color}`);
      expect(spec.replicas).to.equal(3);
      expect(spec.minReadySeconds).to.equal(5);
      expect(spec.selector).to.deep.equal({ matchLabels: labels });
      expect(spec.strategy).to.deep.equal({
        type: "RollingUpdate",
        rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 },
      });
      expect(spec.template.metadata.labels).to.deep.equal({
        ...labels,
        "app.kubernetes.io/name": "chatgpt-app",
        "app.kubernetes.io/instance": `chatgpt-app-${color}`,
        "app.kubernetes.io/version": tag,
        "app.kubernetes.io/managed-by": "bluegreen",
      });
      const [container] = spec.template.spec.containers;
      expect(container).to.deep.include({
        name: "mcp-server",
        image: `ghcr.io/you/chatgpt-app:${tag}`,
        ports: [{ name: "http", containerPort: 3000, protocol: "TCP" }],
        resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { cpu: "500m", memory: "512Mi" } },
        livenessProbe: {
          httpGet: { path: "/health", port: "http" },
          initialDelaySeconds: 30,
          periodSeconds: 10,
          timeoutSeconds: 5,
          failureThreshold: 3,
        },
        readinessProbe: {
          httpGet: { path: "/ready", port: "http" },
          initialDelaySeconds: 10,
          periodSeconds: 5,
          timeoutSeconds: 3,
          failureThreshold: 2,
        },
      });
      expect(container?.["env"]).to.deep.equal([
        { name: "BLUEGREEN_COLOR", value: color },
        { name: "BLUEGREEN_VERSION", value: tag },
        { name: "APP_VERSION", value: tag },
        { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "db-credentials", key: "url" } } },
        { name: "PGAPPNAME", value: `chatgpt-app-${color} ${tag}` },
        { name: "BLUEGREEN_READ_ONLY_KEY", value: "bluegreen:read-only:acme/chatgpt-app/test/chatgpt-app" },
        { name: "BLUEGREEN_DRAIN_PORT", value: "3001" },
        {
          name: "OPENAI_API_KEY",
          valueFrom: { secretKeyRef: { name: "openai-credentials", key: "api-key" } },
        },
      ]);
    }
  });

  it("has the labels that Kubernetes recommends on every object, and the version where it runs", async () => {
    const whole = await recordApp({
      ...someSettings,
      analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
      alerts: '{"slackUrl":"https://hooks.example.com/x"}',
      autoscaling: '{"minReplicas":2,"maxReplicas":6}',
      quota: '{"enabled":true}',
      databaseAdminUrl: "postgres://a@b/c",
      databaseAddress: "10.0.0.1:5432",
      env: '{"A":"1"}',
      secretEnv: '{"B":"2"}',
      blueTag: `v1.${"2".repeat(70)}@sha256:${"0f".repeat(32)}`,
    });
    for (const { type, name, inputs } of whole.recorded) {
      if (!("metadata" in inputs)) continue;
      const { labels } = inputs["metadata"] as { labels?: Record<string, string> };
      expect(labels, `${type} ${name}`).to.include({
        "app.kubernetes.io/name": "chatgpt-app",
        "app.kubernetes.io/managed-by": "bluegreen",
      });
      const color = labels?.["version"];
      if (color !== undefined)
        expect(labels).to.include({ "app.kubernetes.io/instance": `chatgpt-app-${color}` });
    }
    const { spec } = whole.one(types.deployment, "chatgpt-app-blue").inputs as {
      spec: { template: { metadata: { labels: Record<string, string> } } };
    };
    expect(spec.template.metadata.labels["app.kubernetes.io/version"]).to.equal(`v1.${"2".repeat(60)}`);
  });

  it("sets no variable that the user sets", async () => {
    const { inputs } = (
      await recordApp({
        ...someSettings,
        env: '{"BLUEGREEN_COLOR":"mine"}',
        secretEnv: '{"REDIS_URL":"rediss://:hunter2@redis"}',
        blue: '{"envFromSecrets":{"DATABASE_URL":"shop-db/jdbc"}}',
      })
    ).one(types.deployment, "chatgpt-app-blue");
    const { spec } = inputs as {
      spec: { template: { spec: { containers: { env: { name: string }[] }[] } } };
    };
    const variables = spec.template.spec.containers[0]?.env ?? [];
    expect(
      variables.filter(({ name }) => /^(BLUEGREEN_COLOR|REDIS_URL|DATABASE_URL)$/.test(name)),
    ).to.deep.equal([
      { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: "shop-db", key: "jdbc" } } },
    ]);
  });

  it("has a Service of each color and the active one, 80 to the container's port", () => {
    const ports = [{ name: "http", protocol: "TCP", port: 80, targetPort: "http" }];
    for (const [name, version] of [
      ["chatgpt-app-blue", "blue"],
      ["chatgpt-app-green", "green"],
      ["chatgpt-app-service", "blue"],
    ] as const) {
      expect(recorder.one(types.service, name).inputs["spec"], name).to.deep.equal({
        selector: { app: "chatgpt-app", version },
        ports,
      });
    }
  });

  it("lets users in by TLS, and testers to the color paths by a generated password", () => {
    const production = recorder.one(types.ingress, "chatgpt-app-ingress").inputs as {
      spec: { rules: { host: string; http: { paths: unknown[] } }[] };
    };
    expect(production.spec).to.deep.include({
      ingressClassName: "nginx",
      tls: [{ hosts: ["app.example.com"], secretName: "chatgpt-app-tls" }],
    });
    expect(production.spec.rules[0]?.http.paths).to.deep.equal([
      {
        path: "/",
        pathType: "Prefix",
        backend: { service: { name: "chatgpt-app-service", port: { name: "http" } } },
      },
    ]);
    const testers = recorder.one(types.ingress, "chatgpt-app-ingress-colors").inputs as {
      metadata: { annotations: Record<string, string> };
      spec: { rules: { http: { paths: { path: string; backend: { service: { name: string } } }[] } }[] };
    };
    expect(testers.metadata.annotations).to.include({
      "nginx.ingress.kubernetes.io/rewrite-target": "/$2",
      "nginx.ingress.kubernetes.io/auth-type": "basic",
      "nginx.ingress.kubernetes.io/auth-secret": "chatgpt-app-preview-auth",
    });
    expect(
      testers.spec.rules[0]?.http.paths.map(({ path, backend }) => [path, backend.service.name]),
    ).to.deep.equal([
      ["/blue(/|$)(.*)", "chatgpt-app-blue"],
      ["/green(/|$)(.*)", "chatgpt-app-green"],
    ]);
    expect(recorder.one(types.secret, "chatgpt-app-ingress-preview").inputs["stringData"]).to.deep.equal({
      auth: "preview:hash-of-chatgpt-app-ingress-preview-password",
    });
  });

  it("moves traffic only after the lock, the migrations, the rollout and the gates of the active color", () => {
    const before = allBefore(recorder, "chatgpt-app-service");
    expect([...before]).to.include.members([
      "chatgpt-app-live-lock",
      "chatgpt-app-migrations",
      "chatgpt-app-blue",
      "chatgpt-app-blue-rollout",
      "chatgpt-app-blue-schema",
      "chatgpt-app-blue-smoke",
    ]);
  });

  it("ends the release after everything that belongs to it", async () => {
    const folder = makeProgramFolder();
    folder.write("0001_one.sql", "-- phase: expand\nCREATE TABLE one (id int PRIMARY KEY, old text)");
    folder.write("0002_drop_old.sql", "-- phase: contract\nALTER TABLE one DROP COLUMN old");
    const whole = await recordApp({
      ...someSettings,
      migrationsDir: folder.path,
      contractMigration: "0002",
      writeFreeze: '{"maxSeconds":30,"redisUrl":"redis://redis:6379"}',
      database: '{"strategy":"logicalReplication"}',
    });
    folder.remove();
    const before = allBefore(whole, "chatgpt-app-release-unlock");
    const after = [
      "chatgpt-app-ingress",
      "chatgpt-app-ingress-idle",
      "chatgpt-app-blue-canary",
      "chatgpt-app-green-canary",
      "chatgpt-app-ingress-colors",
      "chatgpt-app-ingress-preview",
      "chatgpt-app-release-unlock",
    ];
    const isStep = ({ type, name }: Recorded) =>
      type.startsWith("pulumi-nodejs:") || (type.startsWith("kubernetes:") && !after.includes(name));
    for (const { name } of whole.recorded.filter(isStep)) {
      if (name !== "chatgpt-app-release-unlock") expect([...before]).to.include(name);
    }
  });

  it("lets nothing delete what serves traffic, unless config says so", async () => {
    const held = (of: Recorder) =>
      of.recorded
        .filter(({ protect }) => protect)
        .map(({ type, name }) => `${type} ${name}`)
        .sort();
    expect(held(recorder)).to.deep.equal(
      [
        `${types.deployment} chatgpt-app-blue`,
        `${types.namespace} chatgpt-app`,
        `${types.service} chatgpt-app-service`,
        `${types.ingress} chatgpt-app-ingress`,
      ].sort(),
    );
    const switched = await recordApp({ ...someSettings, activeColor: "green" });
    expect(held(switched))
      .to.include(`${types.deployment} chatgpt-app-green`)
      .and.not.include(`${types.deployment} chatgpt-app-blue`);
    expect(held(await recordApp({ ...someSettings, deletionProtection: "false" }))).to.deep.equal([]);
  });

  it("asks for the gates' approval whenever the active Service is made or changed", () => {
    const { hooks } = recorder.one(types.service, "chatgpt-app-service");
    expect(hooks).to.deep.equal(["chatgpt-app-service-approval", "chatgpt-app-service-approval"]);
    expect([...allBefore(recorder, "chatgpt-app-switch-gate")]).to.include("chatgpt-app-blue-smoke");
    expect([...allBefore(recorder, "chatgpt-app-service")]).to.include("chatgpt-app-switch-gate");
  });

  it("tries out a change of the live color after the migrations and before its Deployment, in a pod as the Deployment wants it", async () => {
    const live = await recordApp({ ...someSettings, allowInPlaceUpdate: "true" });
    expect([...allBefore(live, "chatgpt-app-blue")]).to.include("chatgpt-app-preflight");
    expect([...allBefore(live, "chatgpt-app-preflight")])
      .to.include("chatgpt-app-migrations")
      .and.not.include("chatgpt-app-blue");
    const { inputs } = live.one(types.preflight, "chatgpt-app-preflight");
    const { spec } = live.one(types.deployment, "chatgpt-app-blue").inputs as {
      spec: { template: { spec: unknown; metadata: { annotations: Record<string, string> } } };
    };
    expect(inputs["pod"]).to.deep.equal(spec.template.spec);
    expect(inputs).to.deep.include({
      activeColor: "blue",
      version: "v1.2.3",
      template: spec.template.metadata.annotations["bluegreen.dev/pod-template-hash"],
      progressDeadlineSeconds: 300,
      smokeTimeoutSeconds: 300,
      minReadySeconds: 5,
    });
    expect(
      recorder.recorded.filter(({ type }) => type === types.preflight),
      "nothing to try out",
    ).to.deep.equal([]);
  });

  it("touches the other color only after traffic has left it", () => {
    expect([...allBefore(recorder, "chatgpt-app-green")]).to.include("chatgpt-app-service");
    expect([...allBefore(recorder, "chatgpt-app-service")]).not.to.include("chatgpt-app-green");
  });

  it("applies contract migrations last, and only where config names one", async () => {
    expect(recorder.recorded.filter(({ type }) => type === types.contract)).to.deep.equal([]);
    const folder = makeProgramFolder();
    folder.write("0001_one.sql", "-- phase: expand\nCREATE TABLE one (id int PRIMARY KEY, old text)");
    folder.write("0002_drop_old.sql", "-- phase: contract\nALTER TABLE one DROP COLUMN old");
    const contracting = await recordApp({
      ...someSettings,
      migrationsDir: folder.path,
      contractMigration: "0002",
    });
    expect(contracting.one(types.contract, "chatgpt-app-contract").inputs).to.deep.include({
      activeColor: "blue",
      afterHours: 24,
      goneWithinSeconds: 60,
    });
    expect([...allBefore(contracting, "chatgpt-app-contract")]).to.include.members([
      "chatgpt-app-switch",
      "chatgpt-app-green",
      "chatgpt-app-green-smoke",
    ]);
    for (const contractMigration of ["0001", "0009"]) {
      const message = await failureOf(
        recordApp({ ...someSettings, migrationsDir: folder.path, contractMigration }),
      );
      expect(message)
        .to.contain(`contractMigration "${contractMigration}" was refused`)
        .and.contain("are 0002")
        .and.contain("pulumi config");
    }
    folder.remove();
  });

  it("keeps separate databases together around the switch, says what that cannot do, and gives each color its Secret", async () => {
    for (const strategy of ["logicalReplication", "streamingReplica"]) {
      const separate = await recordApp({ ...someSettings, database: JSON.stringify({ strategy }) });
      expect([...allBefore(separate, "chatgpt-app-blue")]).to.include.members([
        "chatgpt-app-migrations",
        "chatgpt-app-database-sync",
      ]);
      expect([...allBefore(separate, "chatgpt-app-database-handover")]).to.include.members([
        "chatgpt-app-blue-smoke",
        "chatgpt-app-blue-schema",
      ]);
      expect([...allBefore(separate, "chatgpt-app-service")])
        .to.include("chatgpt-app-database-handover")
        .and.not.include("chatgpt-app-database-reconcile");
      expect([...allBefore(separate, "chatgpt-app-database-reconcile")]).to.include("chatgpt-app-service");
      expect([...allBefore(separate, "chatgpt-app-green")]).to.include("chatgpt-app-database-reconcile");
      expect(separate.one(types.sync, "chatgpt-app-database-sync").inputs).to.deep.include({
        strategy,
        allowDataLoss: false,
      });
      const deployment = JSON.stringify(separate.one(types.deployment, "chatgpt-app-green").inputs);
      expect(deployment)
        .to.contain('"name":"db-credentials-green"')
        .and.not.contain('"name":"db-credentials"');
    }
    expect(recorder.recorded.filter(({ name }) => name.includes("-database-"))).to.deep.equal([]);
    expect(() =>
      parseSettings("chatgpt-app", {
        ...someSettings,
        database: '{"strategy":"logicalReplication"}',
        databaseAdminUrl: "postgres://a@b/c",
        databaseAddress: "b:5432",
      }),
    ).to.throw("only with the strategy shared");
  });

  it("turns the order around when green is to be active", async () => {
    const switched = await recordApp({ ...someSettings, activeColor: "green" });
    expect(switched.one(types.service, "chatgpt-app-service").inputs["spec"]).to.deep.include({
      selector: { app: "chatgpt-app", version: "green" },
    });
    expect([...allBefore(switched, "chatgpt-app-service")]).to.include("chatgpt-app-green-smoke");
    expect([...allBefore(switched, "chatgpt-app-blue")]).to.include("chatgpt-app-service");
  });

  it("tells each gate what it has to see", () => {
    const { inputs } = recorder.one(types.smoke, "chatgpt-app-green-smoke");
    expect(inputs).to.deep.include({
      app: "chatgpt-app",
      color: "green",
      version: "v1.3.0",
      active: false,
      budgetSeconds: 300,
    });
    expect(recorder.one(types.rollout, "chatgpt-app-blue-rollout").inputs).to.deep.include({
      color: "blue",
      replicas: 3,
      active: true,
    });
    expect(recorder.one(types.migrations, "chatgpt-app-migrations").inputs["migrations"]).to.deep.equal([
      {
        id: "0001",
        name: "create_users",
        phase: "expand",
        checksum: "310cc9f6ad606b636e14baf678fc111fe97d88c4ac38450c7378c21b81721979",
      },
      {
        id: "0002",
        name: "add_user_tier",
        phase: "expand",
        checksum: "d28f90e7d8802a1986f78a376e9846cc068dcca1e0a163c8cbad6324ed97e8f8",
      },
    ]);
  });

  it("has no write freeze unless config asks for one", () => {
    expect(
      recorder.recorded.filter(({ type }) => type === types.writeFreeze || type === types.writeFreezeEnd),
    ).to.deep.equal([]);
  });

  it("raises the write freeze when the active color has passed its gates, and lowers it when traffic has moved", async () => {
    const frozen = await recordApp({
      ...someSettings,
      writeFreeze: '{"maxSeconds":30,"gracePeriodMs":500,"redisUrl":"redis://redis:6379"}',
    });
    expect([...allBefore(frozen, "chatgpt-app-write-freeze")])
      .to.include.members(["chatgpt-app-blue-rollout", "chatgpt-app-blue-smoke"])
      .and.not.include("chatgpt-app-service");
    expect([...allBefore(frozen, "chatgpt-app-service")])
      .to.include("chatgpt-app-write-freeze")
      .and.not.include("chatgpt-app-write-freeze-end");
    expect([...allBefore(frozen, "chatgpt-app-write-freeze-end")]).to.include.members([
      "chatgpt-app-service",
      "chatgpt-app-write-freeze",
    ]);
    const { inputs } = frozen.one(types.writeFreeze, "chatgpt-app-write-freeze");
    expect(inputs).to.deep.include({
      app: "chatgpt-app",
      stack: "acme/chatgpt-app/test",
      color: "blue",
      seconds: 30,
      gracePeriodMs: 500,
      redisUrl: "redis://redis:6379",
    });
    const elsewhere = await recordApp({
      ...someSettings,
      writeFreeze: '{"maxSeconds":30,"redisUrl":"redis://localhost:7000"}',
    });
    for (const [type, name] of [
      [types.writeFreeze, "chatgpt-app-write-freeze"],
      [types.writeFreezeEnd, "chatgpt-app-write-freeze-end"],
    ] as const) {
      const { inputs: each, secretOutputs } = elsewhere.one(type, name);
      expect(each["redisUrl"]).to.equal("redis://localhost:7000");
      expect(secretOutputs, "never readable in state").to.deep.equal(["redisUrl"]);
    }
  });

  it("keeps a color without a tag at zero and without gates", async () => {
    const first = await recordApp({ ...someSettings, greenTag: "" });
    expect(first.one(types.deployment, "chatgpt-app-green").inputs["spec"]).to.deep.include({ replicas: 0 });
    expect(
      first.recorded.filter(
        ({ type, name }) =>
          name.startsWith("chatgpt-app-green-") && [types.rollout, types.smoke, types.schema].includes(type),
      ),
    ).to.deep.equal([]);
    expect(first.one(types.lock, "chatgpt-app-live-lock").inputs["templates"]).to.deep.include({
      green: null,
    });
  });

  it("marks pods that would change, and only those", async () => {
    const hashes = async (config: Record<string, string>) =>
      (await recordApp({ ...someSettings, ...config })).one(types.lock, "chatgpt-app-live-lock").inputs[
        "templates"
      ] as Record<string, string>;
    const plain = await hashes({});
    const green = await hashes({ greenTag: "v1.4.0" });
    expect(green["blue"]).to.equal(plain["blue"]);
    expect(green["green"]).not.to.equal(plain["green"]);
    expect(await hashes({ replicas: "5" })).to.deep.equal(plain);
    expect((await hashes({ env: '{"LOG_LEVEL":"debug"}' }))["blue"]).not.to.equal(plain["blue"]);
  });

  it("makes the database account and its Secret where config lets it", async () => {
    const own = await recordApp({
      ...someSettings,
      databaseAdminUrl: "postgres://admin@localhost/postgres?host=%2Frun%2Fpg",
      databaseAddress: "10.0.0.1:5432",
    });
    const secret = own.one(types.secret, "chatgpt-app-database");
    expect(secret.inputs["stringData"]).to.deep.equal({
      url: "postgres://chatgpt_production_chatgpt_app:generated-chatgpt-app-database@10.0.0.1:5432/chatgpt_production_chatgpt_app",
      "direct-url":
        "postgres://chatgpt_production_chatgpt_app:generated-chatgpt-app-database@localhost/chatgpt_production_chatgpt_app?host=%2Frun%2Fpg",
    });
    expect([...allBefore(own, "chatgpt-app-migrations")]).to.include("chatgpt-app-database");
  });

  it("has pods encrypt and trust as the administrator does, without being taken for him", async () => {
    const asked =
      "sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&channel_binding=require&sslnegotiation=direct";
    const own = await recordApp({
      ...someSettings,
      databaseAdminUrl: `postgres://admin@db.example.com/postgres?connect_timeout=3&${asked}&sslcert=%2Fhome%2Fyou%2Fadmin.crt&sslkey=%2Fhome%2Fyou%2Fadmin.key`,
      databaseAddress: "10.0.0.1:5432",
    });
    const data = own.one(types.secret, "chatgpt-app-database").inputs["stringData"] as Record<string, string>;
    expect(data["url"]).to.equal(
      `postgres://chatgpt_production_chatgpt_app:generated-chatgpt-app-database@10.0.0.1:5432/chatgpt_production_chatgpt_app?${asked}`,
    );
    expect(data["direct-url"]).to.match(
      new RegExp(
        `^postgres://chatgpt_production_chatgpt_app:generated-chatgpt-app-database@db\\.example\\.com/chatgpt_production_chatgpt_app\\?connect_timeout=3&${asked}&sslcert=`,
      ),
    );
  });

  it("says of the database account which stack makes it, and where", async () => {
    const own = await recordApp({
      ...someSettings,
      context: "production",
      databaseAdminUrl: "postgres://admin@localhost/postgres",
      databaseAddress: "10.0.0.1:5432",
    });
    const account = own.recorded.find(
      ({ type }) => type === "pulumi-nodejs:dynamic/bluegreen:DatabaseAccount",
    );
    expect(account?.inputs).to.deep.include({
      stack: "acme/chatgpt-app/test",
      context: "production",
      namespace: "chatgpt-production",
      name: "chatgpt_production_chatgpt_app",
    });
  });

  it("makes the Secret for alerts before any gate can fail, and gives what is in it to nothing else", async () => {
    expect(recorder.recorded.filter(({ name }) => name.includes("alerts"))).to.deep.equal([]);
    const alerts = {
      slackUrl: "https://hooks.example.com/hunter2",
      webhookUrl: "https://example.com/hunter2",
      webhookSecret: "hunter2-hunter2-hunter2",
      pagerDutyKey: "hunter2hunter2hunter2hunter2hunt",
    };
    const alerted = await recordApp({ ...someSettings, alerts: JSON.stringify(alerts) });
    const { inputs } = alerted.one(types.secret, "chatgpt-app-alerts");
    expect(inputs["metadata"]).to.deep.include({ name: "chatgpt-app-alerts" });
    expect(inputs["stringData"]).to.deep.equal({
      "slack-url": alerts.slackUrl,
      "webhook-url": alerts.webhookUrl,
      "webhook-secret": alerts.webhookSecret,
      "pagerduty-key": alerts.pagerDutyKey,
    });
    expect([...allBefore(alerted, "chatgpt-app-blue-rollout")]).to.include("chatgpt-app-alerts");
    for (const { name, readable } of alerted.recorded)
      expect(readable, `${name}, as the state has it`).to.contain("{").and.not.contain("hunter2");
    const slackAlone = await recordApp({
      ...someSettings,
      alerts: JSON.stringify({ slackUrl: alerts.slackUrl }),
    });
    expect(slackAlone.one(types.secret, "chatgpt-app-alerts").inputs["stringData"]).to.deep.equal({
      "slack-url": alerts.slackUrl,
    });
  });

  it("analyzes after traffic has moved, and before the other color changes", () => {
    expect([...allBefore(recorder, "chatgpt-app-analysis")]).to.include.members([
      "chatgpt-app-service",
      "chatgpt-app-switch-gate",
    ]);
    expect([...allBefore(recorder, "chatgpt-app-green")]).to.include("chatgpt-app-analysis");
  });

  it("drains a color after traffic has left it, beside the analysis, and before it changes", async () => {
    expect([...allBefore(recorder, "chatgpt-app-drain")])
      .to.include.members(["chatgpt-app-service", "chatgpt-app-switch-gate"])
      .and.not.include("chatgpt-app-analysis");
    expect([...allBefore(recorder, "chatgpt-app-analysis")]).to.not.include("chatgpt-app-drain");
    expect([...allBefore(recorder, "chatgpt-app-green")]).to.include("chatgpt-app-drain");
    expect(recorder.one(types.drain, "chatgpt-app-drain").inputs).to.deep.include({
      activeColor: "blue",
      seconds: 30,
    });
    const undrained = await recordApp({ ...someSettings, connectionDrain: '{"timeoutSeconds":0,"port":0}' });
    expect(undrained.recorded.filter(({ type }) => type === types.drain)).to.deep.equal([]);
    expect(JSON.stringify(undrained.one(types.deployment, "chatgpt-app-blue").inputs)).to.not.contain(
      "BLUEGREEN_DRAIN_PORT",
    );
    const shared = await recordApp({
      ...someSettings,
      traffic: '{"strategy":"weighted","router":"traefik"}',
      canaryWeight: "10",
    });
    expect(
      shared.recorded.filter(({ type }) => type === types.drain),
      "traffic is on the other color, too",
    ).to.deep.equal([]);
  });

  it("has no analysis controller unless config names its image", async () => {
    const named = ({ recorded }: Recorder) =>
      recorded
        .filter(({ name }) => name === "chatgpt-app-analysis")
        .map(({ type }) => type.split(":").at(-1));
    expect(named(recorder)).to.have.members(["AnalysisController", "Analysis"]);
    expect(
      recorder.one("pulumi-nodejs:dynamic/bluegreen:SwitchGate", "chatgpt-app-switch-gate").inputs[
        "controller"
      ],
    ).to.equal(false);
    const controlled = await recordApp({
      ...someSettings,
      analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
    });
    expect(named(controlled)).to.have.members([
      "AnalysisController",
      "Analysis",
      "ServiceAccount",
      "Role",
      "RoleBinding",
      "Deployment",
    ]);
    expect([...allBefore(controlled, "chatgpt-app-switch-gate")]).to.include("chatgpt-app-analysis");
    expect(
      controlled.one("pulumi-nodejs:dynamic/bluegreen:SwitchGate", "chatgpt-app-switch-gate").inputs[
        "controller"
      ],
    ).to.equal(true);
  });

  it("tells the analysis controller by its Deployment what it goes by, and nothing to run", async () => {
    const database = {
      strategy: "streamingReplica",
      rebuildCommand: ["/usr/local/bin/rebuild-standby"],
      timeoutSeconds: 30,
    };
    const controlled = await recordApp({
      ...someSettings,
      analysis: JSON.stringify({
        controllerImage: "ghcr.io/you/analysis-controller:1",
        failureThreshold: 7,
        webhookUrl: "https://checks.example.com/shop",
      }),
      canaryStepSeconds: "120",
      database: JSON.stringify(database),
      connectionDrain: '{"timeoutSeconds":45}',
    });
    const { spec } = controlled.one(types.deployment, "chatgpt-app-analysis").inputs as {
      spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } };
    };
    const text =
      spec.template.spec.containers[0]?.env.find(({ name }) => name === "ANALYSIS_SETTINGS")?.value ?? "";
    expect(text).not.to.contain("rebuild");
    const settings = readControllerSettings(text);
    expect(settingsFor({ weight: 100 }, settings)).to.deep.equal({
      limits: {
        durationSeconds: 600,
        intervalSeconds: 30,
        failureThreshold: 7,
        latencySeconds: 5,
        slowerThanBefore: "report",
        logErrors: 5,
        metrics: {
          path: "/metrics",
          port: 0,
          name: "",
          statusLabel: "",
          errorStatus: "5(\\d\\d|xx)",
          pathLabel: "",
          ownPaths: ["/health", "/ready", "/metrics"],
        },
        maxErrorPercent: 0,
        noData: "continue",
        requestsFrom: "pods",
        series: null,
        routerMetricsUrl: "",
        prometheusUrl: "",
        prometheusQueries: [],
        webhookUrl: "https://checks.example.com/shop",
      },
      standbyHours: 24,
      route: null,
      database: {
        strategy: "streamingReplica",
        databaseSecret: "db-credentials",
        allowDataLoss: false,
        rebuildCommand: [],
        rebuildTimeoutSeconds: 0,
        timeoutSeconds: 30,
        preStopDelaySeconds: 5,
      },
      connectionDrainSeconds: 45,
    });
    expect(settingsFor({ weight: 10 }, settings))
      .to.deep.include({ database: null })
      .and.have.property("limits")
      .that.deep.include({ durationSeconds: 120, intervalSeconds: 30, failureThreshold: 7 });
    const update = controlled.one("pulumi-nodejs:dynamic/bluegreen:Analysis", "chatgpt-app-analysis").inputs;
    expect(update["database"], "an update runs it").to.deep.include({
      rebuildCommand: database.rebuildCommand,
      rebuildTimeoutSeconds: 3600,
    });
    expect(update["limits"]).to.deep.equal(settings.limits);
  });

  it("lets the analysis controller move this app's Service and write its own notes, and nothing else", async () => {
    const rulesOf = async (config: Record<string, string>) => {
      const controlled = await recordApp({
        ...someSettings,
        analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
        ...config,
      });
      return (
        controlled.one("kubernetes:rbac.authorization.k8s.io/v1:Role", "chatgpt-app-analysis").inputs[
          "rules"
        ] as { resources: string[]; resourceNames?: string[]; verbs: string[] }[]
      ).flat();
    };
    const rules = await rulesOf({});
    const writing = rules.filter(({ verbs }) => verbs.some((verb) => !["get", "list"].includes(verb)));
    expect(
      writing.every(
        ({ resourceNames }) =>
          resourceNames !== undefined && resourceNames.every((name) => name.startsWith("chatgpt-app-")),
      ),
    ).to.equal(true);
    expect(rules.flatMap(({ verbs }) => verbs))
      .to.not.include("create")
      .and.not.include("delete");
    const secrets = (all: typeof rules) =>
      all
        .filter(({ resources }) => resources.includes("secrets"))
        .flatMap(({ resourceNames }) => resourceNames);
    expect(secrets(rules)).to.deep.equal(["chatgpt-app-alerts"]);
    expect(secrets(await rulesOf({ database: '{"strategy":"logicalReplication"}' }))).to.have.members([
      "chatgpt-app-alerts",
      "db-credentials-blue",
      "db-credentials-green",
    ]);
  });

  it("has a disruption budget for each color", () => {
    for (const color of ["blue", "green"]) {
      expect(recorder.one(types.budget, `chatgpt-app-${color}`).inputs["spec"]).to.deep.include({
        maxUnavailable: 1,
      });
    }
  });
});
