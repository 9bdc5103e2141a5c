import { expect } from "chai";
import { parseSettings } from "@bluegreen/release/config/settings";
import { rolesFor } from "@bluegreen/release/doctor/rights";
import type { KindAt, ClusterReader, Prompt } from "@bluegreen/release/routers/router";
import { routerNames, routers, type RouterName } from "@bluegreen/release/routers/routers";
import { someSettings } from "./recorder";

interface Found {
  metadata: { name: string; namespace?: string };
  spec?: object;
  status?: object;
}

/** A cluster that has these objects, by `plural.group`, and no kind but theirs. */
function clusterOf(objects: Record<string, Found[]>): ClusterReader {
  const of = ({ plural, group }: KindAt) => objects[`${plural}.${group}`];
  return {
    list: (kind) => Promise.resolve(of(kind) ?? []),
    read: ({ namespace, name, ...kind }) =>
      Promise.resolve(
        of(kind)?.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
      ),
    serves: (kind) => Promise.resolve(of(kind) !== undefined),
  };
}

const edge = { name: "public", namespace: "edge" };
const clusters: Record<RouterName, ClusterReader> = {
  nginx: clusterOf({
    "ingressclasses.networking.k8s.io": [
      { metadata: { name: "public" }, spec: { controller: "k8s.io/ingress-nginx" } },
    ],
  }),
  traefik: clusterOf({ "ingressroutes.traefik.io": [] }),
  gateway: clusterOf({
    "gateways.gateway.networking.k8s.io": [
      {
        metadata: edge,
        spec: { listeners: [{ name: "https" }] },
        status: { conditions: [{ type: "Programmed", status: "True" }] },
      },
    ],
  }),
  istio: clusterOf({ "gateways.networking.istio.io": [{ metadata: edge }] }),
  alb: clusterOf({
    "ingressclasses.networking.k8s.io": [
      { metadata: { name: "alb" }, spec: { controller: "ingress.k8s.aws/alb" } },
    ],
  }),
  gce: clusterOf({}),
  none: clusterOf({}),
};

