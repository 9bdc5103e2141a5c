import { expect } from "chai";
import { limitsOf } from "@bluegreen/release/config/analysisSettings";
import { parseSettings } from "@bluegreen/release/config/settings";
import { describeInterval, summarize } from "@bluegreen/release/analysis/summary";
import type { RouterObservation } from "@bluegreen/release/analysis/observation";
import { askRouter } from "@bluegreen/release/analysis/requestMetrics";
import { trafficOf } from "@bluegreen/release/analysis/traffic";
import { startServer, type HttpServer } from "../support/httpServer";
import { counters, limits, pod, observation } from "./observations";

const required = {
  activeColor: "blue",
  blueTag: "v1",
  imageRepository: "registry.example.com/shop",
  host: "shop.example.com",
};

function limitsWith(analysis: object, traffic: object = { router: "traefik" }) {
  const config = {
    ...required,
    namespace: "shop",
    analysis: JSON.stringify(analysis),
    traffic: JSON.stringify(traffic),
  };
  return limitsOf("shop", parseSettings("shop", config));
}

const refusal = (analysis: object, traffic?: object): string => {
  try {
    limitsWith(analysis, traffic);
  } catch (error) {
    return String(error);
  }
  return "";
};

/** Of one service, as Traefik writes it. */
const traefikText = (service: string, code: string, requests: number) =>
  [
    `traefik_service_request_duration_seconds_bucket{code="${code}",method="GET",protocol="http",service="${service}",le="0.1"} ${requests}`,
    `traefik_service_request_duration_seconds_bucket{code="${code}",method="GET",protocol="http",service="${service}",le="+Inf"} ${requests}`,
    `traefik_service_request_duration_seconds_sum{code="${code}",method="GET",protocol="http",service="${service}"} ${requests / 100}`,
    `traefik_service_request_duration_seconds_count{code="${code}",method="GET",protocol="http",service="${service}"} ${requests}`,
    "",
  ].join("\n");

