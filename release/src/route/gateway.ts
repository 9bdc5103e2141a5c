import { z } from "zod";
import { colors, otherColor } from "../color.js";
import { names } from "../names.js";
import { colorBackend, patchColors, readColors } from "./backends.js";
import { previewCookiePrefix, previewCookieValue, previewHeader, type Route, type RouteObject, type Way } from "./route.js";

const port = 80;

/**
 * The Gateway API. Of two rules that match a path alike, the one with more headers wins: so testers
 * come before users. It knows no passwords, so the color paths ask for the token in a header. The
 * Gateway, with its listeners and certificates, is somebody else's.
 */
export const gateway: Route = {
  kind: "gateway",
  can: { colorPaths: true, previewHeader: true, previewCookie: true, affinityCookie: false, otherNamespaces: true },
  objects: (way) => [users(way), testers(way)],
  // The API knows no name of a route here: all HTTPRoutes of the app's namespace, and this one Service.
  grant: ({ namespace }, app, color) => ({
    apiVersion: "gateway.networking.k8s.io/v1beta1",
    kind: "ReferenceGrant",
    name: names.ingress(app),
    spec: { from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace }], to: [{ group: "", kind: "Service", name: names.colorService(app, color) }] },
  }),
  weights: {
    at: (app) => [{ group: "gateway.networking.k8s.io", version: "v1", plural: "httproutes", name: names.ingress(app) }],
    read: (app, [found]) => readColors(app, routeSchema.safeParse(found).data?.spec.rules[0]?.backendRefs),
    patches: (app, _found, weights) => [patchColors(app, "/spec/rules/0/backendRefs", weights)],
  },
};

function httpRoute<T>(way: Way<T>, name: string, roles: RouteObject<T>["roles"], host: string, rules: unknown[]): RouteObject<T> {
  const { gateway: parent } = way;
  const parentRefs = parent === undefined ? [] : [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: parent.namespace, name: parent.name, ...(parent.listener !== undefined && { sectionName: parent.listener }) }];
  return { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", name, roles, annotations: {}, spec: { parentRefs, hostnames: [host], rules } };
}

function users<T>(way: Way<T>): RouteObject<T> {
  const { app, host, mode, active, token, interpolate } = way;
  const cookie = interpolate`(^|.*;\\s*)${previewCookiePrefix}${token}=${previewCookieValue}(;.*|$)`;
  return httpRoute(way, names.ingress(app), ["users", "weights"], host, [
    {
      matches: [{ path: { type: "PathPrefix", value: "/" } }],
      backendRefs: mode === "service" ? [backend({ name: names.activeService(app) }, 1)] : colors.map((color) => backend(colorBackend(way, color), way.weights[color])),
    },
    {
      matches: [header("Exact", previewHeader, token), header("RegularExpression", "Cookie", cookie)],
      backendRefs: [backend(colorBackend(way, otherColor(active)), 1)],
    },
  ]);
}

function testers<T>(way: Way<T>): RouteObject<T> {
  const { app, host, internalHost, token } = way;
  return httpRoute(way, `${names.ingress(app)}-colors`, ["testers"], internalHost ?? host, colors.map((color) => ({
    matches: [{ path: { type: "PathPrefix", value: `/${color}` }, ...(internalHost === undefined && { headers: header("Exact", previewHeader, token).headers }) }],
    filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } }],
    backendRefs: [backend(colorBackend(way, color), 1)],
  })));
}

function header<T>(type: "Exact" | "RegularExpression", name: string, value: T) {
  return { path: { type: "PathPrefix", value: "/" }, headers: [{ type, name, value }] };
}

/** Every field as the API server would fill it in: what is left out would come back as a difference. */
function backend(service: { name: string; namespace?: string }, weight: number) {
  return { group: "", kind: "Service", ...service, port, weight };
}

const routeSchema = z.object({ spec: z.object({ rules: z.array(z.object({ backendRefs: z.array(z.object({ name: z.string(), weight: z.number().default(1) })).default([]) })) }) });
