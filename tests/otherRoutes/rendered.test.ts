import { NetworkingV1Api } from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import { rollback } from "@bluegreen/release/releases/rollback";
import { readGiven } from "@bluegreen/release/route/move";
import { liveColor } from "../support/look";
import { makeStack, twoVersions, type TestStack } from "../support/testStack";
import { startUsers, type Users } from "../support/users";

const app = "chatgpt-app";

/** A real API server takes them and the program moves them; nobody on the stage makes load balancers of them. Told in order. */
describe("The routes of cloud load balancers, without their controllers", function () {
  this.timeout(600_000);
  let test: TestStack;
  let users: Users;
  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({ clusterIssuer: "none", activeColor: "blue", blueTag: "v1", greenTag: "v2", traffic: { mode: "route", route: "alb" }, drain: { seconds: 0 } });
    await test.stack.up();
    users = await startUsers(test.cluster);
  });
  after(async () => {
    const { failures } = await users.stop();
    await test.remove();
    expect(failures, "what users inside the cluster saw").to.deep.equal([]);
  });

  const ingress = () => test.cluster.config.makeApiClient(NetworkingV1Api).readNamespacedIngress({ name: "chatgpt-app-ingress", namespace: test.cluster.namespace });
  const given = async () => (await readGiven(test.cluster, app, "alb"))?.weights;

  it("alb: both colors are target groups, and users' weights are one of them", async () => {
    expect(await given()).to.deep.equal({ blue: 100, green: 0 });
    const { spec } = await ingress();
    expect(spec?.ingressClassName).to.equal("alb");
    expect(spec?.rules?.[0]?.http?.paths.map(({ backend }) => backend.service?.name)).to.deep.equal(["preview-header", "preview-cookie", "users"]);
  });

  it("alb: a switch moves the weights in its action, and a rollback by hand moves them back", async () => {
    await test.set({ activeColor: "green" });
    await test.stack.up();
    expect([await liveColor(test.cluster), await given()]).to.deep.equal(["green", { blue: 0, green: 100 }]);
    await rollback({ context: test.stage.context, namespace: test.cluster.namespace, isolation: "shared", app }, { from: "green", why: "test", strategy: "shared", settings: { route: "alb", database: null, connectionDrainSeconds: 30 }, fewer: false }, () => undefined);
    expect([await liveColor(test.cluster), await given()]).to.deep.equal(["blue", { blue: 100, green: 0 }]);
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(await given()).to.deep.equal({ blue: 100, green: 0 });
  });

  it("gce: one way in, to the active Service", async () => {
    await test.set({ traffic: { mode: "service", route: "gce" } });
    await test.stack.up();
    const { metadata, spec } = await ingress();
    expect(metadata?.annotations).to.include({ "kubernetes.io/ingress.class": "gce" });
    expect(spec?.rules?.[0]?.http?.paths.map(({ backend }) => backend.service?.name)).to.deep.equal(["chatgpt-app-service"]);
  });
});