describe("Requests as the router counts them", () => {
  let server: HttpServer;
  let text = "";
  let status = 200;
  let queries: string[] = [];
  const signal = new AbortController().signal;

  before(async () => {
    server = await startServer((request, response) => {
      queries.push(new URL(request.url ?? "", "http://server").searchParams.get("query") ?? "");
      response.writeHead(status).end(text);
    });
  });
  beforeEach(() => {
    queries = [];
    status = 200;
  });
  after(() => server.close());

  const counted = (found: RouterObservation | undefined) => {
    if (found === undefined || !("counted" in found)) throw new Error(JSON.stringify(found));
    return found.counted;
  };

  it("are nobody's business where pods tell theirs", async () => {
    expect(limitsWith({}).series).to.equal(null);
    expect(await askRouter(limits, "green", signal)).to.equal(undefined);
  });

  it("are those of the active Service, or of each color with weights, and of nothing else", async () => {
    text = [
      "# TYPE traefik_service_request_duration_seconds histogram",
      traefikText("shop-shop-service-http@kubernetescrd", "200", 90),
      traefikText("shop-shop-service-http@kubernetescrd", "503", 10),
      // As a real Traefik with safeNaming calls it.
      traefikText("shop_shop-users_wrr_1_shop_shop-green_http@kubernetescrd", "200", 7),
      traefikText("shop-shop-greenhouse-http@kubernetescrd", "500", 1000),
      traefikText("other-shop-service-http@kubernetescrd", "500", 1000),
    ].join("\n");
    const ask = async (traffic: object) =>
      counted(
        await askRouter(
          limitsWith({ requestsFrom: "router", routerMetricsUrl: server.url }, traffic),
          "green",
          signal,
        ),
      );
    expect((await ask({ router: "traefik" }))[0]?.counters).to.include({
      requests: 100,
      serverErrors: 10,
      timed: 100,
    });
    expect((await ask({ router: "traefik", strategy: "weighted" }))[0]?.counters).to.include({
      requests: 7,
      serverErrors: 0,
    });
  });

  it("come from Prometheus by instance, also where it calls their labels exported_…", async () => {
    const metric = (instance: string, labels: object) => ({
      metric: {
        __name__: "nginx_ingress_controller_request_duration_seconds_count",
        instance,
        status: "200",
        ...labels,
      },
      value: [1700000000, "5"],
    });
    text = JSON.stringify({
      status: "success",
      data: {
        resultType: "vector",
        result: [
          metric("a:10254", { service: "shop-service", namespace: "shop" }),
          metric("b:10254", {
            service: "ingress-nginx-controller",
            exported_service: "shop-service",
            namespace: "ingress-nginx",
            exported_namespace: "shop",
          }),
          metric("b:10254", { service: "shop-service", namespace: "another" }),
        ],
      },
    });
    const within = limitsWith({ requestsFrom: "router", prometheusUrl: server.url }, { router: "nginx" });
    const instances = counted(await askRouter(within, "green", signal));
    expect(instances.map(({ counters: of }) => of?.requests)).to.deep.equal([5, 5]);
    expect(queries[0]).to.equal(
      '{__name__=~"nginx_ingress_controller_request_duration_seconds_(count|sum|bucket)",service=~"shop-service(-canary)?"}' +
        ' or {__name__=~"nginx_ingress_controller_request_duration_seconds_(count|sum|bucket)",exported_service=~"shop-service(-canary)?"}',
    );
  });

  it("of a mesh are told by the color's Deployment", () => {
    const of = (requestsFrom: string) =>
      limitsWith(
        { requestsFrom, prometheusUrl: "http://prometheus.example.com" },
        { router: "alb", strategy: "weighted" },
      ).series?.labels.green;
    expect(of("istio")).to.include({
      destination_workload: "shop-green",
      destination_workload_namespace: "shop",
    });
    expect(of("linkerd")).to.include({ deployment: "shop-green", direction: "inbound" });
  });

  it("are none where nobody answers, and a color that nobody has asked has no requests", async () => {
    const within = limitsWith({ requestsFrom: "router", routerMetricsUrl: server.url });
    text = "# nothing\n";
    expect(counted(await askRouter(within, "green", signal))[0]?.counters).to.include({ requests: 0 });
    status = 503;
    expect(await askRouter(within, "green", signal)).to.deep.equal({
      noData: "the router's metrics answer 503",
    });
    const nobody = { ...within, routerMetricsUrl: "http://127.0.0.1:1/metrics" };
    expect(await askRouter(nobody, "green", signal))
      .to.have.property("noData")
      .that.matches(/^the connection failed/);
  });

  describe("count", () => {
    const router = (requests: number): RouterObservation => ({
      counted: [{ name: "router", answered: true, counters: counters({ requests }) }],
    });
    const now = observation([pod({ counters: counters({ requests: 60 }) })], { router: router(1000) });
    const before = observation([pod()], { router: router(400) });

    it("where config wants them, and where the pods say nothing and config asks for them then", () => {
      const by = (within: object, of = now) => trafficOf({ ...limits, ...within }, before, of).requests;
      expect(by({})).to.equal(60);
      expect(by({ requestsFrom: "router" })).to.equal(600);
      expect(by({ noData: "router" })).to.equal(60);
      const silent = observation([pod({ answered: false })], { router: router(1000) });
      expect(by({ noData: "router" }, silent)).to.equal(600);
      expect(by({}, silent)).to.equal(0);
    });

    it("as no data after a reading without them: what was counted long ago is not this version's", () => {
      const within = { ...limits, requestsFrom: "router" as const };
      const gap = observation([pod()], { router: { noData: "Prometheus answers 503" } });
      expect(trafficOf(within, gap, now)).to.include({ measuredPods: 0, requests: 0 });
      expect(
        describeInterval({
          limits: within,
          seen: summarize({ app: "shop", color: "green", template: "t" }, within, before, gap),
          now: gap,
          atSeconds: 30,
          totalSeconds: 600,
          score: 0,
        }),
      ).to.contain("no data of the router: Prometheus answers 503");
    });
  });

  it("are refused where nobody can give them", () => {
    expect(refusal({ requestsFrom: "router" })).to.contain("prometheusUrl or routerMetricsUrl");
    expect(refusal({ requestsFrom: "istio" })).to.contain("prometheusUrl with requestsFrom istio");
    expect(
      refusal({ noData: "router", prometheusUrl: "http://p" }, { router: "alb", strategy: "weighted" }),
    ).to.contain("where traffic.router is alb: only nginx or traefik or istio tells a color's requests");
  });
});
