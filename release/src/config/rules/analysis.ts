import { gatewayRequests, isGatewaySource } from "../../routers/gatewayRequests.js";
import { routers, whichCan } from "../../routers/routers.js";
import type { FlatSettings } from "../schema.js";
import { violation, type RawSettings, type SettingViolation } from "../violation.js";

/** Figures that nobody can give. */
export function brokenAnalysis(
  { analysis, traffic }: Partial<FlatSettings>,
  raw: RawSettings,
): SettingViolation[] {
  if (analysis === undefined || traffic === undefined) return [];
  const { requestsFrom, noData, prometheusUrl, routerMetricsUrl } = analysis;
  const refuse = (rule: string) => [violation("analysis", raw["analysis"], rule)];
  const isMesh = requestsFrom === "istio" || requestsFrom === "linkerd";
  if (isMesh && prometheusUrl === "")
    return refuse(`prometheusUrl with requestsFrom ${requestsFrom}: its figures are Prometheus'`);
  if (isMesh || (requestsFrom === "pods" && noData !== "router")) return [];
  if (isGatewaySource(requestsFrom)) {
    if (traffic.router !== "gateway")
      return refuse(`requestsFrom ${requestsFrom} only with traffic.router gateway, not ${traffic.router}`);
    if (gatewayRequests[requestsFrom].countsByRule && traffic.strategy === "weighted")
      return refuse(
        `traffic.strategy selector with requestsFrom ${requestsFrom}, which counts both colors of a rule together; with weights: pods, istio or linkerd`,
      );
  } else if (routers[traffic.router].requests === undefined) {
    const gateways =
      traffic.router === "gateway"
        ? `; with gateway, requestsFrom names who implements it: ${Object.keys(gatewayRequests).join(", ")}. NGINX Gateway Fabric counts all routes together, without a status: take pods, istio, linkerd or a query`
        : "";
    return refuse(
      `requestsFrom and noData without router, where traffic.router is ${traffic.router}: only ${whichCan(({ requests }) => requests !== undefined)} tells a color's requests${gateways}`,
    );
  }
  return prometheusUrl === "" && routerMetricsUrl === ""
    ? refuse("prometheusUrl or routerMetricsUrl, to ask for the router's figures")
    : [];
}
