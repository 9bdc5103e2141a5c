import { z } from "zod";
import { colors, otherColor, type Color } from "../app/color.js";
import { pointer, type JsonPatch, type ObjectAt } from "../kubernetes/jsonPointer.js";
import { selectorOf, names } from "../app/names.js";
import { literally } from "../app/requestSeries.js";
import { httpPorts, requestsByService } from "./services.js";
import { byClass, ingress, otherPathsOf } from "./ingress.js";
import {
  hostsOf,
  previewCookiePrefix,
  previewHeader,
  type RouteObject,
  type Router,
  type Way,
} from "./router.js";
import { allOn, canaryWeightOf, type Weights } from "./weights.js";

const prefix = "nginx.ingress.kubernetes.io";
const weight = `${prefix}/canary-weight`;
const stickiness = `${prefix}/affinity-canary-behavior`;
/** Of users' hosts, each a rule, whose first path is the app's. */
const backendAt = (rule: number) => `/spec/rules/${rule}/http/paths/0/backend/service/name`;

/**
 * ingress-nginx, by its annotations. It has no weights between two Services of one Ingress: a second
 * Ingress of the same host, its "canary", takes a part of the traffic of the first one. The first points to
 * the active color, the second to the idle one, so that header and cookie always mean the idle one.
 *
 * It knows a Service once, as what the first Ingress makes of it that names it: a canary's is no place for
 * production traffic, and the other way around. So the canary has Services of its own
 * (docs/decisions/033-one-ingress-for-a-service.md).
 */
export const nginx: Router = {
  can: {
    colorPaths: "password",
    previewHeader: true,
    previewCookie: true,
    affinityCookie: true,
    otherNamespaces: false,
    otherPaths: true,
  },
  objects: (way) => [
    ...colors.map((color) => canaryService(way, color)),
    production(way),
    idle(way),
    testers(way),
  ],
  weights: { at: (app) => [at(names.ingress(app)), at(canaryName(app))], read, patches },
  requests: requestsByService(
    { name: "nginx_ingress_controller_request_duration_seconds", statusLabel: "status" },
    // The canary's Services are called after the colors'.
    ({ namespace, name }) => ({ service: `${literally(name)}(-canary)?`, namespace: literally(namespace) }),
  ),
  ...byClass("nginx", "nginx"),
};

function production<T>(way: Way<T>): RouteObject<T> {
  const { app, active, strategy } = way;
  return ingress(way, classOf(way), {
    name: names.ingress(app),
    roles: ["production", "weights"],
    defaults: { [`${prefix}/ssl-redirect`]: "true" },
    annotations: sticky(way),
    hosts: hostsOf(way),
    paths: [
      {
        path: "/",
        pathType: "Prefix",
        service: strategy === "selector" ? names.activeService(app) : names.colorService(app, active),
      },
      ...otherPathsOf(way),
    ],
  });
}

function canaryService<T>({ app }: Way<T>, color: Color): RouteObject<T> {
  return {
    apiVersion: "v1",
    kind: "Service",
    name: names.canaryService(app, color),
    roles: ["testers"],
    annotations: {},
    spec: { selector: selectorOf(app, color), ports: httpPorts },
  };
}

function idle<T>(way: Way<T>): RouteObject<T> {
  const { app, active, weights, token, interpolate } = way;
  return ingress(way, classOf(way), {
    name: canaryName(app),
    roles: ["weights", "testers"],
    annotations: {
      [`${prefix}/canary`]: "true",
      [weight]: String(canaryWeightOf(weights, active)),
      [`${prefix}/canary-by-header`]: previewHeader,
      [`${prefix}/canary-by-header-value`]: token,
      [`${prefix}/canary-by-cookie`]: interpolate`${previewCookiePrefix}${token}`,
      ...sticky(way),
      ...(way.affinity === "cookie" && { [stickiness]: stickinessOf(canaryWeightOf(weights, active)) }),
    },
    isEntrance: false,
    hosts: hostsOf(way),
    paths: [{ path: "/", pathType: "Prefix", service: names.canaryService(app, otherColor(active)) }],
  });
}

/**
 * An object of its own, because a rewrite holds for a whole Ingress: users' paths must reach the app as they
 * are.
 */
