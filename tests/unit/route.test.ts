import { expect } from "chai";
import { parseSettings } from "@bluegreen/release/settings/settings";
import { routeKinds, type Way } from "@bluegreen/release/route/route";
import { routes } from "@bluegreen/release/route/routes";
import { parseDuration, sharesAfter } from "@bluegreen/release/route/shares";
import { allOn, formatWeights, parseWeights, type Weights } from "@bluegreen/release/route/weights";
import { allBefore, recordApp, someSettings, type Recorder } from "./recorder";

const app = "chatgpt-app";

function way(part: Partial<Way<string>> = {}): Way<string> {
  return {
    app,
    namespace: "shop",
    isolation: "shared",
    host: "app.example.com",
    readyPath: "/ready",
    internalHost: undefined,
    ingressClass: undefined,
    clusterIssuer: undefined,
    gateway: { namespace: "edge", name: "main", listener: "https" },
    mode: "route",
    affinity: "none",
    active: "blue",
    weights: { blue: 90, green: 10 },
    token: "hunter2",
    interpolate: (literals, ...values) => String.raw({ raw: literals }, ...values),
    ...part,
  };
}

/** The objects as the cluster would give them, in the order in which weights are read. */
function manifests(kind: (typeof routeKinds)[number], of: Way<string>): unknown[] {
  const objects = routes[kind].objects(of);
  return (routes[kind].weights?.at(app) ?? []).map(({ name }) => {
    const found = objects.find((object) => object.name === name && object.roles.includes("weights"));
    return found && { metadata: { name, annotations: found.annotations }, spec: found.spec };
  });
}

/** The few operations that the patches of a route use. */
function apply(object: unknown, patch: { op: string; path: string; value?: unknown }[]): unknown {
  const copy: unknown = structuredClone(object);
  for (const { op, path, value } of patch) {
    const keys = path.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = keys.pop() ?? "";
    const parent = keys.reduce((at, key) => (at as Record<string, unknown>)[key], copy) as Record<string, unknown>;
    if (op === "test") expect(parent[last], path).to.deep.equal(value);
    else parent[last] = value;
  }
  return copy;
}

describe("A route", () => {
  const weighted = routeKinds.filter((kind) => routes[kind].weights !== undefined);

  it("has weights in every kind but the one that refers to one color at a time", () => {
    expect(weighted).to.deep.equal(["nginx", "traefik", "gateway", "alb"]);
  });

  for (const kind of weighted) {
    const { weights } = routes[kind];
    it(`of ${kind} says the weights that it was given, whichever color is active`, () => {
      for (const active of ["blue", "green"] as const) {
        for (const wanted of [allOn(active), active === "blue" ? { blue: 90, green: 10 } : { blue: 35, green: 65 }]) {
          expect(weights?.read(app, manifests(kind, way({ active, weights: wanted }))), formatWeights(wanted)).to.deep.equal(wanted);
        }
      }
    });

    it(`of ${kind} is, once patched, what it would be by config, and touches nothing else`, () => {
      for (const affinity of ["none", "cookie"] as const) {
        const before = manifests(kind, way({ affinity }));
        for (const [wanted, active] of [[{ blue: 80, green: 20 }, "blue"], [allOn("blue"), "blue"], [allOn("green"), "green"]] as [Weights, "blue" | "green"][]) {
          const patches = weights?.patches(app, before, wanted, active) ?? [];
          const after = before.map((object, index) => apply(object, patches[index] ?? []));
          expect(weights?.read(app, after)).to.deep.equal(wanted);
          // Which color testers see is the next update's business.
          if (active === "blue") expect(after).to.deep.equal(manifests(kind, way({ affinity, active, weights: wanted })));
        }
      }
    });

    it(`of ${kind} reads nothing from what somebody has made of it`, () => {
      for (const found of [undefined, {}, { spec: {} }, { metadata: { annotations: {} }, spec: { rules: [] } }]) {
        expect(weights?.read(app, manifests(kind, way()).map(() => found))).to.equal(undefined);
      }
    });
  }

  it("of nginx leads everybody to one color in the middle of a switch", () => {
    const { weights } = routes.nginx;
    const before = manifests("nginx", way());
    const [first] = weights?.patches(app, before, allOn("green"), "green") ?? [];
    expect(weights?.read(app, [apply(before[0], first ?? []), before[1]])).to.deep.equal(allOn("green"));
  });

  it("leads users to the active Service in mode service, and to nothing else", () => {
    for (const kind of routeKinds) {
      const users = routes[kind].objects(way({ mode: "service", weights: allOn("blue") })).find(({ name, kind: of }) => name === "chatgpt-app-ingress" && of !== "Middleware");
      const text = JSON.stringify(users);
      expect(text, kind).to.contain('"chatgpt-app-service"').and.not.contain('"chatgpt-app-blue"');
    }
  });

  it("keeps what is not released behind the token, wherever it can be reached from outside", () => {
    for (const kind of routeKinds) {
      const objects = routes[kind].objects(way());
      const testers = objects.filter(({ name }) => name === "chatgpt-app-ingress-colors");
      expect(testers.length, kind).to.equal(routes[kind].can.colorPaths ? 1 : 0);
      const guarded = JSON.stringify([testers, objects.filter(({ roles }) => roles.includes("testers"))]);
      if (routes[kind].can.colorPaths) expect(guarded, kind).to.match(/preview-auth|hunter2/);
      const whole = JSON.stringify(objects);
      expect(whole.includes("x-bluegreen-preview"), kind).to.equal(routes[kind].can.previewHeader);
      expect(whole.includes("bluegreen-preview-hunter2"), kind).to.equal(routes[kind].can.previewCookie);
    }
  });

  it("asks for no password on an internal host, and for a certificate of its own", () => {
    for (const kind of ["nginx", "traefik", "gateway"] as const) {
      const [colors] = routes[kind].objects(way({ internalHost: "preview.internal.example.com", clusterIssuer: "letsencrypt" })).filter(({ name }) => name === "chatgpt-app-ingress-colors");
      const text = JSON.stringify(colors);
      expect(text, kind).to.contain("preview.internal.example.com").and.not.contain('app.example.com"').and.not.match(/preview-auth|hunter2/);
      if (kind !== "gateway") expect(text, kind).to.contain("chatgpt-app-internal-tls");
    }
  });

  it("keeps users with a color by a cookie where the kind can, and is refused where it cannot", () => {
    for (const kind of routeKinds) {
      const settings = { ...someSettings, traffic: JSON.stringify({ route: kind, affinity: "cookie", ...(kind === "gateway" && { gateway: "edge/main" }) }) };
      if (routes[kind].can.affinityCookie) expect(JSON.stringify(routes[kind].objects(way({ affinity: "cookie" }))), kind).to.match(/cookie|Stickiness/);
      else expect(() => parseSettings(settings), kind).to.throw(`with route ${kind}, which sets no cookie`);
    }
  });
});

