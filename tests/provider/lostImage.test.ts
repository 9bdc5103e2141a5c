import { expect } from "chai";
import { names, orUndefined, type Color } from "@bluegreen/release";
import { imageAnnotation } from "@bluegreen/release/app/names";
import { refuseLostImage } from "@bluegreen/release/gates/changedImage";
import { NetworkingV1Api } from "@bluegreen/release/kubernetes/client";
import { asJsonPatch } from "@bluegreen/release/kubernetes/patch";
import { routers, type RouterName } from "@bluegreen/release/routers/routers";
import { failureOf } from "../support/read";
import { way } from "../unit/ways";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

const app = "chatgpt-app";
const [released, hotfix] = ["nowhere.invalid/app:v1", "nowhere.invalid/app:v1-fix"];

/** As the hook of the live color's Deployment asks before each update of it. Pods never start here. */
describe("An image that somebody has set on the live color, on a real cluster", function () {
  let test: TestNamespace;

  before(async () => {
    test = await makeNamespace();
    const { cluster, namespace } = test;
    await cluster.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: names.activeService(app) },
        spec: { selector: { app, version: "blue" }, ports: [{ port: 80 }] },
      },
    });
    for (const color of ["blue", "green"] as const) {
      const labels = { app, version: color };
      await cluster.apps.createNamespacedDeployment({
        namespace,
        fieldManager: "pulumi",
        body: {
          metadata: { name: names.deployment(app, color), annotations: { [imageAnnotation]: released } },
          spec: {
            replicas: 0,
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [{ name: "app", image: released }] } },
          },
        },
      });
    }
  });
  after(() => test.remove());

  const setImage = (color: Color, image: string) =>
    test.cluster.apps.patchNamespacedDeployment(
      {
        name: names.deployment(app, color),
        namespace: test.namespace,
        fieldManager: "kubectl-set",
        body: [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: image }],
      },
      asJsonPatch,
    );
  const update = (color: Color, { image = released, route = null as RouterName | null } = {}) =>
    refuseLostImage({ ...test.where, app, color, image, route });

  it("is none where the program has set it", async () => {
    await update("blue");
  });

  it("keeps its Deployment from being applied with another one, and says both ways out", async () => {
    await setImage("blue", hotfix);
    expect(await failureOf(update("blue")))
      .to.contain("BG-LIVE-IMAGE-CHANGED")
      .and.contain(`has ${hotfix}, set by kubectl-set at `)
      .and.contain(`config gives it ${released}`)
      .and.contain("pulumi config set greenTag TAG")
      .and.contain("pulumi config set allowInPlaceUpdate true");
    await update("blue", { image: hotfix });
  });

  it("is nothing to the idle color", async () => {
    await setImage("green", hotfix);
    await update("green");
  });

  it("is kept on a color with a canary weight, until that is rolled back", async () => {
    const { cluster, namespace } = test;
    const ingresses = cluster.config.makeApiClient(NetworkingV1Api);
    const make = async (green: number) => {
      const objects = routers.nginx.objects(way({ namespace, weights: { blue: 100 - green, green } }));
      for (const { name, annotations, spec } of objects.filter((each) => each.roles.includes("weights"))) {
        await orUndefined(ingresses.deleteNamespacedIngress({ namespace, name }));
        await ingresses.createNamespacedIngress({
          namespace,
          body: { metadata: { name, annotations }, spec },
        });
      }
    };
    await make(10);
    expect(await failureOf(update("green", { route: "nginx" })))
      .to.contain("BG-LIVE-IMAGE-CHANGED")
      .and.contain("green, which serves 10 % of traffic")
      .and.contain("pulumi config rm canaryWeight");
    await make(0);
    await update("green", { route: "nginx" });
  });
});