function testers<T>(way: Way<T>): RouteObject<T> {
  const { app, host, internalHost } = way;
  const guard = {
    "auth-type": "basic",
    "auth-secret": names.previewSecret(app),
    "auth-realm": "unreleased version",
  };
  const annotations = {
    "use-regex": "true",
    "rewrite-target": "/$2",
    ...(internalHost === undefined && guard),
  };
  return ingress(way, classOf(way), {
    name: `${names.ingress(app)}-colors`,
    roles: ["testers"],
    defaults: { [`${prefix}/ssl-redirect`]: "true" },
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [`${prefix}/${key}`, value]),
    ),
    hosts: [internalHost ?? host],
    paths: colors.map((color) => ({
      path: `/${color}(/|$)(.*)`,
      pathType: "ImplementationSpecific",
      service: names.colorService(app, color),
    })),
  });
}

function sticky<T>({ affinity, app }: Way<T>) {
  return affinity === "cookie"
    ? {
        [`${prefix}/affinity`]: "cookie",
        [`${prefix}/session-cookie-name`]: names.affinityCookie(app),
      }
    : {};
}

/**
 * A cookie of the canary wins over its weight. Of one without a weight it must not: whoever was there before a
 * rollback, or in a release of long ago, would stay.
 */
function stickinessOf(canaryWeight: number): "sticky" | "legacy" {
  return canaryWeight > 0 ? "sticky" : "legacy";
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
  spec: z.object({
    rules: z.array(
      z.object({
        http: z.object({
          paths: z.tuple(
            [z.object({ backend: z.object({ service: z.object({ name: z.string() }) }) })],
            z.unknown(),
          ),
        }),
      }),
    ),
  }),
});

type ServiceOf = (app: string, color: Color) => string;

/** @param serviceOf the name of each color's Service there */
function colorBehind(
  app: string,
  object: unknown,
  serviceOf: ServiceOf,
): { color: Color; annotations: Record<string, string>; rules: number } | undefined {
  const { metadata, spec } = ingressSchema.safeParse(object).data ?? {};
  const services = new Set(spec?.rules.map(({ http }) => http.paths[0].backend.service.name));
  const color = colors.find((each) => services.size === 1 && services.has(serviceOf(app, each)));
  return metadata === undefined || spec === undefined || color === undefined
    ? undefined
    : { color, annotations: metadata.annotations, rules: spec.rules.length };
}

function read(app: string, [main, canary]: unknown[]): Weights | undefined {
  const [first, second] = [
    colorBehind(app, main, names.colorService),
    colorBehind(app, canary, names.canaryService),
  ];
  const canaryWeight = Number(second?.annotations[weight] ?? Number.NaN);
  if (first === undefined || second === undefined || Number.isNaN(canaryWeight)) return undefined;
  // In the middle of a switch both point to the same color.
  if (first.color === second.color) return allOn(first.color);
  return first.color === "blue"
    ? { blue: 100 - canaryWeight, green: canaryWeight }
    : { blue: canaryWeight, green: 100 - canaryWeight };
}

/** First those who come in, then the canary weight: whoever is cut off in between leaves nobody without a color. */
function patches(app: string, found: unknown[], weights: Weights, active: Color): JsonPatch[] {
  const main = colorBehind(app, found[0], names.colorService);
  const canary = colorBehind(app, found[1], names.canaryService);
  const canaryWeight = canaryWeightOf(weights, active);
  const atWeight = `/metadata/annotations/${pointer(weight)}`;
  const atStickiness = `/metadata/annotations/${pointer(stickiness)}`;
  return [
    toColor(main, active, app, names.colorService),
    [
      { op: "test", path: atWeight, value: canary?.annotations[weight] ?? null },
      { op: "replace", path: atWeight, value: String(canaryWeight) },
      ...(canary?.annotations[stickiness] === undefined
        ? []
        : ([{ op: "replace", path: atStickiness, value: stickinessOf(canaryWeight) }] as const)),
      ...toColor(canary, otherColor(active), app, names.canaryService),
    ],
  ];
}

/** All rules of an Ingress to a color's Service, as long as they point where they were found to. */
function toColor(
  found: { color: Color; rules: number } | undefined,
  color: Color,
  app: string,
  serviceOf: ServiceOf,
): JsonPatch {
  return Array.from({ length: found?.rules ?? 1 }, (_, rule) => backendAt(rule)).flatMap((path) => [
    { op: "test", path, value: found === undefined ? null : serviceOf(app, found.color) },
    { op: "replace", path, value: serviceOf(app, color) },
  ]);
}
