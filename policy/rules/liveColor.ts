import type { ActiveService, App, ColorDeployment } from "../apps";
import type { Finding } from "../policies";

/** Whatever else changes, who comes in by the active Service finds pods, of one version. */
export function liveColor({ deployments, activeServices }: App): Finding[] {
  return activeServices.flatMap((service) => {
    const { urn, name } = service;
    return whatIsWrong(service, deployments).map((parts) => ({
      urn,
      ...parts,
      what: `${name} ${parts.what}`,
    }));
  });
}

function whatIsWrong(service: ActiveService, deployments: ColorDeployment[]): Omit<Finding, "urn">[] {
  const selector = Object.entries(service.selector);
  const selects = selector.map(([key, value]) => `${key}=${value ?? ""}`).join(",");
  if (selector.length === 0)
    return [
      {
        what: "has an empty selector",
        rule: "it routes production traffic, and it points to no color",
        next: "select one color: app and version",
      },
    ];
  const chosen = deployments.filter(
    ({ namespace, labels }) =>
      (service.isExternal || namespace === service.namespace) &&
      selector.every(([key, value]) => labels[key] === value),
  );
  const [live, ...others] = chosen;
  if (live === undefined)
    return [
      {
        what: `selects ${selects}`,
        rule: `no Deployment of the stack has such pods; its colors are ${deployments.map(({ name }) => name).join(" and ") || "none"}`,
        next: "point it to a color that is there, or bring that color back",
      },
    ];
  if (others.length > 0)
    return [
      {
        what: `selects ${selects}`,
        rule: `these are pods of ${chosen.map(({ name }) => name).join(" and of ")}: users would get both versions at random`,
        next: "select the color, too: version=blue or version=green",
      },
    ];
  if (live.replicas === 0)
    return [
      {
        what: `sends traffic to ${live.name}`,
        rule: "it has replicas: 0, so nobody would answer them",
        next: "give the live color its pods back, or move traffic to the other color first",
      },
    ];
  return [];
}
