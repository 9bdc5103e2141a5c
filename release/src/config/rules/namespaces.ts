import { colorNamespacesOf } from "../../app/namespaces.js";
import { routers, whichCan } from "../../routers/routers.js";
import { isSeparate } from "../strategies.js";
import type { FlatSettings } from "../schema.js";
import { violation, type RawSettings, type SettingViolation } from "../violation.js";

/** A name that is a part of host names. */
const namespaceMax = 63;

/** With a namespace for each color: what cannot lead there, and names that would be too long. */
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
