import type { ObjectAt } from "../kubernetes/jsonPointer.js";
import { ingressSubject, well } from "../util/finding.js";
import { alb } from "./alb.js";
import { gateway } from "./gateway.js";
import { gce } from "./gce.js";
import { istio } from "./istio.js";
import { nginx } from "./nginx.js";
import type { Router, TrafficStrategy } from "./router.js";
import { traefik } from "./traefik.js";

/** No ingress: requests come by the active Service, from inside the cluster or by a load balancer of its own. */
const none: Router = {
  can: {
    colorPaths: false,
    previewHeader: false,
    previewCookie: false,
    affinityCookie: false,
    otherNamespaces: false,
    otherPaths: false,
  },
  objects: () => [],
  weights: undefined,
  makes: { group: "", resources: [] },
  reads: [],
  isOffered: () => Promise.resolve(false),
  examine: () => Promise.resolve(well(ingressSubject, "config wants none")),
};

/** Every router that there is, by its name in config. A new one is a file, and its name here. */
const all = { nginx, traefik, gateway, istio, alb, gce, none };

export type RouterName = keyof typeof all;
export const routers: Record<RouterName, Router> = all;
export const routerNames = Object.keys(all) as RouterName[];

/** Those that can do something, as a sentence names them. */
export function whichCan(can: (router: Router) => boolean): string {
  return routerNames.filter((name) => can(routers[name])).join(" or ");
}

/** Whose weights move with traffic; null where the active Service is all that does. */
export function movedRoute({
  strategy,
  router,
}: {
  strategy: TrafficStrategy;
  router: RouterName;
}): RouterName | null {
  return strategy === "weighted" ? router : null;
}

/** What moves with traffic beside the active Service. @param moved whose weights count, as movedRoute says */
export function weightObjects(moved: RouterName | null, app: string): ObjectAt[] {
  return moved === null ? [] : (routers[moved].weights?.at(app) ?? []);
}
