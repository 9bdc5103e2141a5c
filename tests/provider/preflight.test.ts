import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { poll, type PreflightInputs } from "@bluegreen/release";
import { loadImages } from "../../local/stage";
import { findProcesses } from "../../local/system/processes";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

describe("The preflight pod of a live change, in Pulumi's provider process and on a real cluster", function () {
  let test: TestNamespace;
  let step: RunningStep;
  let mark: string;
  before(async () => {
    test = await makeNamespace();
    const { core, apps } = test.cluster;
    const labels = { app: "chatgpt-app", version: "blue" };
    await core.createNamespacedService({
      namespace: test.namespace,
      body: { metadata: { name: "chatgpt-app-service" }, spec: { selector: labels, ports: [{ port: 80 }] } },
    });
    const template = {
      metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "live" } },
      spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] },
    };
    await apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: {
        metadata: { name: "chatgpt-app-blue" },
        spec: { replicas: 0, selector: { matchLabels: labels }, template },
      },
    });
  });
  after(() => test.remove());

  beforeEach(async () => {
    mark = `MARK=${randomBytes(6).toString("hex")}`;
    step = await startStep("preflight", { KUBECONFIG: test.stage.kubeconfig, MARK: mark.slice(5) });
  });
  afterEach(() => step.close());

  const inputs = (part: Partial<PreflightInputs> = {}): PreflightInputs => ({
    ...test.where,
    strategy: "shared",
    databaseSecret: "db-credentials",
    activeColor: "blue",
    template: "wanted",
    labels: { team: "shop" },
    annotations: {},
    podAnnotations: {},
    // No registry has it: the pod is there and never ready.
    pod: {
      containers: [
        {
          name: "mcp-server",
          image: "nowhere.invalid/app:v2",
          ports: [{ name: "http", containerPort: 3000 }],
        },
      ],
    },
    version: "v2",
    minReadySeconds: 0,
    progressDeadlineSeconds: 50,
    suite: "tests/smoke/**/*.ts",
    suiteEnv: [],
    smokeTimeoutSeconds: 10,
    ...part,
  });
  const pods = async () => (await test.cluster.core.listNamespacedPod({ namespace: test.namespace })).items;
  const leave = (name: string) =>
    test.cluster.core.createNamespacedPod({
      namespace: test.namespace,
      body: {
        metadata: { name, labels: { "bluegreen.dev/preflight": "chatgpt-app" } },
        spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] },
      },
    });

  it("is needed where the live color would change in place, and nowhere else", async () => {
    const needed = async (part: Partial<PreflightInputs>) => step.changes(inputs(), inputs(part));
    expect(await needed({})).to.equal("some");
    expect(await needed({ template: "live" }), "nothing changes").to.equal("none");
    expect(await needed({ activeColor: "green" }), "traffic moves, through the gates of a switch").to.equal(
      "none",
    );
    await leave("chatgpt-app-green-preflight");
    expect(await needed({ template: "live" }), "a killed run has left something").to.equal("some");
    expect(await step.create(inputs({ template: "live" }))).to.include({ passedTests: 0 });
    expect(await pods()).to.deep.equal([]);
  });

  it("has nothing to do in a first release", async () => {
    expect(await step.create(inputs({ app: "another-app" }))).to.include({ passedTests: 0 });
    expect(await pods()).to.deep.equal([]);
  });

  it("gives the reason that a rollout would give, and leaves no pod", async () => {
    await leave("chatgpt-app-blue-preflight");
    const message = await failureOf(step.create(inputs()));
    expect(message).to.contain(
      "The change of blue, which serves traffic, was refused before it reached users",
    );
    expect(message)
      .to.match(/pod chatgpt-app-blue-preflight, (ErrImagePull|ImagePullBackOff)/)
      .and.contain("nowhere.invalid/app:v2")
      .and.contain("blueTag")
      .and.contain("Live traffic stays on blue");
    expect(await pods()).to.deep.equal([]);
  });

  it("gives the pod's reason where it was ready and has crashed, and not that of tests without an answer", async () => {
    const [image = ""] = await loadImages([{ tag: "v1", release: "v1", fault: "none" }]);
    const script = `
      const { existsSync, writeFileSync } = require("node:fs");
      if (existsSync("/state/asked")) process.exit(3);
      const crash = () => { writeFileSync("/state/asked", ""); process.exit(3); };
      require("node:http").createServer(crash).listen(3000);`;
    const container = {
      name: "mcp-server",
      image,
      command: ["node", "-e", script],
      ports: [{ name: "http", containerPort: 3000 }],
      volumeMounts: [{ name: "state", mountPath: "/state" }],
    };
    const pod = { containers: [container], volumes: [{ name: "state", emptyDir: {} }] };
    const message = await failureOf(step.create(inputs({ pod, strategy: null })));
    expect(message)
      .to.contain("pod chatgpt-app-blue-preflight, CrashLoop")
      .and.contain("last exit code 3")
      .and.contain("put v2 on green");
    expect(await pods()).to.deep.equal([]);
  });

  it("says for how long it has waited, and what for", async () => {
    const { containers } = inputs().pod as { containers: Record<string, string>[] };
    const tooLarge = containers.map((container) => ({
      ...container,
      resources: { requests: { cpu: "1000" } },
    }));
    const message = await failureOf(
      step.create(inputs({ pod: { containers: tooLarge }, progressDeadlineSeconds: 3 })),
    );
    expect(message)
      .to.contain("Pod ")
      .and.contain("/chatgpt-app-blue-preflight was not ready within 3 s")
      .and.contain("Insufficient cpu")
      .and.contain("progressDeadlineSeconds");
    expect(await pods()).to.deep.equal([]);
  });

  it("says why the API server takes no such pod", async () => {
    await test.cluster.core.replaceNamespace({
      name: test.namespace,
      body: {
        metadata: { name: test.namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      },
    });
    try {
      expect(await failureOf(step.create(inputs())))
        .to.contain("chatgpt-app-blue-preflight could not be made")
        .and.contain("violates PodSecurity")
        .and.contain("Live traffic stays on blue");
    } finally {
      await test.cluster.core.replaceNamespace({
        name: test.namespace,
        body: { metadata: { name: test.namespace } },
      });
    }
    expect(await pods()).to.deep.equal([]);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends on ${signal} at once, and takes its pod along`, async () => {
      const failing = failureOf(step.create(inputs()));
      const made = await poll(async () => (await pods())[0], { timeoutMs: 300_000 });
      expect(made.metadata?.labels, "those of every object").to.deep.equal({
        team: "shop",
        "bluegreen.dev/preflight": "chatgpt-app",
      });
      const provider = await poll(
        async () => (await findProcesses((_args, environment) => environment.includes(mark)))[0],
        { timeoutMs: 300_000 },
      );
      process.kill(provider, signal);
      expect(await failing)
        .to.contain(signal)
        .and.contain("the update was interrupted");
      expect(await pods()).to.deep.equal([]);
    });
  }
});
