import { expect } from "chai";
import {
  alerting,
  connect,
  raiseAlert,
  readReceivers,
  rollout,
  schemaGate,
  smokeGate,
  tellAll,
  type Alert,
  type Cluster,
  type Receiver,
  type Step,
} from "@bluegreen/release";
import type { ErrorCode } from "@bluegreen/release/util/errorCodes";
import { InterruptedError } from "@bluegreen/release/util/interrupt";
import { someAlerts } from "../support/alerts";
import { secretOf, startApiServer, type ApiServer } from "../support/apiServer";
import { failureOf } from "../support/read";
import { startReceiver, type HttpReceiver } from "../support/receiver";

const webhookSecret = "hunter2-hunter2-hunter2";
const where = {
  context: "",
  namespace: "shop",
  namespacePerColor: false,
  app: "chatgpt-app",
  color: "green",
} as const;

describe("Alerts and the cluster", function () {
  // Of a machine with more to do.

  let api: ApiServer;
  let receiver: HttpReceiver;
  let cluster: Cluster;
  let said: string[];
  const say = (line: string) => said.push(line);
  const kubeconfigBefore = process.env["KUBECONFIG"];
  beforeEach(async () => {
    [api, receiver] = await Promise.all([startApiServer(), startReceiver()]);
    process.env["KUBECONFIG"] = api.kubeconfig;
    cluster = connect(where);
    said = [];
  });
  afterEach(async () => {
    if (kubeconfigBefore === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfigBefore;
    await Promise.all([api.close(), receiver.close()]);
  });

  const putSecret = (values: Record<string, string>) =>
    api.objects.set("secrets/chatgpt-app-alerts", secretOf(values));
  const putWebhook = () =>
    putSecret({ "webhook-url": `${receiver.url}/hunter2`, "webhook-secret": webhookSecret });
  const bodies = () => receiver.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

  describe("receivers", () => {
    it("are none without the Secret, and nothing is said", async () => {
      expect(await readReceivers(cluster, "chatgpt-app", say)).to.deep.equal([]);
      expect(said).to.deep.equal([]);
    });

    it("are those that it names, with or without a line break at the end", async () => {
      putSecret({
        "slack-url": "https://hooks.example.com/hunter2\n",
        "webhook-url": "https://example.com/hunter2",
        "webhook-secret": webhookSecret,
        "pagerduty-key": "hunter2\n",
      });
      expect(await readReceivers(cluster, "chatgpt-app", say)).to.deep.equal([
        { kind: "slack", url: "https://hooks.example.com/hunter2" },
        { kind: "webhook", url: "https://example.com/hunter2", secret: webhookSecret },
        { kind: "pagerDuty", routingKey: "hunter2" },
      ]);
      putSecret({ "slack-url": "" });
      expect(await readReceivers(cluster, "chatgpt-app", say)).to.deep.equal([]);
      expect(said).to.deep.equal([]);
    });

    it("do not get anything unsigned", async () => {
      putSecret({ "webhook-url": "https://example.com/hunter2" });
      expect(await readReceivers(cluster, "chatgpt-app", say)).to.deep.equal([]);
      expect(said).to.deep.equal([
        "alerts: the webhook is not told: Secret shop/chatgpt-app-alerts has no webhook-secret, and nothing is sent unsigned",
      ]);
    });

    it("are none, and it is said, where the Secret cannot be read", async () => {
      putWebhook();
      api.trouble = 403;
      await raiseAlert(cluster, someAlerts.rolledBack, say);
      expect(said).to.deep.equal([
        "alerts: nobody is told: Secret shop/chatgpt-app-alerts cannot be read (HTTP 403)",
      ]);
      await api.close();
      await raiseAlert(cluster, someAlerts.rolledBack, say);
      expect(said[1]).to.match(/^alerts: nobody is told: .*\(.+\)$/);
      api = await startApiServer();
      expect(receiver.received).to.deep.equal([]);
    });
  });

  describe("a gate that fails", () => {
    const gates: [string, () => Promise<unknown>, ErrorCode, string][] = [
      [
        "rollout",
        () =>
          rollout.run(
            { ...where, template: "abc", replicas: 1, maxReplicas: 0, active: false, budgetSeconds: 1 },
            say,
          ),
        "BG-COLOR-NOT-READY",
        "was not ready within 1 s",
      ],
      [
        "smoke gate",
        () =>
          smokeGate.run(
            {
              ...where,
              version: "v2",
              template: "abc",
              active: false,
              suite: "tests/smoke/**/*.ts",
              suiteEnv: [],
              budgetSeconds: 1,
            },
            say,
          ),
        "BG-TOO-FEW-READY-PODS",
        "has no ready endpoint",
      ],
      [
        "schema gate",
        () =>
          schemaGate.run(
            {
              ...where,
              template: "abc",
              active: true,
              activeColor: "green",
              strategy: "shared",
              databaseSecret: "db-credentials",
            },
            say,
          ),
        "BG-SECRET-MISSING",
        "Secret shop/db-credentials is missing",
      ],
    ];

    it("tells who is to know, and fails as it would have", async () => {
      api.objects.set("deployments/chatgpt-app-green", {
        spec: { template: { spec: { containers: [{ name: "mcp-server", image: "app:v2" }] } } },
      });
      for (const [gate, run, code, why] of gates) {
        api.objects.delete("secrets/chatgpt-app-alerts");
        const alone = await failureOf(run());
        putWebhook();
        receiver.received.length = 0;
        said = [];
        expect(await failureOf(run()), gate)
          .to.equal(alone)
          .and.contain(why);
        const [alert] = bodies();
        expect(receiver.received, gate).to.have.length(1);
        expect(alert, gate).to.deep.include({
          kind: "gateFailed",
          gate,
          code,
          app: "chatgpt-app",
          namespace: "shop",
          version: { color: "green", image: "app:v2" },
        });
        expect(alert?.["why"]).to.contain(why);
        expect(alert?.["evidence"]).to.include("No color is live yet.");
        expect(said.at(-1)).to.equal("alert gateFailed: webhook delivered");
      }
      expect(said.join("\n")).not.to.contain("hunter2");
    });

    it("tells nobody in a preview", async () => {
      putWebhook();
      api.trouble = 500;
      const violations = await schemaGate.check(
        {
          ...where,
          template: "abc",
          active: true,
          activeColor: "green",
          strategy: "shared",
          databaseSecret: "db-credentials",
        },
        {},
        say,
      );
      expect(violations).not.to.deep.equal([]);
      expect(receiver.received).to.deep.equal([]);
    });

    it("fails with its own error, the very same, when nobody can be told", async () => {
      putWebhook();
      const refusal = new Error("refused");
      const step: Step<typeof where, Record<string, never>> = {
        check: () => Promise.resolve([]),
        isNeeded: () => Promise.resolve(true),
        run: () => Promise.reject(refusal),
      };
      const thrown = () =>
        alerting("gate", step)
          .run(where, say)
          .catch((error: unknown) => error);
      receiver.answer(500);
      expect(await thrown()).to.equal(refusal);
      expect(said.at(-1)).to.equal("alert gateFailed: webhook not (3 tries, last: HTTP 500)");
      api.trouble = "nothing";
      expect(await thrown()).to.equal(refusal);
      expect(said.at(-1)).to.contain("cannot be read (no answer within 5 s)");
      process.env["KUBECONFIG"] = "/nowhere";
      expect(await thrown()).to.equal(refusal);
      expect(receiver.received).to.have.length(3);
    });

    it("tells nobody that somebody has interrupted it", async () => {
      putWebhook();
      const interrupted = new Error("and live traffic stays on blue", {
        cause: new InterruptedError("SIGINT: the update was interrupted"),
      });
      const step: Step<typeof where, Record<string, never>> = {
        check: () => Promise.resolve([]),
        isNeeded: () => Promise.resolve(true),
        run: () => Promise.reject(interrupted),
      };
      expect(
        await alerting("gate", step)
          .run(where, say)
          .catch((error: unknown) => error),
      ).to.equal(interrupted);
      expect(receiver.received).to.deep.equal([]);
    });

    it("passes on what passes, untold", async () => {
      putWebhook();
      const step: Step<typeof where, { passed: number }> = {
        check: () => Promise.resolve([]),
        isNeeded: () => Promise.resolve(true),
        run: () => Promise.resolve({ passed: 3 }),
      };
      expect(await alerting("gate", step).run(where, say)).to.deep.equal({ passed: 3 });
      expect(receiver.received).to.deep.equal([]);
    });
  });

  describe("incidents in PagerDuty", () => {
    const tell = (alert: Alert) =>
      tellAll(
        cluster,
        [{ kind: "pagerDuty", routingKey: "hunter2", baseUrl: receiver.url }] satisfies Receiver[],
        alert,
        say,
        { pauseMs: 1 },
      );
    const failed = (image: string): Alert => ({
      ...someAlerts.gateFailed,
      version: { color: "green", image },
    });
    const open = () =>
      Object.values(
        (api.objects.get("configmaps/chatgpt-app-incidents") as { data?: Record<string, string> } | undefined)
          ?.data ?? {},
      );
    const resolved = () =>
      bodies()
        .filter((each) => each["event_action"] === "resolve")
        .map((each) => each["dedup_key"]);

    it("stay noted in the cluster until a switch has succeeded, and are resolved by it", async () => {
      await tell(failed("app:v2"));
      await tell(failed("app:v2"));
      await tell(failed("app:v3"));
      const triggered = bodies().map((each) => each["dedup_key"]);
      expect(open()).to.deep.equal(["app:v2", "app:v3"]);
      await tell({ ...someAlerts.switched, to: { color: "green", image: "app:v4" } });
      expect(resolved()).to.have.length(3).and.include.members(triggered);
      expect(open()).to.deep.equal([]);
      expect(said).to.include("alert switched: PagerDuty delivered");
    });

    it("are tried again by the next switch where they could not be resolved", async () => {
      await tell(failed("app:v2"));
      receiver.answer(500);
      await tell(someAlerts.switched);
      expect(open()).to.deep.equal(["app:v2"]);
      receiver.answer(202);
      await tell(someAlerts.switched);
      expect(open()).to.deep.equal([]);
    });

    it("are told even where they cannot be noted", async () => {
      api.trouble = 403;
      await tell(failed("app:v2"));
      expect(bodies()).to.have.length(1);
      expect(said).to.deep.equal([
        "alert gateFailed: incidents that are open in PagerDuty may stay so (HTTP 403)",
        "alert gateFailed: PagerDuty delivered",
      ]);
    });
  });
});
