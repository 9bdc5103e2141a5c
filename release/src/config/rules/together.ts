import { colors, type Color } from "../../app/color.js";
import { gatewayRequests, isGatewaySource } from "../../routers/routedRequests.js";
import { isSeparate } from "../schema/database.js";
import { routers, whichCan } from "../../routers/routers.js";
import type { FlatSettings } from "../schema.js";
import { violation, type RawSettings, type SettingViolation } from "../violation.js";
import { brokenTraffic, brokenClusters, brokenIsolation } from "./traffic.js";

/** Rules between settings. Each checks only values that are right by themselves. */
export function brokenTogether(values: Partial<FlatSettings>, raw: RawSettings): SettingViolation[] {
  const broken: SettingViolation[] = [];
  const { activeColor } = values;
  if (activeColor !== undefined && raw[`${activeColor}Tag`] === undefined) {
    broken.push(
      violation(`${activeColor}Tag`, undefined, `the active color (${activeColor}) needs an image tag`),
    );
  }
  if (
    values.contractMigration !== undefined &&
    values.schemaVersion !== undefined &&
    values.contractMigration > values.schemaVersion
  ) {
    broken.push(
      violation(
        "contractMigration",
        values.contractMigration,
        `at most schemaVersion (${values.schemaVersion}): what comes before a contract migration is applied first`,
      ),
    );
  }
  if (
    values.database !== undefined &&
    values.database.strategy !== "shared" &&
    raw["databaseAdminUrl"] !== undefined
  ) {
    broken.push(
      violation(
        "databaseAdminUrl",
        raw["databaseAdminUrl"],
        `only with the strategy shared; ${values.database.strategy === "none" ? "with none the app has no database" : `with ${values.database.strategy} each color has a Secret of yours`}`,
      ),
    );
  }
  if (
    values.migrations !== undefined &&
    values.migrations.command.length > 0 &&
    values.database !== undefined &&
    isSeparate(values.database.strategy)
  ) {
    broken.push(
      violation(
        "migrations",
        raw["migrations"],
        `no command with ${values.database.strategy}, where it would have to run on both databases at once`,
      ),
    );
  }
  if (values.database?.runIn === "cluster") {
    const refuse = (key: "analysis" | "database", rule: string) =>
      broken.push(violation(key, raw[key], rule));
    if (values.database.strategy !== "shared")
      refuse(
        "database",
        `runIn update with strategy ${values.database.strategy}: ${values.database.strategy === "none" ? "the app has no database" : "the analysis controller hands the writing over, too, and a command here makes standbys"}`,
      );
    if (values.analysis?.controllerImage === "")
      refuse("analysis", "a controllerImage with database.runIn cluster: the relay pod runs it");
  }
  if (values.database?.strategy === "none") {
    for (const key of ["schemaVersion", "contractMigration"] as const) {
      if (raw[key] !== undefined)
        broken.push(violation(key, raw[key], "only with a database: database.strategy is none"));
    }
  }
  if (raw["databaseAddress"] !== undefined && raw["databaseAdminUrl"] === undefined) {
    broken.push(violation("databaseAddress", raw["databaseAddress"], "only together with databaseAdminUrl"));
  }
  if (values.databaseAdminUrl !== undefined && raw["databaseAddress"] === undefined) {
    broken.push(
      violation(
        "databaseAddress",
        undefined,
        "needed with databaseAdminUrl: pods may see the server under another address",
      ),
    );
  }
  broken.push(
    ...brokenAnalysis(values, raw),
    ...brokenTraffic(values, raw),
    ...brokenIsolation(values, raw),
    ...brokenClusters(values, raw),
  );
  for (const color of colors) {
    for (const name of inBoth(values, color)) {
      broken.push(
        violation(
          "secretEnv",
          "",
          `${name} of ${color} is in env or ${color}.env as well: a variable is either secret or readable`,
        ),
      );
    }
  }
  return broken;
}

/** Variables of a color that would be readable and secret at once. */
function inBoth(values: Partial<FlatSettings>, color: Color): string[] {
  const own = values[color];
  const secret = [values.secretEnv, own?.secretEnv, values.envFromSecrets, own?.envFromSecrets];
  const plain = { ...values.env, ...own?.env };
  return Object.keys(Object.assign({}, ...secret) as object).filter((name) => name in plain);
}

/** Figures that nobody can give. */
function brokenAnalysis({ analysis, traffic }: Partial<FlatSettings>, raw: RawSettings): SettingViolation[] {
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