describe("A router", () => {
  it("is offered by init where something in the cluster reads its objects, and no other is", async () => {
    for (const name of routerNames) {
      const offered = await Promise.all(
        routerNames.map(async (each) => ((await routers[each].isOffered(clusters[name])) ? [each] : [])),
      );
      // Nothing in a cluster shows GKE's.
      expect(offered.flat(), name).to.deep.equal(name === "gce" || name === "none" ? [] : [name]);
    }
  });

  it("is found by doctor as init has written it, and missed where it is not", async () => {
    for (const name of routerNames) {
      const prompt: Prompt = {
        given: {},
        reader: clusters[name],
        choose: (_part, values) => Promise.resolve(values[0] ?? ""),
      };
      const settings = (await routers[name].prompt?.(prompt)) ?? {};
      const [there, missing] = await Promise.all(
        [clusters[name], clusterOf({})].map((reader) => routers[name].examine(reader, settings)),
      );
      expect([there?.state, missing?.state], name).to.deep.equal(
        name === "gce" ? ["advice", "advice"] : name === "none" ? ["well", "well"] : ["well", "broken"],
      );
    }
  });

  it("asks for its Gateway, and for the class that is there where it has another name than usual", async () => {
    const settingsOf = (name: RouterName) =>
      routers[name].prompt?.({
        given: {},
        reader: clusters[name],
        choose: (_part, values) => Promise.resolve(values.join()),
      });
    expect(await settingsOf("istio")).to.deep.equal({ gateway: "edge/public" });
    expect(await settingsOf("gateway")).to.deep.equal({ gateway: "edge/public" });
    expect(await settingsOf("nginx")).to.deep.equal({ ingressClass: "public" });
    expect(await settingsOf("alb")).to.deep.equal({ ingressClass: undefined });
  });

  it("needs the rights to make its objects, and to find what it is read by", () => {
    const rulesOf = (router: RouterName) => {
      const traffic = { router, ...(routers[router].gateway !== undefined && { gateway: "edge/public" }) };
      const config = { ...someSettings, traffic: JSON.stringify(traffic), createNamespaces: "false" };
      return rolesFor("chatgpt-app", parseSettings("chatgpt-app", config)).flatMap(({ rules }) =>
        rules
          .filter(
            ({ apiGroups: [group], resources }) =>
              /istio|traefik|gateway|cert-manager|networking/.test(group) &&
              !resources.includes("networkpolicies"),
          )
          .map(
            ({ apiGroups, resources, verbs }) => `${resources.join()}.${apiGroups.join()} ${verbs.length}`,
          ),
      );
    };
    expect(rulesOf("istio")).to.deep.equal([
      "gateways.networking.istio.io 1",
      "virtualservices.networking.istio.io 7",
    ]);
    expect(rulesOf("gateway")).to.deep.equal([
      "gateways.gateway.networking.k8s.io 1",
      "httproutes,referencegrants.gateway.networking.k8s.io 7",
    ]);
    expect(rulesOf("traefik")).to.deep.equal([
      "clusterissuers.cert-manager.io 1",
      "ingressroutes,middlewares,traefikservices.traefik.io 7",
      "certificates.cert-manager.io 7",
    ]);
    expect(rulesOf("nginx")).to.deep.equal([
      "ingressclasses.networking.k8s.io 2",
      "clusterissuers.cert-manager.io 1",
      "ingresses.networking.k8s.io 7",
    ]);
  });

  describe("and the controller of an IngressClass", () => {
    const asked = (router: "nginx" | "alb", controller: string | undefined) => {
      const reader = clusterOf({
        "ingressclasses.networking.k8s.io": [{ metadata: { name: "edge" }, spec: { controller } }],
      });
      return Promise.all([
        routers[router].misread?.(reader, { ingressClass: "edge" }),
        routers[router].examine(reader, { ingressClass: "edge" }),
      ]);
    };

    for (const [router, controller] of [
      ["nginx", "k8s.io/ingress-nginx"],
      ["nginx", "k8s.io/internal-ingress-nginx"],
      ["alb", "ingress.k8s.aws/alb"],
      ["alb", "eks.amazonaws.com/alb"],
    ] as const)
      it(`go together: ${router} and ${controller}`, async () => {
        const [wrong, examined] = await asked(router, controller);
        expect([wrong, examined.state]).to.deep.equal([undefined, "well"]);
      });

    for (const [router, controller, called, next] of [
      ["nginx", "nginx.org/ingress-controller", "F5", "router gateway"],
      ["nginx", "ingress-controllers.konghq.com/kong", "Kong", "router gateway"],
      ["nginx", "haproxy.org/ingress-controller/public", "HAProxy", "router gateway"],
      ["nginx", "haproxy-ingress.github.io/controller", "HAProxy", "router gateway"],
      ["nginx", "traefik.io/ingress-controller", "Traefik", "router traefik"],
      ["nginx", "ingress.k8s.aws/alb", "AWS", "router alb"],
      ["alb", "k8s.io/ingress-nginx", "ingress-nginx", "router nginx"],
    ] as const)
      it(`do not go together: ${router} and ${controller}`, async () => {
        const [wrong, examined] = await asked(router, controller);
        expect(examined).to.deep.equal(wrong);
        expect(wrong).to.include({ state: "broken" });
        expect(wrong?.says).to.contain(called).and.contain(controller);
        expect(JSON.stringify(wrong)).to.contain(next);
      });

    it("that nobody knows is said, and no reason to refuse", async () => {
      expect((await asked("nginx", "example.com/edge"))[0]).to.include({ state: "advice" });
      expect((await asked("nginx", undefined))[0]).to.include({ state: "advice" });
      expect(await routers.nginx.misread?.(clusterOf({}), {}), "no class at all").to.equal(undefined);
    });

    it("choose the class for init that the router is read by", async () => {
      const reader = clusterOf({
        "ingressclasses.networking.k8s.io": [
          { metadata: { name: "kong" }, spec: { controller: "ingress-controllers.konghq.com/kong" } },
          { metadata: { name: "nginx" }, spec: { controller: "nginx.org/ingress-controller" } },
          { metadata: { name: "public" }, spec: { controller: "k8s.io/ingress-nginx" } },
        ],
      });
      const choose = () => Promise.resolve("");
      expect(await routers.nginx.prompt?.({ given: {}, reader, choose })).to.deep.equal({
        ingressClass: "public",
      });
    });
  });

  it("whose load balancer holds pods' addresses is refused with strategy selector", () => {
    const parse = (traffic: object) =>
      parseSettings("chatgpt-app", { ...someSettings, traffic: JSON.stringify(traffic) });
    expect(() => parse({ router: "alb" })).to.throw("strategy weighted with router alb");
    expect(parse({ router: "alb", strategy: "weighted" }).traffic.router).to.equal("alb");
  });
});
