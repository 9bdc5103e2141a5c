import {
  AuthorizationV1Api,
  NetworkingV1Api,
  RbacAuthorizationV1Api,
  type V1ResourceAttributes,
} from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import { colors, namespaceOf, colorNamespacesOf, orUndefined, poll, type Color } from "@bluegreen/release";
import { readHistory } from "@bluegreen/release/state/history";
import { readGiven } from "@bluegreen/release/traffic/move";
import { loadController } from "../../local/stage";
import { bluegreen } from "../support/bluegreen";
import { killUpdate } from "../support/killUpdate";
import { failureOf, imageOf, liveColor, podsOf } from "../support/read";
import { makeCertificate, makeRoutedStack, type RoutedStack } from "../routes/support/routedStack";
import { smallAndQuick } from "../../local/testing/testStack";

const app = "chatgpt-app";

/**
 * Told in order: each test continues where the one before ended. Nothing on the stage resolves names: who comes
 * by the active Service's is not tested.
 */
describe("Colors in namespaces of their own, at a real edge under load", function () {
  let test: RoutedStack;
  let controllerImage: string;
  before(async () => {
    const images = [
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
      { tag: "v2-smoke", release: "v2", fault: "smoke" },
      { tag: "v2-errors", release: "v2", fault: "errors" },
    ] as const;
    test = await makeRoutedStack("gateway", [...images], { namespacePerColor: true });
    controllerImage = await loadController();
    await test.set({ analysis: { ...smallAndQuick.analysis, controllerImage }, quota: { enabled: true } });
  });
  after(() => test.remove());

  const colorNamespace = (color: Color) => namespaceOf(test.cluster, color);
  const activeService = () =>
    test.cluster.core.readNamespacedService({ name: `${app}-service`, namespace: test.cluster.namespace });
  const namesIn = async (namespace: string) => {
    const { core, apps, autoscaling, coordination, config } = test.cluster;
    const lists = await Promise.all([
      apps.listNamespacedDeployment({ namespace }),
      core.listNamespacedPod({ namespace }),
      core.listNamespacedService({ namespace }),
      core.listNamespacedServiceAccount({ namespace }),
      core.listNamespacedConfigMap({ namespace }),
      core.listNamespacedSecret({ namespace }),
      core.listNamespacedResourceQuota({ namespace }),
      core.listNamespacedLimitRange({ namespace }),
      autoscaling.listNamespacedHorizontalPodAutoscaler({ namespace }),
      coordination.listNamespacedLease({ namespace }),
      config.makeApiClient(NetworkingV1Api).listNamespacedNetworkPolicy({ namespace }),
      config.makeApiClient(RbacAuthorizationV1Api).listNamespacedRole({ namespace }),
    ]);
    return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata?.name ?? ""));
  };
  const expectUsersOn = async (color: Color) => {
    const { spec, metadata } = await activeService();
    expect(
      [spec?.selector?.["version"], spec?.externalName],
      "the record, and where DNS points",
    ).to.deep.equal([color, `${app}-${color}.${colorNamespace(color)}.svc.cluster.local`]);
    expect(
      (
        await test.cluster.core.readNamespacedService({
          name: `${app}-${color}`,
          namespace: colorNamespace(color),
        })
      ).spec?.clusterIP,
      "which is a Service",
    ).to.match(/^10\./);
    return metadata?.annotations ?? {};
  };

  it("puts what is a color's into its namespace, nothing of it into the app's, and lets users in", async () => {
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
    await test.visitor.askUntil(({ color }) => color === "blue", "/widget");
    expect(await test.visitor.count(100)).to.deep.equal({ blue: 100 });
    await expectUsersOn("blue");
    for (const color of colors) {
      const names = await namesIn(colorNamespace(color));
      expect(names).to.include.members([
        `${app}-${color}`,
        "db-credentials",
        `${app}-quota`,
        `${app}-preflight`,
        `${app}-analysis`,
      ]);
      expect(JSON.stringify(names))
        .to.not.contain(`${app}-${color === "blue" ? "green" : "blue"}`)
        .and.not.contain("alerts");
      const { metadata } = await test.cluster.core.readNamespace({ name: colorNamespace(color) });
      expect(metadata?.labels).to.deep.include({ "pod-security.kubernetes.io/enforce": "restricted" });
    }
    const ofApp = await namesIn(test.cluster.namespace);
    expect(
      ofApp.filter((name) => /-(blue|green)(-|$)|db-credentials|quota|preflight/.test(name)),
    ).to.deep.equal([]);
    expect(ofApp).to.include.members([
      `${app}-service`,
      `${app}-analysis`,
      `${app}-release`,
      `${app}-history`,
    ]);
    expect(Object.keys((await test.stack.up()).changes), "nothing is left to do").to.deep.equal(["same"]);
  });

  it("refuses to take users' color into another namespace, in preview, and says how to move", async () => {
    await test.set({ namespacePerColor: false });
    const refused = await failureOf(test.stack.preview());
    expect(refused)
      .to.contain(
        `namespacePerColor false was refused: the active color is in a namespace of its own, ${colorNamespace("blue")} or ${colorNamespace("green")}`,
      )
      .and.contain("pulumi config set namespacePerColor true");
    await test.set({ namespacePerColor: true });
  });

  it("asks the quotas of the namespace that pods would come to", async () => {
    const namespace = colorNamespace("green");
    await test.cluster.core.createNamespacedResourceQuota({
      namespace,
      body: { metadata: { name: "theirs" }, spec: { hard: { pods: "1" } } },
    });
    await poll(
      async () =>
        (await test.cluster.core.readNamespacedResourceQuota({ name: "theirs", namespace })).status?.used?.[
          "pods"
        ] === "0"
          ? true
          : undefined,
      { timeoutMs: 300_000 },
    );
    await test.set({ greenTag: "v2-smoke", activeColor: "green" });
    expect(await failureOf(test.stack.preview())).to.contain(
      `ResourceQuota ${namespace}/theirs has no room for 2 more pods: pods wanted 2, left 1`,
    );
    await test.cluster.core.deleteNamespacedResourceQuota({ name: "theirs", namespace });
  });

  it("leaves users where they are when the smoke suite fails", async () => {
    const crowd = test.visitor.crowd();
    expect(await failureOf(test.stack.up())).to.contain("The smoke gate of green (v2-smoke) failed");
    await crowd.untilOnly("blue");
    await crowd.stop();
    expect(crowd.failures).to.deep.equal([]);
    await expectUsersOn("blue");
  });

  it("moves everybody to green without a failed request", async () => {
    await test.set({ greenTag: "v2" });
    const crowd = test.visitor.crowd();
    const said: string[] = [];
    await test.stack.up({ onOutput: (line) => said.push(line) });
    await crowd.untilOnly("green");
    await crowd.stop();
    expect(crowd.failures).to.deep.equal([]);
    await expectUsersOn("green");
    expect(said.join("\n"), "analyzed and drained where they are")
      .to.match(/analysis of green .* 2\/2 pods ready/)
      .and.match(/blue is (not )?drained/);
    expect([
      await imageOf(test.cluster, "green"),
      (await podsOf(test.cluster, "green")).length,
    ]).to.deep.equal([`${test.stage.imageRepository}:v2`, 2]);
  });

  it("rolls back all traffic by hand, by other resources of the edge as well, and the next update agrees", async () => {
    await test.set({ traffic: { strategy: "weighted", router: "traefik" } });
    await test.stack.up();
    await makeCertificate(test);
    await test.visitor.askUntil(({ color }) => color === "green", "/widget");
    const crowd = test.visitor.crowd();
    const { code, errors, out } = await bluegreen(
      test,
      "rollback",
      "--yes",
      "--traffic-only",
      "--reason",
      "a test",
    );
    expect([code, errors], out).to.deep.equal([0, ""]);
    await crowd.untilOnly("blue");
    expect(await expectUsersOn("blue"), "marked in the same request").to.have.property(
      "bluegreen.dev/blocked-images",
    );
    await test.set({ activeColor: "blue" });
    await test.stack.up();
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
    await crowd.stop();
    expect(crowd.failures).to.deep.equal([]);
  });

  it("is rolled back by the analysis controller from a version that fails, when the update was killed", async () => {
    await test.set({
      activeColor: "green",
      greenTag: "v2-errors",
      analysis: { durationSeconds: 60, intervalSeconds: 1, controllerImage },
    });
    const crowd = test.visitor.crowd();
    await killUpdate(
      test,
      async () => (await readGiven(test.cluster, app, "traefik"))?.weights.green === 100,
    );
    await poll(async () => ((await liveColor(test.cluster)) === "blue" ? true : undefined), {
      timeoutMs: 600_000,
    });
    await crowd.untilOnly("blue");
    await crowd.stop();
    expect(
      crowd.failures.filter((failure) => !failure.endsWith("by green")),
      "but of green",
    ).to.deep.equal([]);
    await expectUsersOn("blue");
    const rolledBack = async () =>
      (await readHistory(test.cluster, app)).find(
        ({ kind, from }) => kind === "rollback" && from?.image.endsWith(":v2-errors") === true,
      );
    expect((await poll(rolledBack, { timeoutMs: 300_000 })).who).to.contain("in the cluster");
    await test.set({ activeColor: "blue" });
    await test.stack.up();
  });

  it("lets the analysis controller read the colors and move traffic, and nothing else anywhere", async () => {
    const { namespace, config } = test.cluster;
    const reviews = config.makeApiClient(AuthorizationV1Api);
    const may = async (verb: string, resource: string, inside: string, name?: string, group = "") => {
      const resourceAttributes: V1ResourceAttributes = {
        verb,
        resource,
        namespace: inside,
        group,
        ...(name !== undefined && { name }),
      };
      const { status } = await reviews.createSubjectAccessReview({
        body: { spec: { user: `system:serviceaccount:${namespace}:${app}-analysis`, resourceAttributes } },
      });
      return status?.allowed === true;
    };
    for (const color of colors) {
      const inside = colorNamespace(color);
      expect([
        await may("list", "pods", inside),
        await may("list", "endpointslices", inside, undefined, "discovery.k8s.io"),
        await may("get", "deployments", inside, `${app}-${color}`, "apps"),
      ]).to.deep.equal([true, true, true]);
      for (const verb of ["patch", "update", "delete", "create"]) {
        for (const resource of ["pods", "services", "secrets", "configmaps"])
          expect(
            await may(verb, resource, inside, `${app}-${color}`),
            `${verb} ${resource} in ${inside}`,
          ).to.equal(false);
        expect(await may(verb, "deployments", inside, `${app}-${color}`, "apps")).to.equal(false);
      }
      expect(await may("get", "secrets", inside, "db-credentials")).to.equal(false);
    }
    expect([
      await may("patch", "services", namespace, `${app}-service`),
      await may("patch", "traefikservices", namespace, `${app}-weights`, "traefik.io"),
    ]).to.deep.equal([true, true]);
    for (const inside of [namespace, "default"])
      expect(await may("list", "pods", inside), inside).to.equal(false);
    expect(await may("patch", "services", namespace, "another")).to.equal(false);
  });

  it("is gone whole, with all three namespaces, when the stack is destroyed", async () => {
    await test.stack.destroy();
    for (const name of [test.cluster.namespace, ...colorNamespacesOf(test.cluster)]) {
      await poll(
        async () =>
          (await orUndefined(test.cluster.core.readNamespace({ name }))) === undefined ? true : undefined,
        { timeoutMs: 600_000 },
      );
    }
  });
});
