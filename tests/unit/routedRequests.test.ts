import { expect } from "chai";
import { askRouter } from "@bluegreen/release/analysis/requestMetrics";
import { trafficBetween } from "@bluegreen/release/analysis/traffic";
import type { Color } from "@bluegreen/release/app/color";
import { limitsOf } from "@bluegreen/release/config/analysisSettings";
import { parseSettings } from "@bluegreen/release/config/settings";
import { startServer, type HttpServer } from "../support/httpServer";

function limitsWith(analysis: object, traffic: object) {
  const config = {
    activeColor: "blue",
    blueTag: "v1",
    imageRepository: "registry.example.com/shop",
    host: "shop.example.com",
    namespace: "shop",
    analysis: JSON.stringify(analysis),
    traffic: JSON.stringify({ gateway: "edge/public", router: "gateway", ...traffic }),
  };
  return limitsOf("shop", parseSettings("shop", config));
}

const refusal = (analysis: object, traffic: object = {}): string => {
  try {
    limitsWith({ prometheusUrl: "http://prometheus.example.com", ...analysis }, traffic);
  } catch (error) {
    return String(error);
  }
  return "";
};

/** Of one cluster, as Envoy's documentation has it; made up. */
const envoyText = (cluster: string, codes: Record<string, number>, milliseconds: number) => {
  const requests = Object.values(codes).reduce((total, each) => total + each, 0);
  const label = `envoy_cluster_name="${cluster}"`;
  return [
    "# TYPE envoy_cluster_upstream_rq counter",
    ...Object.entries(codes).map(
      ([code, count]) => `envoy_cluster_upstream_rq{envoy_response_code="${code}",${label}} ${count}`,
    ),
    `envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",${label}} ${codes["200"] ?? 0}`,
    `envoy_cluster_upstream_rq_total{${label}} ${requests}`,
    "# TYPE envoy_cluster_upstream_rq_time histogram",
    ...["25", "50", "100", "+Inf"].map(
      (le) =>
        `envoy_cluster_upstream_rq_time_bucket{${label},le="${le}"} ${Number(le) < milliseconds ? 0 : requests}`,
    ),
    `envoy_cluster_upstream_rq_time_sum{${label}} ${requests * milliseconds}`,
    `envoy_cluster_upstream_rq_time_count{${label}} ${requests}`,
    "",
  ].join("\n");
};

/** Of one service, as Traefik writes it; made up. */
const traefikText = (service: string, code: string, requests: number) =>
  `traefik_service_request_duration_seconds_count{code="${code}",method="GET",protocol="http",service="${service}"} ${requests}\n`;

/** Of one destination, as Istio's standard metrics are documented; made up. */
const istioText = (reporter: string, service: string, code: string, requests: number) =>
  `istio_request_duration_milliseconds_count{reporter="${reporter}",source_workload="public-istio",destination_workload="unknown",destination_service_name="${service}",destination_service_namespace="shop",response_code="${code}"} ${requests}\n`;

describe("Requests as a Gateway counts them", () => {
  let server: HttpServer;
  let text = "";
  let queries: string[] = [];
  before(async () => {
    server = await startServer((request, response) => {
      queries.push(new URL(request.url ?? "", "http://server").searchParams.get("query") ?? "");
      response.end(text);
    });
  });
  beforeEach(() => {
    queries = [];
  });
  after(() => server.close());

  const trafficOf = async (requestsFrom: string, traffic: object, color: Color) => {
    const within = limitsWith({ requestsFrom, routerMetricsUrl: server.url }, traffic);
    const found = await askRouter(within, color, new AbortController().signal);
    if (found === undefined || !("counted" in found)) throw new Error(JSON.stringify(found));
    return trafficBetween([], found.counted);
  };

  it("are of Envoy Gateway those of the first rule: statuses from one metric, milliseconds from the other", async () => {
    text =
      envoyText("httproute/shop/shop-ingress/rule/0", { 200: 90, 404: 2, 503: 8 }, 40) +
      envoyText("httproute/shop/shop-ingress/rule/1", { 500: 1000 }, 4000) +
      envoyText("httproute/other/shop-ingress/rule/0", { 500: 1000 }, 4000);
    const traffic = await trafficOf("envoyGateway", {}, "green");
    expect(traffic).to.deep.include({
      requests: 100,
      serverErrors: 8,
      clientErrors: 2,
      timed: 100,
      unclassified: 0,
    });
    expect(traffic.averageSeconds).to.be.closeTo(0.04, 1e-9);
    expect(traffic.buckets).to.deep.equal({ "0.025": 0, "0.05": 100, "0.1": 100, "+Inf": 100 });
  });

  it("of Envoy Gateway are asked of Prometheus by both metrics", async () => {
    text = "{}";
    const within = limitsWith({ requestsFrom: "envoyGateway", prometheusUrl: server.url }, {});
    await askRouter(within, "green", new AbortController().signal);
    expect(queries[0]).to.contain(
      '{__name__=~"envoy_cluster_upstream_rq_time_(count|sum|bucket)|envoy_cluster_upstream_rq",envoy_cluster_name=~"httproute/shop/shop-ingress/rule/0(/backend/0)?"}',
    );
  });

  it("are of Traefik those of the Service, by the names of today and of before", async () => {
    const router = "httproute-shop-shop-ingress-gw-edge-public-ep-websecure-0-0123456789";
    text =
      traefikText(`${router}-svc-shop-shop-green-1@kubernetesgateway`, "200", 5) +
      traefikText("shop-shop-green-http-80@kubernetesgateway", "500", 2) +
      traefikText("other-shop-shop-green-http-80@kubernetesgateway", "500", 1000) +
      traefikText(`${router}-svc-shop-shop-blue-0@kubernetesgateway`, "500", 1000);
    const traffic = await trafficOf("traefikGateway", { strategy: "weighted" }, "green");
    expect(traffic).to.include({ requests: 7, serverErrors: 2 });
  });

  it("are of Istio those of its gateway's proxy, for the Gateway API as for a VirtualService", async () => {
    text =
      istioText("source", "shop-green", "200", 5) +
      istioText("source", "shop-green", "503", 2) +
      istioText("destination", "shop-green", "200", 1000) +
      istioText("source", "shop-blue", "503", 1000);
    for (const [source, router] of [
      ["istioGateway", "gateway"],
      ["router", "istio"],
    ] as const) {
      const traffic = await trafficOf(source, { router, strategy: "weighted" }, "green");
      expect(traffic, source).to.include({ requests: 7, serverErrors: 2 });
    }
  });

  it("are refused where they cannot be told apart, with the way out", () => {
    expect(refusal({ requestsFrom: "envoyGateway" })).to.equal("");
    expect(refusal({ requestsFrom: "envoyGateway" }, { strategy: "weighted" })).to.contain(
      "traffic.strategy selector with requestsFrom envoyGateway",
    );
    expect(refusal({ requestsFrom: "envoyGateway" }, { router: "traefik", gateway: undefined })).to.contain(
      "requestsFrom envoyGateway only with traffic.router gateway, not traefik",
    );
    expect(refusal({ requestsFrom: "router" }))
      .to.contain("envoyGateway, istioGateway, traefikGateway")
      .and.contain("NGINX Gateway Fabric");
    expect(refusal({ requestsFrom: "istioGateway", prometheusUrl: "" })).to.contain(
      "prometheusUrl or routerMetricsUrl",
    );
  });
});
