import { expect } from "chai";
import { colors, otherColor, parseSettings, type Color } from "@bluegreen/release";
import { activeServiceSpec } from "@bluegreen/release/routers/services";
import { roomFor } from "@bluegreen/release/config/room";
import { namespaceOf, colorNamespacesOf, inEachNamespace } from "@bluegreen/release/app/color";
import { failureOf } from "../support/read";
import { mayReach, type PolicySpec } from "../support/policySelectors";
import { allBefore, recordApp, someSettings, type Recorded, type Recorder } from "./recorder";

const app = "chatgpt-app";
const colorNamespace = (color: Color) => `chatgpt-production-${color}`;
const traefik = {
  ...someSettings,
  namespacePerColor: "true",
  traffic: '{"strategy":"weighted","router":"traefik"}',
};
const gateway = {
  ...traefik,
  traffic: '{"strategy":"weighted","router":"gateway","gateway":"edge/main/https"}',
};
/** Everything that config may ask for beside the colors. */
const whole = {
  ...traefik,
  analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
  quota: '{"enabled":true}',
  autoscaling: '{"minReplicas":2,"maxReplicas":6}',
  env: '{"A":"1"}',
  secretEnv: '{"B":"2"}',
  databaseAdminUrl: "postgres://a@b/c",
  databaseAddress: "10.0.0.1:5432",
  alerts: '{"slackUrl":"https://hooks.example.com/x"}',
};

const metadataOf = ({ inputs }: Recorded) => inputs["metadata"] as { name: string; namespace?: string };
const kindOf = ({ type }: Recorded) => type.split(":").at(-1) ?? type;
const within = ({ recorded }: Recorder, namespace: string) =>
  recorded
    .filter(
      (each) =>
        each.type.startsWith("kubernetes:") &&
        "metadata" in each.inputs &&
        metadataOf(each).namespace === namespace,
    )
    .map((each) => `${kindOf(each)} ${metadataOf(each).name}`);

