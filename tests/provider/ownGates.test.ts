import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { names, poll, switchAnnotation } from "@bluegreen/release";
import type { Gate } from "@bluegreen/release/config/gates";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import { podSecurity } from "@bluegreen/release/app/color";
import { BatchV1Api, type V1Job } from "@bluegreen/release/kubernetes/client";
import { readHistory } from "@bluegreen/release/state/history";
import { readOutcome } from "@bluegreen/release/state/outcomes";
import { readRelease, writeRelease } from "@bluegreen/release/state/record";
import { loadImages } from "../../local/stage";
import { findProcesses } from "../../local/system/processes";
import { failureOf, liveColor } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

const app = "chatgpt-app";

describe("Gates and migrations of the user's, in Pulumi's provider process and on a real cluster", function () {
  let test: TestNamespace;
  let jobs: BatchV1Api;
  let image: string;
  let step: RunningStep;
  let mark: string;

  before(async () => {
    test = await makeNamespace();
    [image = ""] = await loadImages([{ tag: "v1", release: "v1", fault: "none" }]);
    const { cluster, namespace } = test;
    jobs = cluster.config.makeApiClient(BatchV1Api);
    await cluster.core.replaceNamespace({
      name: namespace,
      body: { metadata: { name: namespace, labels: podSecurity } },
    });
    await cluster.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: names.activeService(app) },
        spec: { selector: { app, version: "blue" }, ports: [{ port: 80 }] },
      },
    });
    await cluster.core.createNamespacedServiceAccount({
      namespace,
      body: { metadata: { name: names.account(app, "green") } },
    });
    await cluster.core.createNamespacedSecret({
      namespace,
      body: { metadata: { name: "tokens" }, stringData: { token: "hunter2" } },
    });
  });
  after(() => test.remove());

  const start = async (name: Parameters<typeof startStep>[0]) => {
    mark = `MARK=${randomBytes(6).toString("hex")}`;
    step = await startStep(name, {
      KUBECONFIG: test.stage.kubeconfig,
      MARK: mark.slice(5),
      GATE_TOKEN: "hunter2",
    });
  };
  afterEach(() => step.close());

  const gate = (part: Partial<Gate>): Gate => ({
    name: "load",
    when: "beforeRollout",
    command: [],
    job: null,
    env: {},
    passEnv: [],
    timeoutSeconds: 120,
    ...part,
  });
  const inputs = (part: Partial<Gate>, more: object = {}) => ({
    ...test.where,
    activeColor: "green",
    color: "green",
    version: "v2",
    template: "abc",
    account: names.account(app, "green"),
    imagePullSecrets: [],
    gate: gate(part),
    ...more,
  });
  const inCluster = (script: string, envFromSecrets: Record<string, string> = {}): Partial<Gate> => ({
    job: {
      image,
      command: ["node", "-e", script],
      envFromSecrets,
      requests: { cpu: "10m", memory: "32Mi" },
      limits: { cpu: "1", memory: "128Mi" },
    },
  });
  const allJobs = async (): Promise<V1Job[]> =>
    (await jobs.listNamespacedJob({ namespace: test.namespace })).items;
  const removeJobs = async () => {
    for (const { metadata } of await allJobs())
      await jobs.deleteNamespacedJob({
        namespace: test.namespace,
        name: metadata?.name ?? "",
        propagationPolicy: "Foreground",
      });
    await poll(async () => ((await allJobs()).length === 0 ? true : undefined), { timeoutMs: 300_000 });
  };
  const killProvider = async () => {
    const provider = await poll(
      async () => (await findProcesses((_args, environment) => environment.includes(mark)))[0],
      { timeoutMs: 300_000 },
    );
    process.kill(provider, "SIGKILL");
  };

  describe("a command", () => {
    it("passes by its exit code, is shown, and is kept in the record of the release", async () => {
      await start("gateBeforeRollout");
      const command = ["sh", "-c", "echo $BLUEGREEN_COLOR $BLUEGREEN_VERSION; echo token $GATE_TOKEN >&2"];
      const { outcome } = await step.create(inputs({ command, passEnv: ["GATE_TOKEN"] }));
      expect(outcome).to.match(/^passed in \d+\.\d s$/);
      expect(await step.shows("gate load: green v2")).to.equal("gate load: green v2");
      expect(await step.shows("gate load: token [secret]")).to.equal("gate load: token [secret]");
      expect(await readOutcome(test.cluster, app, "gate.load")).to.deep.include({
        template: "abc",
        version: "v2",
        hasPassed: true,
        how: "ended with code 0",
      });
    });

    it("stops the update with its last lines, and says where live traffic is", async () => {
      await start("gateBeforeRollout");
      const failure = await failureOf(
        step.create(inputs({ command: ["sh", "-c", "echo p99 was 3 s; exit 7"] })),
      );
      expect(failure)
        .to.contain("Gate load of green (v2) did not pass: its command ended with code 7")
        .and.contain("p99 was 3 s")
        .and.contain("BG-GATE-FAILED")
        .and.contain("Live traffic stays on blue");
    });

    it("is run again for another template or another gate, and not where its pods are there", async () => {
      await start("gateBeforeRollout");
      const last = inputs({ command: ["true"] });
      expect(await step.changes(last, last)).to.equal("none");
      expect(await step.changes(last, { ...last, template: "def" })).to.equal("some");
      expect(await step.changes(last, inputs({ command: ["false"] }))).to.equal("some");
      const labels = { app, version: "green" };
      await test.cluster.apps.createNamespacedDeployment({
        namespace: test.namespace,
        body: {
          metadata: { name: names.deployment(app, "green") },
          spec: {
            replicas: 0,
            selector: { matchLabels: labels },
            template: {
              metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "def" } },
              spec: { containers: [{ name: "app", image: "nowhere.invalid/app:v1" }] },
            },
          },
        },
      });
      expect(await step.changes(last, { ...last, template: "def" })).to.equal("none");
      expect(await step.create(inputs({ command: ["false"] }, { template: "def" }))).to.include({
        outcome: "not run: the color runs this template already",
      });
      await test.cluster.apps.deleteNamespacedDeployment({
        namespace: test.namespace,
        name: names.deployment(app, "green"),
      });
    });

    it("before a switch runs each time traffic is to move, and before a scale-down where there are pods", async () => {
      await start("gateBeforeSwitch");
      const last = inputs({ command: ["true"] }, { weight: 100, route: null });
      expect(await step.changes(last, last)).to.equal("some");
      expect(await step.changes(last, { ...last, color: "blue" })).to.equal("none");
      const down = inputs({ command: ["true"] }, { standby: "green", color: "blue" });
      expect(await step.beside("gateBeforeScaleDown").changes(down, down)).to.equal("none");
    });
  });

  describe("a Job", () => {
    afterEach(removeJobs);

    it("that passes is shown without the Secrets that it got, and leaves nothing behind", async () => {
      await start("gateBeforeRollout");
      const script =
        "console.log(process.env.BLUEGREEN_COLOR, process.env.TOKEN); require('fs').writeFileSync('/tmp/x', '');";
      expect(await step.create(inputs(inCluster(script, { TOKEN: "tokens/token" })))).to.have.property(
        "outcome",
      );
      expect(await step.shows("gate load: green [secret]")).to.equal("gate load: green [secret]");
      expect(await allJobs()).to.deep.equal([]);
    });

    it("that fails stops the update, stays to be inspected, and is replaced by the next one", async () => {
      await start("gateBeforeRollout");
      const failing = inputs(inCluster("console.log('no route'); process.exit(4)"));
      for (const run of ["first", "second"])
        expect(await failureOf(step.create(failing)), run)
          .to.contain("its Job ended with code 4")
          .and.contain("no route");
      expect(await allJobs()).to.have.length(1);
    });

    it("that takes too long is ended, and said so", async () => {
      await start("gateBeforeRollout");
      const endless = { ...inCluster("setInterval(() => {}, 1000)"), timeoutSeconds: 8 };
      expect(await failureOf(step.create(inputs(endless))))
        .to.contain("ran out of its 8 s")
        .and.contain("BG-GATE-TIMEOUT");
    });

    it("whose pod waits for a node is waited for: a node may have to be started first", async () => {
      await start("gateBeforeRollout");
      const { job } = inCluster("");
      const much = { cpu: "1000", memory: "32Mi" };
      const more = { requests: much, limits: much };
      expect(
        await failureOf(
          step.create(inputs({ job: { ...(job as NonNullable<Gate["job"]>), ...more }, timeoutSeconds: 8 })),
        ),
      )
        .to.contain("ran out of its 8 s")
        .and.contain("BG-GATE-TIMEOUT");
    });

    it("whose image is not there is said before its time is over", async () => {
      await start("gateBeforeRollout");
      const { job } = inCluster("");
      expect(job).to.be.an("object");
      const failure = await failureOf(
        step.create(inputs({ job: { ...(job as NonNullable<Gate["job"]>), image: "nowhere.invalid/k6:1" } })),
      );
      expect(failure)
        .to.contain("BG-JOB-NOT-STARTED")
        .and.match(/ErrImagePull|ImagePullBackOff/);
    });

    it("that a killed update has left running is followed to its end", async () => {
      await start("gateBeforeRollout");
      // Long enough for the update to be killed while it runs.
      const slow = inputs(inCluster("setTimeout(() => console.log('slow end'), 30000)"));
      const killed = failureOf(step.create(slow));
      await poll(async () => ((await allJobs()).length > 0 ? true : undefined), { timeoutMs: 300_000 });
      await killProvider();
      await killed;
      const [first] = await allJobs();
      await start("gateBeforeRollout");
      expect(await step.create(slow)).to.have.property("outcome");
      await step.shows("still runs: it is followed");
      await step.shows("slow end");
      expect(first?.metadata?.uid).to.be.a("string");
      expect(await allJobs()).to.deep.equal([]);
    });

    it("ends with the update that somebody interrupts", async () => {
      await start("gateBeforeRollout");
      const failing = failureOf(step.create(inputs(inCluster("setInterval(() => {}, 1000)"))));
      await poll(async () => ((await allJobs()).length > 0 ? true : undefined), { timeoutMs: 300_000 });
      const provider = await poll(
        async () => (await findProcesses((_args, environment) => environment.includes(mark)))[0],
        { timeoutMs: 300_000 },
      );
      process.kill(provider, "SIGINT");
      expect(await failing).to.contain("the update was interrupted");
      expect(await allJobs()).to.deep.equal([]);
    });
  });

  describe("migrations by command", () => {
    afterEach(removeJobs);
    const migrating = (script: string, template: string) => ({
      ...test.where,
      activeColor: "blue",
      color: "green",
      version: "v2",
      template,
      container: "app",
      command: ["node", "-e", script],
      timeoutSeconds: 120,
      pod: {
        serviceAccountName: names.account(app, "green"),
        automountServiceAccountToken: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 10001,
          seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
          {
            name: "app",
            image,
            env: [
              {
                name: "DATABASE_URL",
                valueFrom: { secretKeyRef: { name: "tokens", key: "token" } },
              },
            ],
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            },
            readinessProbe: { httpGet: { path: "/ready", port: 3000 } },
          },
        ],
      },
    });

    it("run in the app's image with its Secrets, once for a template", async () => {
      await start("migrationCommand");
      const first = migrating("console.log('migrated', process.env.DATABASE_URL)", "one");
      expect(await step.create(first))
        .to.have.property("outcome")
        .that.matches(/^done in/);
      expect(await step.shows("migrations: migrated [secret]")).to.equal("migrations: migrated [secret]");
      // The state was lost.
      expect(await step.create(first)).to.include({ outcome: "not run: it has run for this template" });
      expect(await step.changes(first, { ...first, template: "two" })).to.equal("some");
      expect(await allJobs()).to.deep.equal([]);
    });

    it("stop the update when they fail, and run again", async () => {
      await start("migrationCommand");
      const failing = migrating("console.error('relation users does not exist'); process.exit(1)", "three");
      for (const run of ["first", "second"])
        expect(await failureOf(step.create(failing)), run)
          .to.contain("BG-MIGRATION-COMMAND-FAILED")
          .and.contain("relation users does not exist")
          .and.contain("no pod of green was changed")
          .and.contain("Live traffic stays on blue");
      expect(await readOutcome(test.cluster, app, "migrations.green")).to.include({ hasPassed: false });
    });

    it("that have ended well after their update was killed are not run twice", async () => {
      await start("migrationCommand");
      const slow = migrating("setTimeout(() => console.log('migrated slowly'), 5000)", "four");
      const killed = failureOf(step.create(slow));
      await poll(async () => ((await allJobs()).length > 0 ? true : undefined), { timeoutMs: 300_000 });
      await killProvider();
      await killed;
      await poll(async () => ((await allJobs())[0]?.status?.succeeded === 1 ? true : undefined), {
        timeoutMs: 300_000,
      });
      await start("migrationCommand");
      expect(await step.create(slow)).to.have.property("outcome");
      await step.shows("has ended well");
      expect(await allJobs()).to.deep.equal([]);
    });
  });

  describe("a gate after the switch", () => {
    const blue = { color: "blue", image: "repo/app:v1", template: "a" } as const;
    const green = { color: "green", image: "repo/app:v2", template: "abc" } as const;
    const isReady = (color: "blue" | "green") =>
      test.cluster.discovery.createNamespacedEndpointSlice({
        namespace: test.namespace,
        body: {
          metadata: {
            name: `${app}-${color}-ready`,
            labels: { "kubernetes.io/service-name": names.colorService(app, color) },
          },
          addressType: "IPv4",
          ports: [{ name: "http", port: 3000, protocol: "TCP" }],
          endpoints: [
            {
              addresses: ["10.255.255.1"],
              targetRef: { kind: "Pod", name: color, namespace: test.namespace },
            },
          ],
        },
      });
    const switched = async (id: string) => {
      const name = names.activeService(app);
      const service = await test.cluster.core.readNamespacedService({ name, namespace: test.namespace });
      Object.assign(service.metadata ?? {}, { annotations: { [switchAnnotation]: id } });
      Object.assign(service.spec?.selector ?? {}, { version: "green" });
      await test.cluster.core.replaceNamespacedService({ name, namespace: test.namespace, body: service });
      await writeRelease(test.cluster, app, {
        id,
        kind: "switch",
        weight: 100,
        to: green,
        from: blue,
        who: "a test",
        why: "a test",
        at: new Date().toISOString(),
        state: "analyzing",
        baseline: noBaseline,
        contracts: { waiting: [] },
      });
    };
    const after = (part: Partial<Gate>, switchId: string) =>
      inputs(
        { when: "afterSwitch", ...part },
        { switchId, route: null, database: null, connectionDrainSeconds: 0, standbyHours: 24, limits: {} },
      );

    it("that passes changes nothing; one that fails rolls back traffic, and says why everywhere", async () => {
      await isReady("blue");
      await isReady("green");
      await switched("s1");
      await start("gateAfterSwitch");
      const passing = after({ command: ["true"] }, "s1");
      expect(await step.create(passing)).to.have.property("outcome");
      expect(await liveColor(test.cluster)).to.equal("green");
      expect(await step.changes(passing, passing)).to.equal("none");
      expect(await step.create(after({ command: ["false"] }, "another")), "not its switch")
        .to.have.property("outcome")
        .that.contains("not run");

      const failure = await failureOf(
        step.create(after({ command: ["sh", "-c", "echo 5xx; exit 9"] }, "s1")),
      );
      expect(failure)
        .to.contain("BG-ROLLED-BACK")
        .and.contain("traffic is on blue again")
        .and.contain("ended with code 9")
        .and.contain("5xx");
      expect(await liveColor(test.cluster)).to.equal("blue");
      expect((await readRelease(test.cluster, app))?.state).to.equal("rolledBack");
      expect((await readHistory(test.cluster, app)).at(-1)).to.deep.include({
        kind: "rollback",
        why: "gate load did not pass: ended with code 9",
        evidence: ["5xx"],
      });
    });
  });
});