describe("Weights", () => {
  it("are one text in config, in either order", () => {
    expect(parseWeights("blue=90,green=10")).to.deep.equal({ blue: 90, green: 10 });
    expect(parseWeights("green=10,blue=90")).to.deep.equal({ blue: 90, green: 10 });
    expect(parseWeights(formatWeights({ blue: 33, green: 67 }))).to.deep.equal({ blue: 33, green: 67 });
    for (const wrong of ["", "blue=100", "blue=50,blue=50", "blue=90,green=20", "blue=-10,green=110", "red=90,green=10", "blue=90;green=10", "blue=90,green=10,", "blue=9e1,green=10"]) {
      expect(parseWeights(wrong), wrong).to.equal(undefined);
    }
  });

  it("are refused where nobody could give them, each with the rule", () => {
    const refused = (config: Record<string, string>) => {
      try {
        parseSettings({ ...someSettings, ...config });
      } catch (error) {
        return String(error);
      }
      return "";
    };
    const route = JSON.stringify({ mode: "route" });
    expect(refused({ traffic: route, weights: "blue=90,green=10" })).to.equal("");
    expect(refused({ weights: "blue=90,green=10" })).to.contain("only with traffic.mode route");
    expect(refused({ traffic: route, weights: "blue=0,green=100" })).to.contain("keeps a part").and.contain("pulumi config set activeColor green");
    expect(refused({ traffic: route, weights: "blue=90,green=11" })).to.contain("add up to 100").and.contain("pulumi config set weights blue=90,green=10");
    expect(refused({ traffic: route, weights: "blue=90,green=10", greenTag: "" })).to.contain("green gets 10 % of the users and needs an image tag");
    expect(refused({ traffic: route, weights: "blue=90,green=10", database: '{"strategy":"perColor"}' })).to.contain("one color at a time may write");
    expect(refused({ traffic: '{"mode":"route","route":"gce"}' })).to.contain("it refers to one color at a time");
    expect(refused({ traffic: '{"route":"gateway"}' })).to.contain("with route gateway and only then");
    expect(refused({ traffic: '{"route":"alb","internalHost":"a.example.com"}' })).to.contain("has no color paths");
  });
});

describe("A shift", () => {
  it("has its last step at all users, and goes on from what they have", () => {
    expect(sharesAfter(0, 4)).to.deep.equal([25, 50, 75, 100]);
    expect(sharesAfter(50, 4)).to.deep.equal([75, 100]);
    expect(sharesAfter(51, 4)).to.deep.equal([75, 100]);
    expect(sharesAfter(0, 3)).to.deep.equal([33, 67, 100]);
    expect(sharesAfter(99, 100)).to.deep.equal([100]);
    expect(new Set(sharesAfter(0, 100)).size).to.equal(100);
  });

  it("takes the time that it is told", () => {
    expect(["30m", "90s", "1h30m", "2h"].map(parseDuration)).to.deep.equal([1800, 90, 5400, 7200]);
    for (const wrong of ["", "30", "m", "1d", "-5m", "5m1h", "1.5h"]) expect(parseDuration(wrong), wrong).to.equal(undefined);
  });
});

