import { z } from "zod";
import { colors, otherColor, type Color } from "../color.js";
import { pointer, type JsonPatch } from "../kubernetes/jsonPointer.js";
import type { ObjectAt } from "../kubernetes/objectAt.js";
import { names } from "../names.js";
import { ingress } from "./ingress.js";
import { previewCookiePrefix, previewHeader, type Route, type RouteObject, type Way } from "./route.js";
import { allOn, shareOf, type Weights } from "./weights.js";

const prefix = "nginx.ingress.kubernetes.io";
const weight = `${prefix}/canary-weight`;
const backend = "/spec/rules/0/http/paths/0/backend/service/name";

/**
 * ingress-nginx, by its annotations. It has no weights between two Services of one Ingress: a second
 * Ingress of the same host, its "canary", takes a share away from the first one. The first leads to
 * the active color, the second to the idle one, so that header and cookie always mean the idle one.
 */
export const nginx: Route = {
  kind: "nginx",
  can: { colorPaths: true, previewHeader: true, previewCookie: true, affinityCookie: true, otherNamespaces: false },
  objects: (way) => [users(way), idle(way), testers(way)],
  weights: { at: (app) => [at(names.ingress(app)), at(canaryName(app))], read, patches },
};

function users<T>(way: Way<T>): RouteObject<T> {
  const { app, host, active, mode } = way;
  return ingress(way, classOf(way), {
    name: names.ingress(app),
    roles: ["users", "weights"],
    annotations: { [`${prefix}/ssl-redirect`]: "true", ...sticky(way) },
    host,
    paths: [{ path: "/", pathType: "Prefix", service: mode === "service" ? names.activeService(app) : names.colorService(app, active) }],
  });
}

function idle<T>(way: Way<T>): RouteObject<T> {
  const { app, host, active, weights, token, interpolate } = way;
  return ingress(way, classOf(way), {
    name: canaryName(app),
    roles: ["weights", "testers"],
    annotations: {
      [`${prefix}/canary`]: "true",
      [weight]: String(shareOf(weights, active)),
      [`${prefix}/canary-by-header`]: previewHeader,
      [`${prefix}/canary-by-header-value`]: token,
      [`${prefix}/canary-by-cookie`]: interpolate`${previewCookiePrefix}${token}`,
      ...sticky(way),
    },
    host,
    paths: [{ path: "/", pathType: "Prefix", service: names.colorService(app, otherColor(active)) }],
  });
}

/** An object of its own, because a rewrite holds for a whole Ingress: users' paths must reach the app as they are. */
function testers<T>(way: Way<T>): RouteObject<T> {
  const { app, host, internalHost } = way;
  const guard = { "auth-type": "basic", "auth-secret": names.previewSecret(app), "auth-realm": "unreleased version" };
  const annotations = { "ssl-redirect": "true", "use-regex": "true", "rewrite-target": "/$2", ...(internalHost === undefined && guard) };
  return ingress(way, classOf(way), {
    name: `${names.ingress(app)}-colors`,
    roles: ["testers"],
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${prefix}/${key}`, value])),
    host: internalHost ?? host,
    paths: colors.map((color) => ({ path: `/${color}(/|$)(.*)`, pathType: "ImplementationSpecific", service: names.colorService(app, color) })),
  });
}

function sticky<T>({ affinity, app }: Way<T>) {
  return affinity === "cookie" ? { [`${prefix}/affinity`]: "cookie", [`${prefix}/affinity-canary-behavior`]: "sticky", [`${prefix}/session-cookie-name`]: names.affinityCookie(app) } : {};
}

function classOf<T>({ ingressClass = "nginx" }: Way<T>): string {
  return ingressClass;
}

function canaryName(app: string): string {
  return `${names.ingress(app)}-idle`;
}

function at(name: string): ObjectAt {
  return { group: "networking.k8s.io", version: "v1", plural: "ingresses", name };
}

const ingressSchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
  spec: z.object({ rules: z.tuple([z.object({ http: z.object({ paths: z.tuple([z.object({ backend: z.object({ service: z.object({ name: z.string() }) }) })]) }) })]) }),
});

function colorBehind(app: string, object: unknown): { color: Color; annotations: Record<string, string> } | undefined {
  const parsed = ingressSchema.safeParse(object).data;
  const name = parsed?.spec.rules[0].http.paths[0].backend.service.name;
  const color = colors.find((each) => names.colorService(app, each) === name);
  return parsed === undefined || color === undefined ? undefined : { color, annotations: parsed.metadata.annotations };
}

function read(app: string, [main, canary]: unknown[]): Weights | undefined {
  const [first, second] = [colorBehind(app, main), colorBehind(app, canary)];
  const share = Number(second?.annotations[weight] ?? Number.NaN);
  if (first === undefined || second === undefined || Number.isNaN(share)) return undefined;
  // In the middle of a switch both lead to the same color.
  if (first.color === second.color) return allOn(first.color);
  return first.color === "blue" ? { blue: 100 - share, green: share } : { blue: share, green: 100 - share };
}

/** First those who come in, then the share: whoever is cut off in between leaves nobody without a color. */
function patches(app: string, _found: unknown[], weights: Weights, active: Color): JsonPatch[] {
  return [
    [{ op: "replace", path: backend, value: names.colorService(app, active) }],
    [
      { op: "replace", path: `/metadata/annotations/${pointer(weight)}`, value: String(shareOf(weights, active)) },
      { op: "replace", path: backend, value: names.colorService(app, otherColor(active)) },
    ],
  ];
}
