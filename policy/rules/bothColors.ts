import { colors } from "@bluegreen/release/app/color";
import type { App } from "../apps";
import type { Finding } from "../policies";

/**
 * The idle color stays, at zero replicas: a release needs one to come to, and a rollback one to go
 * back to.
 */
export function bothColors({ name, urn, deployments }: App): Finding[] {
  const there = deployments.map(({ color }) => color);
  const missing = colors.filter((color) => !there.includes(color));
  if (missing.length === 0) return [];
  return [
    {
      urn,
      what: `App ${name} has no Deployment of ${missing.join(", and none of ")}`,
      rule: `both colors are there, labelled app: ${name} and version: blue or green; the idle one may have no replicas`,
      next: `let the program make the Deployment of ${missing.join(" and of ")}`,
    },
  ];
}
