import { otherColor, colorNamespacesOf } from "../../app/color.js";
import { routers, whichCan } from "../../routers/routers.js";
import type { FlatSettings } from "../schema.js";
import { isSeparate } from "../schema/database.js";
import { violation, type RawSettings, type SettingViolation } from "../violation.js";

/** What the ingress controller cannot do, and weights that no color could have. */
export function brokenTraffic(
  {
    traffic,
    canaryWeight,
    activeColor,
    database,
    host,
    ingress,
    service,
    namespacePerColor,
  }: Partial<FlatSettings>,
  raw: RawSettings,
): SettingViolation[] {
  if (traffic === undefined) return [];
  const { strategy, router, affinity, internalHost } = traffic;
  const { can, weights, isWeightedOnly } = routers[router];
  const broken: SettingViolation[] = [];
  const refuse = (key: keyof FlatSettings, rule: string) => broken.push(violation(key, raw[key], rule));
  if (strategy === "weighted" && weights === undefined)
    refuse(
      "traffic",
      `strategy selector with router ${router}: ${router === "none" ? "no ingress has weights" : "it refers to one color at a time; on GKE, gateway refers to both"}`,
    );
  if (strategy === "selector" && isWeightedOnly)
    refuse(
      "traffic",
      `strategy weighted with router ${router}: its load balancer holds the addresses of pods, a switch of the selector replaces all of them, and until the new ones are healthy users get 503`,
    );
  if (affinity === "cookie" && !can.affinityCookie)
    refuse("traffic", `affinity none or clientIP with router ${router}, which sets no cookie`);
  // A host that breaks its own rule is said by that rule.
  if (router !== "none" && raw["host"] === undefined)
    refuse("host", `a host name with router ${router}: requests come in by it`);
  if (internalHost !== "" && internalHost === host)
    refuse(
      "traffic",
      `another internalHost than host (${host}): on it the color paths ask for no password, and users' host is open to everybody`,
    );
  if (internalHost !== "" && can.colorPaths === false)
    refuse("traffic", `no internalHost with router ${router}, which has no color paths`);
  if (ingress !== undefined) {
    if (!can.otherPaths && ingress.paths.length > 0)
      refuse(
        "ingress",
        `no paths with router ${router}: only ${whichCan((each) => each.can.otherPaths)} has some`,
      );
    if (
      router === "none" &&
      [...ingress.hosts, ...Object.keys(ingress.annotations), ingress.tlsSecret].join("") !== ""
    )
      refuse("ingress", "nothing with router none, which makes no ingress");
    if (host !== undefined && ingress.hosts.includes(host))
      refuse("ingress", `hosts without host (${host}), which is there already`);
    if (internalHost !== "" && ingress.hosts.includes(internalHost))
      refuse(
        "ingress",
        `hosts without traffic.internalHost (${internalHost}): users' hosts are open to everybody`,
      );
  }
  if (namespacePerColor === true && service !== undefined && service.type !== "ClusterIP")
    refuse(
      "service",
      "type ClusterIP with namespacePerColor: the active Service is a name there, and has no pods",
    );
  if (canaryWeight === undefined || canaryWeight === 0 || activeColor === undefined) return broken;
  const idle = otherColor(activeColor);
  if (strategy !== "weighted")
    refuse("canaryWeight", "0 without traffic.strategy weighted: a Service sends all traffic to one color");
  if (raw[`${idle}Tag`] === undefined)
    refuse(`${idle}Tag`, `${idle} gets ${canaryWeight} % of the traffic and needs an image tag`);
  if (database !== undefined && isSeparate(database.strategy))
    refuse(
      "canaryWeight",
      `0 without the database strategy shared: with ${database.strategy} one color at a time may write`,
    );
  return broken;
}

/** A name that is a part of host names. */
const namespaceMax = 63;

/** With a namespace for each color: what cannot route there, and names that would be too long. */
export function brokenIsolation(
  { namespacePerColor, namespace, traffic }: Partial<FlatSettings>,
  raw: RawSettings,
): SettingViolation[] {
  if (namespacePerColor !== true) return [];
  const broken: SettingViolation[] = [];
  if (traffic !== undefined && traffic.strategy !== "weighted")
    broken.push(
      violation(
        "namespacePerColor",
        raw["namespacePerColor"],
        "only with traffic.strategy weighted: the selector of a Service does not reach pods of another namespace",
      ),
    );
  if (traffic !== undefined && !routers[traffic.router].can.otherNamespaces) {
    broken.push(
      violation(
        "namespacePerColor",
        raw["namespacePerColor"],
        `only with traffic.router ${whichCan(({ can }) => can.otherNamespaces)}: an Ingress (${traffic.router}) refers to Services of its own namespace`,
      ),
    );
  }
  const longest = colorNamespacesOf({ namespace: namespace ?? "", namespacePerColor }).find(
    (name) => name.length > namespaceMax,
  );
  if (namespace !== undefined && longest !== undefined)
    broken.push(
      violation(
        "namespace",
        raw["namespace"],
        `with namespacePerColor at most ${namespaceMax - (longest.length - namespace.length)} characters: ${longest} would be too long for a namespace`,
      ),
    );
  return broken;
}

/** What one release over several clusters cannot promise. */
export function brokenClusters(
  { clusters, database, writeFreeze, canaryWeight }: Partial<FlatSettings>,
  raw: RawSettings,
): SettingViolation[] {
  if (clusters === undefined || clusters.targets.length === 0) return [];
  const broken: SettingViolation[] = [];
  const refuse = (key: keyof FlatSettings, rule: string) => broken.push(violation(key, raw[key], rule));
  if (raw["context"] !== undefined)
    refuse("context", "not set with clusters, whose targets have a context each: pulumi config rm context");
  if (canaryWeight !== undefined && canaryWeight > 0)
    refuse(
      "canaryWeight",
      "0 with clusters: each cluster gets its part of traffic from a load balancer; with clusters.rollout sequential the first one is the canary",
    );
  if (database !== undefined && isSeparate(database.strategy))
    refuse(
      "database",
      `strategy shared with clusters: with ${database.strategy} a switch in one cluster takes the writing from users of the others`,
    );
  if (writeFreeze !== undefined && writeFreeze.maxSeconds > 0)
    refuse("writeFreeze", "maxSeconds 0 with clusters: one Redis cannot be told for which of them");
  return broken;
}
