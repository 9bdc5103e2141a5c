import type { ObjectAt } from "../kubernetes/objectAt.js";
import { alb } from "./alb.js";
import { gateway } from "./gateway.js";
import { gce } from "./gce.js";
import { nginx } from "./nginx.js";
import type { Route, RouteKind } from "./route.js";
import { traefik } from "./traefik.js";

/** Every kind of way in that there is. */
export const routes: Record<RouteKind, Route> = { nginx, traefik, gateway, alb, gce };

/** What moves with users beside the active Service. @param moved whose weights count, as movedRoute says */
export function weightObjects(moved: RouteKind | null, app: string): ObjectAt[] {
  return moved === null ? [] : (routes[moved].weights?.at(app) ?? []);
}
