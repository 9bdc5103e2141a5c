import { expect } from "chai";
import { names, poll } from "@bluegreen/release";
import type { Gate } from "@bluegreen/release/config/gates";
import { waitForController } from "@bluegreen/release/gates/controllerReady";
import { whyNotStarted } from "@bluegreen/release/jobs/jobPod";
import { BatchV1Api } from "@bluegreen/release/kubernetes/client";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

const app = "chatgpt-app";
const spec = { containers: [{ name: "app", image: "nowhere.invalid/app:v1" }] };

/** A quota lets no pod be made here: whatever makes one gets no further, and nothing but events say why. */
describe("Pods that the admission refuses, on a real cluster", function () {
  let test: TestNamespace;
  let jobs: BatchV1Api;
  let gates: RunningStep;

  before(async () => {
    test = await makeNamespace();
    jobs = test.cluster.config.makeApiClient(BatchV1Api);
    gates = await startStep("gateBeforeRollout", { KUBECONFIG: test.stage.kubeconfig });
    await test.cluster.core.createNamespacedResourceQuota({
      namespace: test.namespace,
      body: { metadata: { name: "theirs" }, spec: { hard: { pods: "0" } } },
    });
    // Until it has been counted once, it refuses in other words.
    await poll(
      async () =>
        (await test.cluster.core.readNamespacedResourceQuota({ name: "theirs", namespace: test.namespace }))
          .status?.used?.["pods"],
      { timeoutMs: 300_000 },
    );
  });
  after(async () => {
    await gates.close();
    await test.remove();
  });

  it("of a gate's Job are named with its reason, long before the gate's time is over", async () => {
    const gate: Gate = {
      name: "load",
      when: "beforeRollout",
      command: [],
      job: {
        image: "nowhere.invalid/k6:1",
        command: ["k6"],
        envFromSecrets: {},
        requests: { cpu: "10m", memory: "32Mi" },
        limits: { cpu: "1", memory: "128Mi" },
      },
      env: {},
      passEnv: [],
      timeoutSeconds: 600,
    };
    const failing = gates.create({
      ...test.where,
      activeColor: "green",
      color: "green",
      version: "v2",
      template: "abc",
      account: "default",
      imagePullSecrets: [],
      gate,
    });
    expect(await failureOf(failing))
      .to.contain("BG-JOB-NOT-STARTED")
      .and.contain("exceeded quota: theirs");
  });

  it("of a Job of before say nothing of one of the same name", async () => {
    const { namespace, cluster } = test;
    const make = () =>
      jobs.createNamespacedJob({
        namespace,
        body: {
          metadata: { name: "again" },
          spec: { template: { spec: { ...spec, restartPolicy: "Never" } } },
        },
      });
    const refused = await make();
    const trouble = await poll(() => whyNotStarted(cluster, refused, undefined), { timeoutMs: 300_000 });
    expect(trouble.message).to.contain("exceeded quota: theirs");
    await jobs.deleteNamespacedJob({ name: "again", namespace, propagationPolicy: "Foreground" });
    const other = { metadata: { name: "again", namespace, uid: "00000000-0000-0000-0000-000000000000" } };
    expect(await whyNotStarted(cluster, other, undefined)).to.equal(undefined);
  });

  it("of the analysis controller are the reason why a switch is refused, and keep no rollback", async () => {
    const name = names.controller(app);
    const labels = { app: name };
    await test.cluster.apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: {
        metadata: { name },
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      },
    });
    const shown: string[] = [];
    const wait = (kind: "switch" | "rollback") =>
      waitForController(test.cluster, app, kind, (text) => shown.push(text));
    expect(await failureOf(wait("switch")))
      .to.contain("BG-CONTROLLER-NOT-READY")
      .and.contain("exceeded quota: theirs");
    await wait("rollback");
    expect(shown.join("\n")).to.contain("traffic returns without it");
  });
});
