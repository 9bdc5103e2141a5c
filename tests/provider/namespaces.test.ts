import { expect } from "chai";
import {
  colors,
  namespaceOf,
  readLiveColor,
  type Color,
  type SchemaGateInputs,
  type PreflightInputs,
} from "@bluegreen/release";
import { activeServiceSpec } from "@bluegreen/release/routers/services";
import { readAppUsers } from "@bluegreen/release/databases/colorDatabases";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

/** Colors whose pods never start: where the steps read them is what this is about. */
describe("Steps of colors in namespaces of their own, in Pulumi's provider process and on a real cluster", function () {
  const app = "chatgpt-app";
  let test: TestNamespace;
  let databases: TestDatabases;
  let lock: RunningStep;
  before(async () => {
    [test, databases] = await Promise.all([makeNamespace(true), startDatabases()]);
    lock = await startStep("liveLock", { KUBECONFIG: test.stage.kubeconfig });
    const { core, apps, autoscaling } = test.cluster;
    for (const color of colors) {
      const name = `${app}-${color}`;
      const namespace = namespaceOf(test.where, color);
      const labels = { app, version: color };
      const template = {
        metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "aaa" } },
        spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] },
      };
      await apps.createNamespacedDeployment({
        namespace,
        body: {
          metadata: { name },
          spec: { replicas: color === "blue" ? 3 : 0, selector: { matchLabels: labels }, template },
        },
      });
      await autoscaling.createNamespacedHorizontalPodAutoscaler({
        namespace,
        body: {
          metadata: { name, labels: { app, "app.kubernetes.io/managed-by": "bluegreen" } },
          spec: {
            scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
            minReplicas: 1,
            maxReplicas: 8,
          },
        },
      });
    }
    await core.createNamespacedService({ namespace: test.namespace, body: activeService("blue") });
  });
  after(async () => {
    await lock.close();
    await databases.stop();
    await test.remove();
  });

  /** With all that the program may say of it. */
  const activeService = (color: Color, part: object = {}) => ({
    metadata: { name: `${app}-service` },
    spec: {
      ...activeServiceSpec(test.where, app, color),
      ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: "http" }],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
      ...part,
    },
  });
  const put = (body: object) =>
    test.cluster.core.replaceNamespacedService({ name: `${app}-service`, namespace: test.namespace, body });
  const locked = (part: object = {}) => ({
    ...test.where,
    activeColor: "blue",
    weights: { blue: 100, green: 0 },
    route: null,
    templates: { blue: "aaa", green: "aaa" },
    configs: { blue: [], green: [] },
    allowInPlaceUpdate: false,
    lockWaitSeconds: 0,
    ...part,
  });
  const reasons = async (part?: object) =>
    (await lock.check(locked(part))).map(({ reason }) => reason).join("\n");

  it("read the live color from a Service that only DNS follows, and guard the color where it is", async () => {
    const { spec } = await test.cluster.core.readNamespacedService({
      name: `${app}-service`,
      namespace: test.namespace,
    });
    expect([spec?.type, spec?.selector?.["version"], spec?.clusterIP]).to.deep.equal([
      "ExternalName",
      "blue",
      undefined,
    ]);
    expect(await readLiveColor(test.cluster, app)).to.equal("blue");
    expect(await reasons()).to.equal("");
    expect(await reasons({ templates: { blue: "bbb", green: "aaa" } })).to.contain(
      "blue serves traffic with nowhere.invalid/app:v1 and may not change in place",
    );
  });

  it("stop where the record and the name disagree, or config says that the colors live elsewhere", async () => {
    await put(
      activeService("blue", { externalName: activeServiceSpec(test.where, app, "green").externalName }),
    );
    expect(await reasons())
      .to.contain('its selector has version="blue", its externalName is chatgpt-app-green.')
      .and.contain(`"externalName":"chatgpt-app-blue.${test.namespace}-blue.svc.cluster.local"`);
    await put(activeService("blue"));
    expect(await reasons({ namespacePerColor: false }))
      .to.contain("namespacePerColor false was refused")
      .and.contain(`${test.namespace}-blue or ${test.namespace}-green`);
    await put({
      metadata: { name: `${app}-service` },
      spec: { selector: { app, version: "blue" }, ports: [{ port: 80 }] },
    });
    expect(await reasons())
      .to.contain(`namespacePerColor true was refused: the active color is in namespace ${test.namespace}`)
      .and.contain("pulumi config set namespacePerColor false");
    await put(activeService("blue"));
  });

  it("give a color its size, and keep its autoscaler from taking it", async () => {
    const size = lock.beside("colorSize");
    expect(
      await size.create({
        ...test.where,
        color: "green",
        deployed: true,
        template: "aaa",
        replicas: 1,
        maxReplicas: 8,
        active: true,
      }),
    ).to.deep.include({ asked: 3 });
    const green = { name: `${app}-green`, namespace: namespaceOf(test.where, "green") };
    expect((await test.cluster.apps.readNamespacedDeployment(green)).spec?.replicas).to.equal(3);
    expect(
      (await test.cluster.autoscaling.readNamespacedHorizontalPodAutoscaler(green)).metadata?.annotations,
    ).to.deep.include({ "bluegreen.dev/hold": "3" });
  });

  it("try a live change out beside the color, and remove what a run that was killed has left beside either", async () => {
    const preflight = lock.beside("preflight");
    const [blue, green] = colors.map((color) => namespaceOf(test.where, color)) as [string, string];
    await test.cluster.core.createNamespacedPod({
      namespace: green,
      body: {
        metadata: { name: "left", labels: { "bluegreen.dev/preflight": app } },
        spec: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v1" }] },
      },
    });
    await test.cluster.core.createNamespacedResourceQuota({
      namespace: blue,
      body: { metadata: { name: "theirs" }, spec: { hard: { "count/pods": "0" } } },
    });
    const inputs: PreflightInputs = {
      ...test.where,
      strategy: "shared",
      databaseSecret: "db-credentials",
      activeColor: "blue",
      template: "bbb",
      labels: {},
      annotations: {},
      podAnnotations: {},
      pod: { containers: [{ name: "mcp-server", image: "nowhere.invalid/app:v2" }] },
      version: "v2",
      minReadySeconds: 0,
      progressDeadlineSeconds: 5,
      suite: "tests/smoke/**/*.ts",
      suiteEnv: [],
      smokeTimeoutSeconds: 5,
    };
    expect(await failureOf(preflight.create(inputs)))
      .to.contain(`Pod ${blue}/${app}-blue-preflight could not be made`)
      .and.contain("exceeded quota: theirs");
    expect(
      (
        await test.cluster.core.listNamespacedPod({
          namespace: green,
          labelSelector: "bluegreen.dev/preflight",
        })
      ).items,
    ).to.deep.equal([]);
  });

  it("refuse a color whose Secret points to another database, and let each have a role of its own", async () => {
    const schema = lock.beside("schemaGate");
    const [users, other] = await Promise.all([databases.fresh(), databases.fresh()]);
    await query(users, "CREATE ROLE green_role LOGIN SUPERUSER");
    const asGreen = new URL(users);
    asGreen.username = "green_role";
    const secret = async (color: Color, url: string) => {
      const namespace = namespaceOf(test.where, color);
      const metadata = { name: "db-credentials" };
      await test.cluster.core.deleteNamespacedSecret({ ...metadata, namespace }).catch(() => undefined);
      await test.cluster.core.createNamespacedSecret({ namespace, body: { metadata, stringData: { url } } });
    };
    const inputs: SchemaGateInputs = {
      ...test.where,
      color: "green",
      template: "aaa",
      active: true,
      strategy: "shared",
      databaseSecret: "db-credentials",
      activeColor: "green",
    };
    expect(await failureOf(schema.create(inputs)), "none yet")
      .to.contain(`Secret ${test.namespace}-blue/db-credentials is missing`)
      .and.contain(`kubectl -n ${test.namespace}-blue create secret generic`);
    await secret("blue", users);
    await secret("green", other);
    const name = (url: string) => new URL(url).pathname.slice(1);
    for (const refused of [
      (await schema.check(inputs)).map(({ reason }) => reason).join("\n"),
      await failureOf(schema.create(inputs)),
    ]) {
      expect(refused)
        .to.contain(
          `Secret ${test.namespace}-green/db-credentials points to database ${name(other)} at a socket, and traffic is on ${name(users)} at a socket`,
        )
        .and.not.contain("postgres://");
    }
    await secret("green", asGreen.href);
    expect(await schema.check(inputs)).to.deep.equal([]);
    expect(
      await readAppUsers(test.cluster, {
        app,
        strategy: "shared",
        databaseSecret: "db-credentials",
        activeColor: "blue",
      }),
    ).to.deep.equal([new URL(users).username, "green_role"]);
  });
});