describe("The blue-green app with a route that has weights", () => {
  const config = { ...someSettings, traffic: JSON.stringify({ mode: "route", route: "traefik" }) };
  const users = ["kubernetes:traefik.io/v1alpha1:TraefikService", "chatgpt-app-users"] as const;
  const services = (recorder: Recorder) => (recorder.one(...users).inputs as { spec: { weighted: { services: { name: string; weight: number }[] } } }).spec.weighted.services.map(({ name, weight }) => [name, weight]);

  it("moves the active Service first, then the weights, then watches", async () => {
    const recorder = await recordApp({ ...config, activeColor: "green" });
    expect(services(recorder)).to.deep.equal([["chatgpt-app-blue", 0], ["chatgpt-app-green", 100]]);
    expect([...allBefore(recorder, "chatgpt-app-users")]).to.include.members(["chatgpt-app-service", "chatgpt-app-green-smoke"]).and.not.include("chatgpt-app-blue");
    expect([...allBefore(recorder, "chatgpt-app-watch")]).to.include("chatgpt-app-users");
    expect([...allBefore(recorder, "chatgpt-app-blue")]).to.include("chatgpt-app-watch");
    expect(recorder.recorded.filter(({ name }) => name.startsWith("chatgpt-app-share"))).to.deep.equal([]);
  });

  it("gives a share after the gates of the color that gets it, and watches that color", async () => {
    const recorder = await recordApp({ ...config, weights: "blue=90,green=10", shareSeconds: "20" });
    expect(services(recorder)).to.deep.equal([["chatgpt-app-blue", 90], ["chatgpt-app-green", 10]]);
    expect([...allBefore(recorder, "chatgpt-app-users")]).to.include.members(["chatgpt-app-green-smoke", "chatgpt-app-green-schema", "chatgpt-app-share-gate", "chatgpt-app-watch"]);
    expect([...allBefore(recorder, "chatgpt-app-share-watch")]).to.include("chatgpt-app-users");
    expect([...allBefore(recorder, "chatgpt-app-release-unlock")]).to.include("chatgpt-app-share-watch");
    const gate = recorder.one("pulumi-nodejs:dynamic/bluegreen:SwitchGate", "chatgpt-app-share-gate").inputs;
    expect(gate).to.deep.include({ color: "green", share: 10, route: "traefik" });
    expect(gate["limits"]).to.deep.include({ seconds: 20, everySeconds: 5 });
  });

  it("keeps its objects where they are when a share comes and goes: another place would be another object, and users without a way in", async () => {
    const parents = async (more: Record<string, string>) => (await recordApp({ ...config, ...more })).recorded.filter(({ type }) => type.includes("traefik.io")).map(({ type, name, parent }) => [type, name, parent]);
    const whole = await parents({});
    expect(whole.length).to.be.greaterThan(3);
    expect(await parents({ weights: "blue=90,green=10" })).to.deep.equal(whole);
    expect(await parents({ activeColor: "green" })).to.deep.equal(whole);
  });

  it("lets the watcher move the weights, and no other object of that kind", async () => {
    const recorder = await recordApp({ ...config, watcherImage: "ghcr.io/you/watcher:1" });
    const { rules } = recorder.one("kubernetes:rbac.authorization.k8s.io/v1:Role", "chatgpt-app-watcher").inputs as { rules: { resources: string[] }[] };
    expect(rules.filter(({ resources }) => resources.includes("traefikservices"))).to.deep.equal([{ apiGroups: ["traefik.io"], resources: ["traefikservices"], resourceNames: ["chatgpt-app-users"], verbs: ["get", "patch"] }]);
  });

  it("holds no password, but a token that is another text: the password's hash is in a Secret, and it is nowhere else", async () => {
    for (const kind of routeKinds) {
      const recorder = await recordApp({ ...someSettings, traffic: JSON.stringify({ route: kind, ...(kind === "gateway" && { gateway: "edge/main" }) }) });
      const [password, token] = ["chatgpt-app-ingress-preview-password", "chatgpt-app-ingress-preview"].map((name) => recorder.one("random:index/randomPassword:RandomPassword", name));
      expect([password?.name, token?.name], kind).not.to.include(undefined);
      const inCluster = JSON.stringify(recorder.recorded.filter(({ type }) => !type.startsWith("random:")).map(({ inputs }) => inputs));
      expect(inCluster, kind).not.to.contain("generated-chatgpt-app-ingress-preview-password");
      // As what was there before there were two: testers' tools go on.
      expect(inCluster.includes("generated-chatgpt-app-ingress-preview"), kind).to.equal(routes[kind].can.previewHeader);
    }
  });

  it("keeps the token encrypted wherever it stands", async () => {
    for (const kind of routeKinds) {
      const recorder = await recordApp({ ...someSettings, traffic: JSON.stringify({ route: kind, ...(kind === "gateway" && { gateway: "edge/main" }) }) });
      for (const { type, name, readable } of recorder.recorded) {
        if (!type.startsWith("random:")) expect(readable, `${kind}: ${name}`).not.to.contain("generated-chatgpt-app-ingress-preview");
      }
    }
  });
});