describe("Namespaces of the colors", () => {
  let recorder: Recorder;
  before(async () => {
    recorder = await recordApp(whole);
  });

  it("are the app's own, or one beside it for each color", () => {
    expect(colorNamespacesOf({ namespace: "shop", namespacePerColor: false })).to.deep.equal(["shop"]);
    expect(colorNamespacesOf({ namespace: "shop", namespacePerColor: true })).to.deep.equal([
      "shop-blue",
      "shop-green",
    ]);
    expect(inEachNamespace({ namespace: "shop", namespacePerColor: false }, "x")).to.deep.equal([
      { namespace: "shop", name: "x" },
    ]);
    expect(inEachNamespace({ namespace: "shop", namespacePerColor: true }, "x")).to.deep.equal([
      { namespace: "shop-blue", name: "x-blue" },
      { namespace: "shop-green", name: "x-green" },
    ]);
  });

  it("hold all that is a color's, and the app's namespace nothing of it", () => {
    for (const color of colors) {
      const names = within(recorder, colorNamespace(color)).map((each) =>
        each.replace(/-[0-9a-f]{12}$/, "-HASH"),
      );
      expect(names, color).to.have.members([
        ...[
          "ServiceAccount",
          "Deployment",
          "Service",
          "PodDisruptionBudget",
          "HorizontalPodAutoscaler",
          "NetworkPolicy",
        ].map((kind) => `${kind} ${app}-${color}`),
        ...["ConfigMap", "Secret"].map((kind) => `${kind} ${app}-${color}-HASH`),
        "Secret db-credentials",
        `NetworkPolicy ${app}-preflight`,
        `ResourceQuota ${app}-quota`,
        `LimitRange ${app}-quota`,
        `Role ${app}-analysis`,
        `RoleBinding ${app}-analysis`,
      ]);
    }
    const ofApp = within(recorder, "chatgpt-production");
    expect(
      ofApp.filter((each) => /-(blue|green)(-|$)|db-credentials|quota|preflight/.test(each)),
    ).to.deep.equal([]);
    expect(ofApp).to.include.members([
      `Service ${app}-service`,
      `IngressRoute ${app}-ingress`,
      `TraefikService ${app}-weights`,
      `Secret ${app}-alerts`,
      `Deployment ${app}-analysis`,
      `NetworkPolicy ${app}-analysis`,
    ]);
  });

  it("are restricted, protected, and there before anything is in them", () => {
    for (const color of colors) {
      const { inputs, protect } = recorder.one("kubernetes:core/v1:Namespace", `${app}-${color}-namespace`);
      const { name: namespace, labels } = inputs["metadata"] as { name: string; labels: object };
      expect(namespace).to.equal(colorNamespace(color));
      expect(labels).to.include({
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
      });
      expect(protect).to.equal(true);
      expect(
        [...allBefore(recorder, `${app}-${color}-namespace`)],
        "nothing is made before the lock",
      ).to.include(`${app}-live-lock`);
      for (const { name, inputs } of recorder.recorded.filter((each) =>
        JSON.stringify(each.inputs["metadata"] ?? null).includes(`"namespace":"${colorNamespace(color)}"`),
      )) {
        expect([...allBefore(recorder, name)], `${name} ${JSON.stringify(inputs["metadata"])}`).to.include(
          `${app}-${color}-namespace`,
        );
      }
    }
  });

  it("are what every step is told, so that it looks for a color where it is", () => {
    const steps = recorder.recorded.filter(
      ({ type, inputs }) => type.startsWith("pulumi-nodejs:dynamic/") && "context" in inputs,
    );
    expect(steps.length).to.be.greaterThan(10);
    for (const { name, inputs } of steps)
      expect(inputs, name).to.deep.include({ namespace: "chatgpt-production", namespacePerColor: true });
  });

  it("change nothing where config does not ask for them", async () => {
    const shared = await recordApp({ ...whole, namespacePerColor: "false" });
    expect(shared.recorded.filter(({ type }) => type === "kubernetes:core/v1:Namespace")).to.have.length(1);
    for (const each of shared.recorded.filter(
      ({ inputs, type }) =>
        type.startsWith("kubernetes:") && "metadata" in inputs && type !== "kubernetes:core/v1:Namespace",
    ))
      expect(metadataOf(each).namespace, each.name).to.equal("chatgpt-production");
    expect(
      JSON.stringify(shared.one("kubernetes:traefik.io/v1alpha1:TraefikService", `${app}-weights`).inputs),
    ).to.not.contain('"namespace":"chatgpt-production-');
    expect(shared.one("kubernetes:core/v1:Secret", `${app}-database`).inputs["metadata"]).to.deep.include({
      name: "db-credentials",
    });
  });

  describe("are routed to", () => {
    it("by DNS, inside the cluster, and the selector stays the record of the live color", () => {
      expect(recorder.one("kubernetes:core/v1:Service", `${app}-service`).inputs["spec"]).to.deep.equal({
        selector: { app, version: "blue" },
        type: "ExternalName",
        externalName: `${app}-blue.${colorNamespace("blue")}.svc.cluster.local`,
        ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: "http" }],
      });
      expect(activeServiceSpec({ namespace: "shop", namespacePerColor: false }, app, "green")).to.deep.equal({
        selector: { app, version: "green" },
      });
    });

    it("by the route, each color's Service where it is", async () => {
      const { spec } = recorder.one("kubernetes:traefik.io/v1alpha1:TraefikService", `${app}-weights`)
        .inputs as { spec: { weighted: { services: { name: string; namespace: string }[] } } };
      expect(spec.weighted.services.map(({ name, namespace }) => `${namespace}/${name}`)).to.deep.equal(
        colors.map((color) => `${colorNamespace(color)}/${app}-${color}`),
      );
      const byGateway = await recordApp(gateway);
      for (const { name, inputs } of [...recorder.recorded, ...byGateway.recorded].filter(({ type }) =>
        /IngressRoute|HTTPRoute/.test(type),
      )) {
        for (const color of colors)
          expect(
            JSON.stringify(inputs).replaceAll(
              `"name":"${app}-${color}","namespace":"${colorNamespace(color)}"`,
              "",
            ),
            name,
          ).to.not.contain(`"name":"${app}-${color}"`);
      }
    });

    it("from the app's HTTPRoutes alone, and no further than to the color's Service", async () => {
      const byGateway = await recordApp(gateway);
      const grants = byGateway.recorded.filter(({ type }) => type.includes("ReferenceGrant"));
      expect(grants.map((each) => metadataOf(each).namespace)).to.deep.equal(colors.map(colorNamespace));
      for (const [index, color] of colors.entries()) {
        expect(grants[index]?.inputs["spec"]).to.deep.equal({
          from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "chatgpt-production" }],
          to: [{ group: "", kind: "Service", name: `${app}-${color}` }],
        });
        expect([...allBefore(byGateway, `${app}-ingress`)], "before the route refers to it").to.include(
          `${app}-${color}-grant`,
        );
      }
      expect(
        recorder.recorded.filter(({ type }) => type.includes("ReferenceGrant")),
        "Traefik's own resources know no grants",
      ).to.deep.equal([]);
    });

    it("through policies: peers that config names without a namespace are in the app's, and so is the analysis controller", async () => {
      const narrow = await recordApp({
        ...whole,
        networkPolicy: '{"allowFrom":[{"podLabels":{"app":"prober"}},{"namespaceLabels":{"edge":"yes"}}]}',
      });
      const policies = narrow.recorded
        .filter(
          (each) =>
            kindOf(each) === "NetworkPolicy" && metadataOf(each).namespace === colorNamespace("green"),
        )
        .map(({ inputs }) => inputs["spec"] as PolicySpec);
      const to = { namespace: colorNamespace("green"), labels: { app, version: "green" } };
      const peer = (namespace: string, labels: Record<string, string>) => ({
        namespace,
        namespaceLabels: { "kubernetes.io/metadata.name": namespace },
        labels,
      });
      expect(mayReach(policies, to, 3000, peer("chatgpt-production", { app: "prober" }))).to.equal(true);
      expect(mayReach(policies, to, 3000, peer("chatgpt-production", { app: `${app}-analysis` }))).to.equal(
        true,
      );
      expect(
        mayReach(policies, to, 3000, { ...peer("ingress", {}), namespaceLabels: { edge: "yes" } }),
      ).to.equal(true);
      for (const namespace of [colorNamespace("green"), colorNamespace("blue"), "elsewhere"])
        expect(mayReach(policies, to, 3000, peer(namespace, { app: "prober" })), namespace).to.equal(false);
    });
  });

  it("have room for one color each, which is all that their quota counts", () => {
    // 3, 3 that drain, 1 of surge and a preflight pod; the analysis controller is elsewhere.
    const settings = parseSettings("chatgpt-app", {
      ...traefik,
      analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
    });
    expect(roomFor(settings)).to.deep.include({ pods: 8 });
    expect(roomFor({ ...settings, namespacePerColor: false })).to.deep.include({ pods: 13 });
  });

  it("let the analysis controller read the color that lives there, and nothing be changed", () => {
    const rulesIn = (name: string) =>
      recorder.one("kubernetes:rbac.authorization.k8s.io/v1:Role", name).inputs["rules"] as {
        resources: string[];
        resourceNames?: string[];
        verbs: string[];
      }[];
    for (const color of colors) {
      const rules = rulesIn(`${app}-analysis-${color}`);
      expect(rules.flatMap(({ verbs }) => verbs).every((verb) => ["get", "list"].includes(verb))).to.equal(
        true,
      );
      expect(JSON.stringify(rules))
        .to.contain(`${app}-${color}`)
        .and.not.contain(`${app}-${otherColor(color)}`)
        .and.not.contain("secrets");
      expect(
        recorder.one("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", `${app}-analysis-${color}`)
          .inputs["subjects"],
      ).to.deep.equal([{ kind: "ServiceAccount", name: `${app}-analysis`, namespace: "chatgpt-production" }]);
    }
    expect(
      rulesIn(`${app}-analysis`).flatMap(({ resources }) => resources),
      "in the app's namespace",
    )
      .to.not.include("pods")
      .and.not.include("deployments");
  });

  it("are refused where nothing can route there, and where their names would be too long", async () => {
    const refusal = (config: Record<string, string>) =>
      failureOf(Promise.resolve().then(() => parseSettings("chatgpt-app", { ...traefik, ...config })));
    expect(await refusal({ traffic: '{"router":"traefik"}' }))
      .to.contain('namespacePerColor = "true"')
      .and.contain("only with traffic.strategy weighted");
    for (const route of ["nginx", "alb"])
      expect(await refusal({ traffic: JSON.stringify({ strategy: "weighted", router: route }) })).to.contain(
        `only with traffic.router traefik or gateway or istio: an Ingress (${route}) refers to Services of its own namespace`,
      );
    expect(await refusal({ namespace: "n".repeat(58) })).to.contain(
      "with namespacePerColor at most 57 characters",
    );
    expect(
      namespaceOf(parseSettings("chatgpt-app", { ...traefik, namespace: "n".repeat(57) }), "green"),
    ).to.have.length(63);
    expect(await refusal({ namespacePerColor: "clusters" })).to.contain("true or false");
    expect(await refusal({ quota: '{"enabled":true,"pods":7}' })).to.contain(
      "pods (7) needs to be 8 or more: a color whole, in a rolling update, and the preflight pod",
    );
  });
});
