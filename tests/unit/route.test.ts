import { expect } from "chai";
import { z } from "zod";
import { parseSettings } from "@bluegreen/release/config/settings";
import type { Way } from "@bluegreen/release/routers/router";
import { routerNames, routers } from "@bluegreen/release/routers/routers";
import {
  parseDuration,
  weightsAfter,
  allOn,
  formatWeights,
  type Weights,
} from "@bluegreen/release/routers/weights";
import { strict, virtualServiceSchema } from "../support/virtualService";
import { app, apply, way } from "./ways";
import { allBefore, recordApp, someSettings, type Recorder } from "./recorder";

/** The objects as the cluster would give them, in the order in which weights are read. */
function manifests(kind: (typeof routerNames)[number], of: Way<string>): unknown[] {
  const objects = routers[kind].objects(of);
  return (routers[kind].weights?.at(app) ?? []).map(({ name }) => {
    const found = objects.find((object) => object.name === name && object.roles.includes("weights"));
    return found && { metadata: { name, annotations: found.annotations }, spec: found.spec };
  });
}

describe("A route", () => {
  const weighted = routerNames.filter((kind) => routers[kind].weights !== undefined);

  it("has weights in every kind but the one that refers to one color at a time", () => {
    expect(weighted).to.deep.equal(["nginx", "traefik", "gateway", "istio", "alb"]);
  });

  for (const kind of weighted) {
    const { weights } = routers[kind];
    it(`of ${kind} says the weights that it was given, whichever color is active`, () => {
      for (const active of ["blue", "green"] as const) {
        for (const wanted of [
          allOn(active),
          active === "blue" ? { blue: 90, green: 10 } : { blue: 35, green: 65 },
        ]) {
          expect(
            weights?.read(app, manifests(kind, way({ active, weights: wanted }))),
            formatWeights(wanted),
          ).to.deep.equal(wanted);
        }
      }
    });

    it(`of ${kind} is, once patched, what it would be by config, and touches nothing else`, () => {
      for (const affinity of ["none", "cookie"] as const) {
        const before = manifests(kind, way({ affinity }));
        for (const [wanted, active] of [
          [{ blue: 80, green: 20 }, "blue"],
          [allOn("blue"), "blue"],
          [allOn("green"), "green"],
        ] as [Weights, "blue" | "green"][]) {
          const patches = weights?.patches(app, before, wanted, active) ?? [];
          const after = before.map((object, index) => apply(object, patches[index] ?? []));
          expect(weights?.read(app, after)).to.deep.equal(wanted);
          // Which color testers see is the next update's business.
          if (active === "blue")
            expect(after).to.deep.equal(manifests(kind, way({ affinity, active, weights: wanted })));
        }
      }
    });

    it(`of ${kind} reads nothing from what somebody has made of it`, () => {
      for (const found of [
        undefined,
        {},
        { spec: {} },
        { metadata: { annotations: {} }, spec: { rules: [] } },
      ]) {
        expect(
          weights?.read(
            app,
            manifests(kind, way()).map(() => found),
          ),
        ).to.equal(undefined);
      }
    });
  }

  it("of nginx routes everybody to one color in the middle of a switch", () => {
    const { weights } = routers.nginx;
    const before = manifests("nginx", way());
    const [first] = weights?.patches(app, before, allOn("green"), "green") ?? [];
    expect(weights?.read(app, [apply(before[0], first ?? []), before[1]])).to.deep.equal(allOn("green"));
  });

  it("of istio is as its schema has it, with weights as numbers, and the color's namespace in the host", () => {
    const schema = z.fromJSONSchema(strict(virtualServiceSchema) as z.core.JSONSchema.JSONSchema);
    for (const part of [{}, { strategy: "selector" }, { namespacePerColor: true }] as Partial<
      Way<string>
    >[]) {
      const [object] = routers.istio.objects(way(part));
      expect(schema.safeParse({ spec: object?.spec }).error).to.equal(undefined);
    }
    const [, production] = (routers.istio.objects(way({ namespacePerColor: true }))[0]?.spec["http"] ??
      []) as {
      route: unknown;
    }[];
    expect(production?.route).to.deep.equal([
      {
        destination: { host: "chatgpt-app-blue.shop-blue.svc.cluster.local", port: { number: 80 } },
        weight: 90,
      },
      {
        destination: { host: "chatgpt-app-green.shop-green.svc.cluster.local", port: { number: 80 } },
        weight: 10,
      },
    ]);
  });

  it("sends traffic to the active Service with strategy selector, and to nothing else", () => {
    for (const kind of routerNames.filter((each) => each !== "none")) {
      const production = routers[kind]
        .objects(way({ strategy: "selector", weights: allOn("blue") }))
        .find(({ name, kind: of }) => name === "chatgpt-app-ingress" && of !== "Middleware");
      const text = JSON.stringify(production);
      expect(text, kind)
        .to.match(/"chatgpt-app-service["."]/)
        .and.not.match(/"chatgpt-app-blue["."]/);
    }
  });

  it("keeps what is not released behind the token, wherever it can be reached from outside", () => {
    for (const kind of routerNames) {
      const objects = routers[kind].objects(way());
      const { colorPaths } = routers[kind].can;
      const testers = objects.filter(({ name }) => name === "chatgpt-app-ingress-colors");
      expect(testers.length, kind).to.equal(colorPaths === false ? 0 : 1);
      const guarded = JSON.stringify([testers, objects.filter(({ roles }) => roles.includes("testers"))]);
      if (colorPaths !== false)
        expect(guarded, kind).to.match(colorPaths === "password" ? /preview-auth/ : /hunter2/);
      const whole = JSON.stringify(objects);
      expect(whole.includes("x-bluegreen-preview"), kind).to.equal(routers[kind].can.previewHeader);
      expect(whole.includes("bluegreen-preview-hunter2"), kind).to.equal(routers[kind].can.previewCookie);
    }
  });

  it("asks for no password on an internal host, and for a certificate of its own", () => {
    for (const kind of ["nginx", "traefik", "gateway"] as const) {
      const [colors] = routers[kind]
        .objects(way({ internalHost: "preview.internal.example.com", clusterIssuer: "letsencrypt" }))
        .filter(({ name }) => name === "chatgpt-app-ingress-colors");
      const text = JSON.stringify(colors);
      expect(text, kind)
        .to.contain("preview.internal.example.com")
        .and.not.contain('app.example.com"')
        .and.not.match(/preview-auth|hunter2/);
      if (kind !== "gateway") expect(text, kind).to.contain("chatgpt-app-internal-tls");
    }
  });

  it("keeps users with a color by a cookie where the kind can, and is refused where it cannot", () => {
    for (const kind of routerNames) {
      const settings = {
        ...someSettings,
        traffic: JSON.stringify({
          router: kind,
          affinity: "cookie",
          ...(routers[kind].gateway !== undefined && { gateway: "edge/main" }),
        }),
      };
      if (routers[kind].can.affinityCookie)
        expect(JSON.stringify(routers[kind].objects(way({ affinity: "cookie" }))), kind).to.match(
          /cookie|Stickiness/,
        );
      else
        expect(() => parseSettings("chatgpt-app", settings), kind).to.throw(
          `with router ${kind}, which sets no cookie`,
        );
    }
  });

  describe("with more hosts and other backends", () => {
    const part = {
      moreHosts: ["www.example.com", "*.shop.example.com"],
      tlsSecret: "wildcard",
      otherPaths: [
        { path: "/api", pathType: "Prefix", service: "api", port: 8080 },
        { path: "/robots.txt", pathType: "Exact", service: "static", port: 80 },
      ] satisfies Way<string>["otherPaths"],
    };
    const having = routerNames.filter((kind) => routers[kind].can.otherPaths);
    const usersOf = (kind: (typeof routerNames)[number], more: Partial<Way<string>> = {}) =>
      JSON.stringify(
        routers[kind]
          .objects(way({ ...part, clusterIssuer: "letsencrypt", ...more }))
          .filter(({ roles, kind: of }) => roles.includes("production") && of !== "Middleware"),
      );

    it("routes all of them to the app, and their paths elsewhere, with the certificate of config", () => {
      expect(having).to.deep.equal(["nginx", "traefik", "gateway", "alb", "gce"]);
      for (const kind of having) {
        const text = usersOf(kind);
        expect(text, kind)
          .to.contain("app.example.com")
          .and.contain("www.example.com")
          .and.match(/shop(?:\\\\)?.example/)
          .and.contain("8080")
          .and.contain("static");
        if (kind !== "gateway") expect(text, kind).to.contain("wildcard").and.not.contain("chatgpt-app-tls");
      }
      expect(usersOf("istio", { otherPaths: [] })).to.contain("*.shop.example.com");
    });

    for (const kind of ["nginx", "traefik", "gateway", "istio", "alb"] as const)
      it(`of ${kind} moves the weights of every host at once`, () => {
        const { weights } = routers[kind];
        const more = kind === "istio" ? { ...part, otherPaths: [] } : part;
        const before = manifests(kind, way(more));
        expect(weights?.read(app, before)).to.deep.equal({ blue: 90, green: 10 });
        const patches = weights?.patches(app, before, allOn("green"), "green") ?? [];
        const after = before.map((object, index) => apply(object, patches[index] ?? []));
        expect(weights?.read(app, after)).to.deep.equal(allOn("green"));
        const rollback = weights?.patches(app, after, { blue: 90, green: 10 }, "blue") ?? [];
        expect(after.map((object, index) => apply(object, rollback[index] ?? []))).to.deep.equal(before);
      });

    it("of nginx reads nothing while a host points elsewhere than the others", () => {
      const [main, canary] = manifests("nginx", way(part)) as [
        { spec: { rules: { http: { paths: { backend: { service: { name: string } } }[] } }[] } },
        unknown,
      ];
      const backend = main.spec.rules[1]?.http.paths[0]?.backend;
      if (backend !== undefined) backend.service.name = "chatgpt-app-green";
      expect(routers.nginx.weights?.read(app, [main, canary])).to.equal(undefined);
    });

    it("sends traffic to the port of the active Service", () => {
      for (const kind of ["gateway", "istio"] as const)
        expect(usersOf(kind, { strategy: "selector", servicePort: 8443, otherPaths: [] }), kind).to.contain(
          "8443",
        );
    });
  });
});

describe("Weights", () => {
  it("are the idle color's percentage in config, whichever color is active", () => {
    const weights = (config: Record<string, string>) =>
      parseSettings("chatgpt-app", { ...someSettings, traffic: '{"strategy":"weighted"}', ...config })
        .weights;
    expect(weights({})).to.deep.equal({ blue: 100, green: 0 });
    expect(weights({ canaryWeight: "10" })).to.deep.equal({ blue: 90, green: 10 });
    expect(weights({ canaryWeight: "33", activeColor: "green" })).to.deep.equal({ blue: 33, green: 67 });
  });

  it("are refused where nobody could give them, each with the rule", () => {
    const refused = (config: Record<string, string>) => {
      try {
        parseSettings("chatgpt-app", { ...someSettings, ...config });
      } catch (error) {
        return String(error);
      }
      return "";
    };
    const route = JSON.stringify({ strategy: "weighted" });
    expect(refused({ traffic: route, canaryWeight: "10" })).to.equal("");
    expect(refused({ canaryWeight: "10" })).to.contain("0 without traffic.strategy weighted");
    expect(refused({ canaryWeight: "0" })).to.equal("");
    for (const wrong of ["100", "-1", "0.5", "blue=90,green=10"])
      expect(refused({ traffic: route, canaryWeight: wrong }), wrong)
        .to.contain("all traffic moves by activeColor")
        .and.contain("pulumi config set canaryWeight 10");
    expect(refused({ traffic: route, canaryWeight: "10", greenTag: "" })).to.contain(
      "green gets 10 % of the traffic and needs an image tag",
    );
    expect(
      refused({ traffic: route, canaryWeight: "10", database: '{"strategy":"logicalReplication"}' }),
    ).to.contain("one color at a time may write");
    expect(refused({ traffic: '{"strategy":"weighted","router":"gce"}' })).to.contain(
      "it refers to one color at a time",
    );
    for (const traffic of [
      '{"router":"gateway"}',
      '{"router":"nginx","gateway":"edge/main"}',
      '{"router":"istio","gateway":"edge/main/https"}',
    ])
      expect(refused({ traffic }), traffic).to.contain("with router gateway or istio and only then");
    expect(refused({ traffic: '{"router":"alb","internalHost":"a.example.com"}' })).to.contain(
      "has no color paths",
    );
  });
});

describe("A shift", () => {
  it("has its last step at all traffic, and continues from the present weight", () => {
    expect(weightsAfter(0, 4)).to.deep.equal([25, 50, 75, 100]);
    expect(weightsAfter(50, 4)).to.deep.equal([75, 100]);
    expect(weightsAfter(51, 4)).to.deep.equal([75, 100]);
    expect(weightsAfter(0, 3)).to.deep.equal([33, 67, 100]);
    expect(weightsAfter(99, 100)).to.deep.equal([100]);
    expect(new Set(weightsAfter(0, 100)).size).to.equal(100);
  });

  it("takes the time that it is told", () => {
    expect(["30m", "90s", "1h30m", "2h"].map(parseDuration)).to.deep.equal([1800, 90, 5400, 7200]);
    for (const wrong of ["", "30", "m", "1d", "-5m", "5m1h", "1.5h"])
      expect(parseDuration(wrong), wrong).to.equal(undefined);
  });
});

describe("The blue-green app with a route that has weights", () => {
  const config = { ...someSettings, traffic: JSON.stringify({ strategy: "weighted", router: "traefik" }) };
  const weights = ["kubernetes:traefik.io/v1alpha1:TraefikService", "chatgpt-app-weights"] as const;
  const services = (recorder: Recorder) =>
    (
      recorder.one(...weights).inputs as {
        spec: { weighted: { services: { name: string; weight: number }[] } };
      }
    ).spec.weighted.services.map(({ name, weight }) => [name, weight]);

  it("moves the active Service first, then the weights, then analyzes", async () => {
    const recorder = await recordApp({ ...config, activeColor: "green" });
    expect(services(recorder)).to.deep.equal([
      ["chatgpt-app-blue", 0],
      ["chatgpt-app-green", 100],
    ]);
    expect([...allBefore(recorder, "chatgpt-app-weights")])
      .to.include.members(["chatgpt-app-service", "chatgpt-app-green-smoke"])
      .and.not.include("chatgpt-app-blue");
    expect([...allBefore(recorder, "chatgpt-app-analysis")]).to.include("chatgpt-app-weights");
    expect([...allBefore(recorder, "chatgpt-app-blue")]).to.include("chatgpt-app-analysis");
    expect(recorder.recorded.filter(({ name }) => name.startsWith("chatgpt-app-shift"))).to.deep.equal([]);
  });

  it("gives a canary weight after the gates of the color that gets it, and analyzes that color", async () => {
    const recorder = await recordApp({ ...config, canaryWeight: "10", canaryStepSeconds: "20" });
    expect(services(recorder)).to.deep.equal([
      ["chatgpt-app-blue", 90],
      ["chatgpt-app-green", 10],
    ]);
    expect([...allBefore(recorder, "chatgpt-app-weights")]).to.include.members([
      "chatgpt-app-green-smoke",
      "chatgpt-app-green-schema",
      "chatgpt-app-shift-switch-gate",
      "chatgpt-app-analysis",
    ]);
    expect([...allBefore(recorder, "chatgpt-app-shift-analysis")]).to.include("chatgpt-app-weights");
    expect([...allBefore(recorder, "chatgpt-app-release-unlock")]).to.include("chatgpt-app-shift-analysis");
    const gate = recorder.one(
      "pulumi-nodejs:dynamic/bluegreen:SwitchGate",
      "chatgpt-app-shift-switch-gate",
    ).inputs;
    expect(gate).to.deep.include({ color: "green", weight: 10, route: "traefik" });
    expect(gate["limits"]).to.deep.include({ durationSeconds: 20, intervalSeconds: 5 });
  });

  it("keeps its objects where they are when a canary weight comes and goes: another place would be another object, and users without an ingress", async () => {
    const parents = async (more: Record<string, string>) =>
      (await recordApp({ ...config, ...more })).recorded
        .filter(({ type }) => type.includes("traefik.io"))
        .map(({ type, name, parent }) => [type, name, parent]);
    const whole = await parents({});
    expect(whole.length).to.be.greaterThan(3);
    expect(await parents({ canaryWeight: "10" })).to.deep.equal(whole);
    expect(await parents({ activeColor: "green" })).to.deep.equal(whole);
  });

  it("lets the analysis controller move the weights, and no other object of that kind", async () => {
    const recorder = await recordApp({
      ...config,
      analysis: '{"controllerImage":"ghcr.io/you/analysis-controller:1"}',
    });
    const { rules } = recorder.one("kubernetes:rbac.authorization.k8s.io/v1:Role", "chatgpt-app-analysis")
      .inputs as { rules: { resources: string[] }[] };
    expect(rules.filter(({ resources }) => resources.includes("traefikservices"))).to.deep.equal([
      {
        apiGroups: ["traefik.io"],
        resources: ["traefikservices"],
        resourceNames: ["chatgpt-app-weights"],
        verbs: ["get", "patch"],
      },
    ]);
  });

  it("holds no password, but a token that is another text: the password's hash is in a Secret, and it is nowhere else", async () => {
    for (const kind of routerNames) {
      const recorder = await recordApp({
        ...someSettings,
        traffic: JSON.stringify({
          router: kind,
          ...(routers[kind].gateway !== undefined && { gateway: "edge/main" }),
          ...(routers[kind].isWeightedOnly && { strategy: "weighted" }),
        }),
      });
      const [password, token] = ["chatgpt-app-ingress-preview-password", "chatgpt-app-ingress-preview"].map(
        (name) => recorder.one("random:index/randomPassword:RandomPassword", name),
      );
      expect([password?.name, token?.name], kind).not.to.include(undefined);
      const inCluster = JSON.stringify(
        recorder.recorded.filter(({ type }) => !type.startsWith("random:")).map(({ inputs }) => inputs),
      );
      expect(inCluster, kind).not.to.contain("generated-chatgpt-app-ingress-preview-password");
      // As what was there before there were two: testers' tools continue.
      expect(inCluster.includes("generated-chatgpt-app-ingress-preview"), kind).to.equal(
        routers[kind].can.previewHeader,
      );
    }
  });

  it("keeps the token encrypted wherever it stands", async () => {
    for (const kind of routerNames) {
      const recorder = await recordApp({
        ...someSettings,
        traffic: JSON.stringify({
          router: kind,
          ...(routers[kind].gateway !== undefined && { gateway: "edge/main" }),
          ...(routers[kind].isWeightedOnly && { strategy: "weighted" }),
        }),
      });
      for (const { type, name, readable } of recorder.recorded) {
        if (!type.startsWith("random:"))
          expect(readable, `${kind}: ${name}`).not.to.contain("generated-chatgpt-app-ingress-preview");
      }
    }
  });
});
