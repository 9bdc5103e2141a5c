import { expect } from "chai";
import { parseSettings } from "@bluegreen/release";
import { asQuantity } from "@bluegreen/release/config/amounts";
import { whatDoesNotFit, type Quota } from "@bluegreen/release/capacity/gate";
import { quotaLimits, roomFor } from "@bluegreen/release/config/room";
import { mayReach, selects, type PolicySpec } from "../support/policySelectors";
import { allBefore, recordApp, someSettings, type Recorder } from "./recorder";

const types = {
  account: "kubernetes:core/v1:ServiceAccount",
  policy: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
  quota: "kubernetes:core/v1:ResourceQuota",
  range: "kubernetes:core/v1:LimitRange",
  autoscaler: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
  deployment: "kubernetes:apps/v1:Deployment",
  capacity: "pulumi-nodejs:dynamic/bluegreen:CapacityGate",
  size: "pulumi-nodejs:dynamic/bluegreen:ColorSize",
  rollout: "pulumi-nodejs:dynamic/bluegreen:Rollout",
  reconcile: "pulumi-nodejs:dynamic/bluegreen:SizeReconcile",
  switchGate: "pulumi-nodejs:dynamic/bluegreen:SwitchGate",
};

const of = (recorder: Recorder, type: string) => recorder.recorded.filter((each) => each.type === type);
const refusalOf = (config: Record<string, string>) => {
  try {
    parseSettings("chatgpt-app", { ...someSettings, ...config });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("the settings were accepted");
};

describe("Isolation", () => {
  let recorder: Recorder;
  before(async () => {
    recorder = await recordApp({
      ...someSettings,
      analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
      allowInPlaceUpdate: "true",
    });
  });

  describe("accounts", () => {
    it("are one for each color, without a token, and nothing runs as the default one", () => {
      for (const color of ["blue", "green"]) {
        const { inputs } = recorder.one(types.account, `chatgpt-app-${color}-account`);
        expect(inputs).to.deep.include({ automountServiceAccountToken: false, imagePullSecrets: [] });
        expect(inputs["metadata"]).to.deep.include({
          name: `chatgpt-app-${color}`,
          namespace: "chatgpt-production",
        });
        const { spec } = recorder.one(types.deployment, `chatgpt-app-${color}`).inputs as {
          spec: { template: { spec: object } };
        };
        expect(spec.template.spec).to.deep.include({
          serviceAccountName: `chatgpt-app-${color}`,
          automountServiceAccountToken: false,
        });
        expect([...allBefore(recorder, `chatgpt-app-${color}`)]).to.include(`chatgpt-app-${color}-account`);
      }
      for (const { inputs, name } of of(recorder, types.deployment))
        expect(inputs, name).to.have.nested.property("spec.template.spec.serviceAccountName").that.is.not
          .empty;
      expect([...allBefore(recorder, "chatgpt-app-preflight")], "its pod runs as the color's").to.include(
        "chatgpt-app-blue-account",
      );
    });

    it("pull images with the Secrets of config, the analysis controller's too, and the pods stay what they are", async () => {
      const pulling = await recordApp({
        ...someSettings,
        analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
        imagePullSecrets: '["registry-credentials"]',
      });
      for (const account of [
        "chatgpt-app-blue-account",
        "chatgpt-app-green-account",
        "chatgpt-app-analysis",
      ]) {
        expect(pulling.one(types.account, account).inputs["imagePullSecrets"], account).to.deep.equal([
          { name: "registry-credentials" },
        ]);
      }
      const spec = (each: Recorder) => each.one(types.deployment, "chatgpt-app-green").inputs["spec"];
      expect(spec(pulling)).to.deep.equal(spec(recorder));
      expect(refusalOf({ imagePullSecrets: '["No Name"]' }))
        .to.contain("imagePullSecrets[0] =")
        .and.contain("pulumi config set --plaintext --path 'imagePullSecrets[0]' registry-credentials");
    });
  });

  describe("network policies", () => {
    const policiesOf = (each: Recorder) =>
      of(each, types.policy).map(({ inputs }) => inputs["spec"] as PolicySpec);
    const namespace = "chatgpt-production";
    const pods = {
      blue: { app: "chatgpt-app", version: "blue" },
      green: { app: "chatgpt-app", version: "green" },
      preflight: { "bluegreen.dev/preflight": "chatgpt-app" },
      controller: { app: "chatgpt-app-analysis" },
      redis: { app: "redis" },
    };
    const ingress = {
      namespace: "ingress-nginx",
      namespaceLabels: { "kubernetes.io/metadata.name": "ingress-nginx" },
      labels: { "app.kubernetes.io/name": "ingress-nginx" },
    };
    const neighbor = {
      namespace,
      namespaceLabels: { "kubernetes.io/metadata.name": namespace },
      labels: pods.redis,
    };
    const controller = { ...neighbor, labels: pods.controller };

    it("hold for the pods that this program makes, each for one kind, and for nothing else that runs there", () => {
      const policies = policiesOf(recorder);
      for (const [name, labels] of Object.entries(pods))
        expect(
          policies.filter((policy) => selects(policy, labels)),
          name,
        ).to.have.length(name === "redis" ? 0 : 1);
    });

    it("let everybody reach the http port of a color, and nobody anything else", () => {
      const policies = policiesOf(recorder);
      for (const labels of [pods.blue, pods.green]) {
        expect(mayReach(policies, { namespace, labels }, 3000, ingress)).to.equal(true);
        expect(mayReach(policies, { namespace, labels }, 3000, neighbor)).to.equal(true);
        expect(mayReach(policies, { namespace, labels }, 9229, ingress)).to.equal(false);
      }
      expect(
        mayReach(policies, { namespace, labels: pods.preflight }, 3000, neighbor),
        "a change that is tried out",
      ).to.equal(false);
      expect(mayReach(policies, { namespace, labels: pods.controller }, 8080, neighbor)).to.equal(false);
      expect(mayReach(policies, { namespace, labels: pods.redis }, 6379, ingress), "not ours").to.equal(true);
      for (const { policyTypes } of policies)
        expect(policyTypes, "what they reach is nobody's to know by default").to.deep.equal(["Ingress"]);
    });

    it("let in only whom config names, and the analysis controller, which reads metrics", async () => {
      const from = [
        {
          namespaceLabels: { "kubernetes.io/metadata.name": "ingress-nginx" },
          podLabels: { "app.kubernetes.io/name": "ingress-nginx" },
        },
        { podLabels: { app: "prober" } },
      ];
      const narrow = policiesOf(
        await recordApp({
          ...someSettings,
          analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
          networkPolicy: JSON.stringify({ allowFrom: from }),
        }),
      );
      const to = { namespace, labels: pods.green };
      expect(mayReach(narrow, to, 3000, ingress)).to.equal(true);
      expect(mayReach(narrow, to, 3000, controller)).to.equal(true);
      expect(mayReach(narrow, to, 3000, { ...neighbor, labels: { app: "prober" } })).to.equal(true);
      expect(
        mayReach(narrow, to, 3000, { ...ingress, labels: { app: "prober" } }),
        "a pod selector alone means the same namespace",
      ).to.equal(false);
      expect(mayReach(narrow, to, 3000, neighbor)).to.equal(false);
      expect(mayReach(narrow, to, 3000, { ...ingress, labels: {} })).to.equal(false);
    });

    it("let pods reach known ports alone where config says so", async () => {
      const known = policiesOf(
        await recordApp({
          ...someSettings,
          env: '{"CACHE":"rediss://cache.example.com:6380","NAME":"a:1"}',
          green: '{"env":{"QUEUE":"amqp://queue:5672/x"}}',
          networkPolicy: '{"egress":"restricted","egressPorts":[6432,443]}',
        }),
      );
      expect(known).to.have.length(3);
      for (const { egress, policyTypes } of known) {
        expect(policyTypes).to.deep.equal(["Ingress", "Egress"]);
        expect(
          egress?.flatMap(({ ports = [] }) => ports.map(({ protocol, port }) => `${protocol} ${port}`)),
        ).to.deep.equal(["UDP 53", "TCP 53", "TCP 443", "TCP 5432", "TCP 6380", "TCP 5672", "TCP 6432"]);
      }
      const own = policiesOf(
        await recordApp({
          ...someSettings,
          databaseAdminUrl: "postgres://a@b/c",
          databaseAddress: "10.0.0.1:5433",
          networkPolicy: '{"egress":"restricted"}',
        }),
      );
      expect(JSON.stringify(own)).to.contain('"port":5433').and.not.contain('"port":5432');
    });

    it("let the relay pod reach what the pods reach, where there is one", async () => {
      const labels = { "bluegreen.dev/relay": "chatgpt-app" };
      const restricted = { ...someSettings, networkPolicy: '{"egress":"restricted"}' };
      expect(
        policiesOf(await recordApp(restricted)).filter((policy) => selects(policy, labels)),
      ).to.have.length(0);
      const policies = policiesOf(
        await recordApp({
          ...restricted,
          analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
          database: '{"runIn":"cluster"}',
        }),
      );
      const of = (each: Record<string, string>) => policies.filter((policy) => selects(policy, each));
      expect(of(labels)).to.have.length(1);
      expect(of(labels)[0]?.egress).to.deep.equal(of(pods.green)[0]?.egress);
      expect(mayReach(policies, { namespace, labels }, 15_432, neighbor)).to.equal(false);
    });

    it("are none where config says so, and a peer without labels is refused: it would be everybody", async () => {
      expect(
        of(await recordApp({ ...someSettings, networkPolicy: '{"enabled":false}' }), types.policy),
      ).to.deep.equal([]);
      for (const wrong of [
        '{"allowFrom":[{}]}',
        '{"allowFrom":[{"namespaceLabels":{"a b":"c"}}]}',
        '{"egress":"some"}',
        '{"egressPorts":[0]}',
        '{"form":[]}',
      ]) {
        expect(refusalOf({ networkPolicy: wrong }), wrong)
          .to.match(/^ {2}networkPolicy\.(allowFrom\[0\].*|egress|egressPorts\[0\]|form) = \[not shown\]$/m)
          .and.contain("pulumi config set --path networkPolicy.egress restricted");
      }
    });

    it("are there before any pod", () => {
      for (const name of ["chatgpt-app-blue", "chatgpt-app-green", "chatgpt-app-preflight"]) {
        expect([...allBefore(recorder, name)]).to.include.members([
          "chatgpt-app-blue-network",
          "chatgpt-app-green-network",
          "chatgpt-app-preflight-network",
        ]);
      }
    });
  });

  describe("the quota", () => {
    const settings = (config: Record<string, string> = {}) =>
      parseSettings("chatgpt-app", { ...someSettings, ...config });

    it("is none unless config asks for it", () => {
      expect([...of(recorder, types.quota), ...of(recorder, types.range)]).to.deep.equal([]);
    });

    it("has room for both colors, a rolling update of one, the preflight pod and the analysis controller", async () => {
      const made = await recordApp({
        ...someSettings,
        analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
        quota: '{"enabled":true}',
      });
      // 3 + 3, and of one the old ones that drain and one of surge; a preflight pod: 11 pods of the app. 2 analysis controllers.
      expect(made.one(types.quota, "chatgpt-app-quota").inputs["spec"]).to.deep.equal({
        hard: {
          pods: "13",
          "requests.cpu": "2790m",
          "requests.memory": "3008Mi",
          "limits.cpu": "6500m",
          "limits.memory": "6144Mi",
        },
      });
      expect(made.one(types.range, "chatgpt-app-quota").inputs["spec"]).to.deep.equal({
        limits: [
          {
            type: "Container",
            defaultRequest: { cpu: "250m", memory: "256Mi" },
            default: { cpu: "500m", memory: "512Mi" },
          },
        ],
      });
      expect([...allBefore(made, "chatgpt-app-capacity")]).to.include("chatgpt-app-quota");
      expect(made.one(types.capacity, "chatgpt-app-capacity").inputs).to.deep.include({
        quota: {
          pods: "13",
          "requests.cpu": "2790m",
          "requests.memory": "3008Mi",
          "limits.cpu": "6500m",
          "limits.memory": "6144Mi",
        },
        controller: true,
      });
    });

    it("has room for as many as the autoscalers may give", () => {
      expect(roomFor(settings({ autoscaling: '{"minReplicas":2,"maxReplicas":10}' }))).to.deep.include({
        pods: 34,
      });
    });

    it("takes the limits of config instead, unless they leave no room for both colors", () => {
      expect(
        quotaLimits(settings({ quota: '{"enabled":true,"pods":40,"memoryLimits":"32Gi"}' })),
      ).to.deep.equal({
        pods: "40",
        "requests.cpu": "2750m",
        "requests.memory": "2816Mi",
        "limits.cpu": "5500m",
        "limits.memory": "32Gi",
      });
      expect(refusalOf({ quota: '{"enabled":true,"pods":6,"cpuRequests":2}' }))
        .to.contain("pods (6) needs to be 11 or more")
        .and.contain("cpuRequests (2) needs to be 2750m or more");
      expect(settings({ quota: '{"enabled":false,"pods":6}' }).quota.pods).to.equal(6);
    });

    it("is written as Kubernetes reads it", () => {
      expect([
        asQuantity("pods", 3),
        asQuantity("requests.cpu", 0.1 + 0.2),
        asQuantity("limits.cpu", 2),
        asQuantity("limits.memory", 2 ** 30 + 2 ** 19),
      ]).to.deep.equal(["3", "300m", "2000m", "1025Mi"]);
    });
  });

  describe("what does not fit into the quotas of a namespace", () => {
    const wanted = {
      pods: 2,
      "requests.cpu": 0.5,
      "requests.memory": 2 ** 29,
      "limits.cpu": 1,
      "limits.memory": 2 ** 30,
    };
    const quota = (part: Partial<Quota>): Quota => ({
      name: "theirs",
      scopes: [],
      hard: {},
      used: {},
      ...part,
    });

    it("is each limit that has less left than is wanted, in whatever unit and by whatever name", () => {
      expect(
        whatDoesNotFit([quota({ hard: { pods: "5", cpu: "1" }, used: { pods: "3", cpu: "500m" } })], wanted),
      ).to.deep.equal([]);
      expect(
        whatDoesNotFit(
          [
            quota({
              hard: { "count/pods": "4", cpu: "900m", memory: "1G", "limits.memory": "1Gi" },
              used: { "count/pods": "3", cpu: "450m", memory: "100M" },
            }),
          ],
          wanted,
        ),
      ).to.deep.equal([
        { quota: "theirs", limit: "count/pods", counts: "pods", hard: 4, used: 3, wanted: 2 },
        { quota: "theirs", limit: "cpu", counts: "requests.cpu", hard: 0.9, used: 0.45, wanted: 0.5 },
      ]);
    });

    it("is nothing where nothing is wanted, however full it is, and nothing of what is not counted", () => {
      const full = quota({ hard: { pods: "1", services: "1" }, used: { pods: "3", services: "1" } });
      expect(whatDoesNotFit([full], { ...wanted, pods: 0 })).to.deep.equal([]);
    });

    it("is nothing of quotas for other pods", () => {
      const none = { hard: { pods: "0" } };
      for (const scope of ["BestEffort", "Terminating", "PriorityClass"])
        expect(whatDoesNotFit([quota({ ...none, scopes: [scope] })], wanted), scope).to.deep.equal([]);
      for (const scope of ["NotBestEffort", "NotTerminating"])
        expect(whatDoesNotFit([quota({ ...none, scopes: [scope] })], wanted), scope).to.have.length(1);
    });
  });

  describe("autoscalers", () => {
    const scaling = { autoscaling: '{"minReplicas":2,"maxReplicas":10,"cpuPercent":60}' };

    it("are none unless config asks for them, and config says with how many pods a color begins", () => {
      expect([...of(recorder, types.autoscaler), ...of(recorder, types.reconcile)]).to.deep.equal([]);
      expect(recorder.one(types.rollout, "chatgpt-app-blue-rollout").inputs).to.deep.include({
        replicas: 3,
        maxReplicas: 0,
      });
      expect(recorder.one(types.switchGate, "chatgpt-app-switch-gate").inputs).to.deep.include({
        autoscaled: false,
      });
    });

    it("are one for each color that is deployed, by CPU, and say nothing of how they behave: the release does", async () => {
      const scaled = await recordApp({ ...someSettings, ...scaling, greenTag: "" });
      expect(of(scaled, types.autoscaler)).to.have.length(1);
      expect(scaled.one(types.autoscaler, "chatgpt-app-blue").inputs["spec"]).to.deep.equal({
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "chatgpt-app-blue" },
        minReplicas: 2,
        maxReplicas: 10,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } },
          },
        ],
      });
      expect(
        scaled.one(types.size, "chatgpt-app-green-size").inputs,
        "no autoscaler takes a color to zero",
      ).to.deep.include({ deployed: false });
    });

    it("or people own the number of pods: the Deployment has one to begin with, and never changes it", async () => {
      const scaled = await recordApp({ ...someSettings, ...scaling });
      for (const color of ["blue", "green"]) {
        for (const [each, replicas] of [
          [scaled, 2],
          [recorder, 3],
        ] as const) {
          const { inputs, ignoreChanges } = each.one(types.deployment, `chatgpt-app-${color}`);
          expect(inputs).to.have.nested.property("spec.replicas", replicas);
          expect(inputs).to.have.nested.property(
            "metadata.annotations.bluegreen\\.dev/replicas",
            String(replicas),
          );
          expect(ignoreChanges).to.deep.equal(["spec.replicas"]);
        }
      }
      const without = await recordApp({ ...someSettings, greenTag: "" });
      const { inputs, ignoreChanges } = without.one(types.deployment, "chatgpt-app-green");
      expect(inputs, "a color without a tag has none, whoever gave it some").to.have.nested.property(
        "spec.replicas",
        0,
      );
      expect(ignoreChanges).to.deep.equal([]);
      const hash = (each: Recorder) => each.one(types.rollout, "chatgpt-app-blue-rollout").inputs["template"];
      expect(hash(scaled), "no pod changes").to.equal(hash(recorder));
    });

    it("get their color the pods that it needs before its rollout is checked, and are let go when the release is over", async () => {
      const scaled = await recordApp({ ...someSettings, ...scaling });
      const { inputs } = scaled.one(types.size, "chatgpt-app-blue-size");
      expect(inputs).to.deep.include({
        color: "blue",
        replicas: 2,
        maxReplicas: 10,
        deployed: true,
        active: true,
      });
      expect([...allBefore(scaled, "chatgpt-app-blue-rollout")]).to.include("chatgpt-app-blue-size");
      expect(scaled.one(types.rollout, "chatgpt-app-blue-rollout").inputs).to.deep.include({
        replicas: 2,
        maxReplicas: 10,
      });
      expect(scaled.one(types.switchGate, "chatgpt-app-switch-gate").inputs).to.deep.include({
        autoscaled: true,
      });
      expect([...allBefore(scaled, "chatgpt-app-size-reconcile")]).to.include.members([
        "chatgpt-app-analysis",
        "chatgpt-app-green-size",
      ]);
      expect([...allBefore(scaled, "chatgpt-app-release-unlock")]).to.include("chatgpt-app-size-reconcile");
    });

    it("have a most that is not less than the fewest", () => {
      for (const wrong of [
        '{"minReplicas":5,"maxReplicas":4}',
        '{"minReplicas":0,"maxReplicas":4}',
        '{"maxReplicas":-1}',
        '{"cpuPercent":0}',
        '{"max":4}',
      ]) {
        expect(refusalOf({ autoscaling: wrong }), wrong)
          .to.match(/autoscaling(\.\w+)? = \[not shown\]/)
          .and.contain("pulumi config set --path autoscaling.maxReplicas 10");
      }
    });
  });
});
