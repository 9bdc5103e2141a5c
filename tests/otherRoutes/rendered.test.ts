import { CustomObjectsApi, KubernetesObjectApi, NetworkingV1Api } from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import { readerOf } from "@bluegreen/release/doctor/ingress";
import { rollback } from "@bluegreen/release/rollback/rollback";
import { orUndefined, poll, type Color } from "@bluegreen/release";
import { routers, type RouterName } from "@bluegreen/release/routers/routers";
import type { Weights } from "@bluegreen/release/routers/weights";
import { moveTraffic, readGiven } from "@bluegreen/release/traffic/move";
import { liveColor } from "../support/read";
import { virtualServiceCrd } from "../support/virtualService";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";

const app = "chatgpt-app";

/**
 * A real API server takes them and the program moves them; nobody on the stage makes load balancers of them.
 * Told in order.
 */
describe("The routes of cloud load balancers and of Istio, without their controllers", function () {
  let test: TestStack;
  let users: Users;
  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({
      clusterIssuer: "none",
      activeColor: "blue",
      blueTag: "v1",
      greenTag: "v2",
      traffic: { strategy: "weighted", router: "alb" },
      connectionDrain: { timeoutSeconds: 0 },
    });
    await test.stack.up();
    users = await startUsers(test.cluster);
  });
  after(async () => {
    const { failures } = await users.stop();
    await test.remove();
    await orUndefined(test.cluster.config.makeApiClient(KubernetesObjectApi).delete(virtualServiceCrd));
    expect(failures, "what users inside the cluster saw").to.deep.equal([]);
  });

  const ingress = () =>
    test.cluster.config
      .makeApiClient(NetworkingV1Api)
      .readNamespacedIngress({ name: "chatgpt-app-ingress", namespace: test.cluster.namespace });
  const given = async (router: RouterName = "alb") => (await readGiven(test.cluster, app, router))?.weights;

  it("alb: both colors are target groups, and the weights of production traffic are one of them", async () => {
    expect(await given()).to.deep.equal({ blue: 100, green: 0 });
    const { spec } = await ingress();
    expect(spec?.ingressClassName).to.equal("alb");
    expect(spec?.rules?.[0]?.http?.paths.map(({ backend }) => backend.service?.name)).to.deep.equal([
      "preview-header",
      "preview-cookie",
      "production",
    ]);
  });

  it("alb: a switch moves the weights in its action, and a rollback by hand moves them back", async () => {
    await test.set({ activeColor: "green" });
    await test.stack.up();
    expect([await liveColor(test.cluster), await given()]).to.deep.equal(["green", { blue: 0, green: 100 }]);
    await rollback(
      { context: test.stage.context, namespace: test.cluster.namespace, namespacePerColor: false, app },
      {
        from: "green",
        why: "test",
        strategy: "shared",
        databaseSecret: "db-credentials",
        runIn: "update",
        settings: { route: "alb", database: null, connectionDrainSeconds: 30 },
        fewer: false,
      },
      () => undefined,
    );
    expect([await liveColor(test.cluster), await given()]).to.deep.equal(["blue", { blue: 100, green: 0 }]);
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(await given()).to.deep.equal({ blue: 100, green: 0 });
  });

  it("istio: the weights of a VirtualService are numbers, and are moved", async () => {
    const reader = readerOf(test.cluster);
    const kind = { group: "networking.istio.io", version: "v1", plural: "virtualservices" };
    expect([await reader.serves(kind), await routers.istio.isOffered(reader)]).to.deep.equal([false, false]);
    expect(await routers.istio.examine(reader, { gateway: "istio-system/public" })).to.include({
      state: "broken",
      says: "there is no Gateway istio-system/public",
    });
    const { config, namespace } = test.cluster;
    await config.makeApiClient(KubernetesObjectApi).create(virtualServiceCrd);
    await poll(async () => (await reader.serves(kind)) || undefined, { timeoutMs: 300_000 });
    await test.set({ traffic: { strategy: "weighted", router: "istio", gateway: "istio-system/public" } });
    await test.stack.up();
    expect(await given("istio")).to.deep.equal({ blue: 100, green: 0 });
    const move = (weights: Weights, active: Color) =>
      moveTraffic(test.cluster, app, "istio", { weights, active });
    expect(await move({ blue: 0, green: 100 }, "green")).to.equal(true);
    const found = (await config
      .makeApiClient(CustomObjectsApi)
      .getNamespacedCustomObject({ ...kind, namespace, name: "chatgpt-app-ingress" })) as {
      spec: { gateways: unknown; http: { route: unknown }[] };
    };
    expect([found.spec.gateways, found.spec.http[1]?.route]).to.deep.equal([
      ["istio-system/public"],
      [
        ["blue", 0],
        ["green", 100],
      ].map(([color, weight]) => ({
        destination: { host: `chatgpt-app-${color}.${namespace}.svc.cluster.local`, port: { number: 80 } },
        weight,
      })),
    ]);
    expect(await given("istio")).to.deep.equal({ blue: 0, green: 100 });
    expect(await move({ blue: 100, green: 0 }, "blue")).to.equal(true);
    expect(await given("istio")).to.deep.equal({ blue: 100, green: 0 });
  });

  it("gce: one ingress, to the active Service", async () => {
    await test.set({ traffic: { strategy: "selector", router: "gce" } });
    await test.stack.up();
    const { metadata, spec } = await ingress();
    expect(metadata?.annotations).to.include({ "kubernetes.io/ingress.class": "gce" });
    expect(spec?.rules?.[0]?.http?.paths.map(({ backend }) => backend.service?.name)).to.deep.equal([
      "chatgpt-app-service",
    ]);
  });
});
