import { z } from "zod";
import { colors, otherColor } from "../app/color.js";
import { names } from "../app/names.js";
import { broken, ingressSubject, well } from "../util/finding.js";
import { requestsByService, colorBackend, patchBackends, backendWeights } from "./services.js";
import { literally } from "../app/requestSeries.js";
import {
  hostsOf,
  previewCookiePrefix,
  previewCookieValue,
  previewHeader,
  type RouteObject,
  type Router,
  type RouteRole,
  type Way,
} from "./router.js";

const ingressRoutes = { group: "traefik.io", version: "v1alpha1", plural: "ingressroutes" };

/** Port of every Service of the app. */
const port = "http";

/** More than any rule is long, by which Traefik orders them otherwise. */
const otherPathsFirst = 10_000;

/**
 * Traefik v3, by its own resources: the weights are an object of their own, so a shift touches nothing else.
 */
export const traefik: Router = {
  can: {
    colorPaths: "password",
    previewHeader: true,
    previewCookie: true,
    affinityCookie: true,
    otherNamespaces: true,
    otherPaths: true,
  },
  objects: (way) => [
    ...(way.strategy === "weighted" ? [weighted(way)] : []),
    production(way),
    redirect(way),
    productionHttp(way),
    ...(way.internalHost === undefined ? [guard(way)] : []),
    withoutPrefix(way),
    testers(way),
    ...certificates(way),
  ],
  weights: {
    at: (app) => [
      { group: "traefik.io", version: "v1alpha1", plural: "traefikservices", name: names.weights(app) },
    ],
    read: (app, [found]) => backendWeights(app, serviceSchema.safeParse(found).data?.spec.weighted.services),
    patches: (app, _found, weights) => [patchBackends(app, "/spec/weighted/services", weights)],
  },
  requests: requestsByService(
    { name: "traefik_service_request_duration_seconds", statusLabel: "code" },
    // With safeNaming its names have other separators, and begin with those of the TraefikService or route.
    ({ namespace, name }) => ({
      service: `(.*_)?${literally(namespace)}[-_]${literally(name)}[-_](http|\\d+)@kubernetes.*`,
    }),
  ),
  makes: { group: "traefik.io", resources: ["ingressroutes", "middlewares", "traefikservices"] },
  certificates: true,
  reads: [],
  isOffered: (reader) => reader.serves(ingressRoutes),
  examine: async (reader) =>
    (await reader.serves(ingressRoutes))
      ? well(ingressSubject, "Traefik's resources are there")
      : broken(
          ingressSubject,
          "the cluster knows no ingressroutes.traefik.io",
          "install Traefik v3 with its CRDs, or pulumi config set --path traffic.router with what is there",
        ),
};

function object<T>(
  kind: string,
  name: string,
  roles: RouteRole[],
  spec: Record<string, unknown>,
): RouteObject<T> {
  const isEntrance = kind === "IngressRoute" ? { isEntrance: true as const } : {};
  return { apiVersion: "traefik.io/v1alpha1", kind, name, roles, annotations: {}, ...isEntrance, spec };
}

function weighted<T>(way: Way<T>): RouteObject<T> {
  return object("TraefikService", names.weights(way.app), ["production", "weights"], {
    weighted: {
      services: colors.map((color) => ({
        kind: "Service",
        ...colorBackend(way, color),
        port,
        weight: way.weights[color],
      })),
      ...sticky(way),
    },
  });
}

function production<T>(way: Way<T>): RouteObject<T> {
  const { app, strategy, active, token, interpolate, tlsSecret } = way;
  const hosts = matchHosts(hostsOf(way));
  const service =
    strategy === "weighted"
      ? { kind: "TraefikService", name: names.weights(app) }
      : { kind: "Service", name: names.activeService(app), port, ...sticky(way) };
  const preview = interpolate`${hosts} && (Header(\`${previewHeader}\`, \`${token}\`) || HeaderRegexp(\`Cookie\`, \`(^|;\\s*)${previewCookiePrefix}${token}=${previewCookieValue}(;|$)\`))`;
  return object("IngressRoute", names.ingress(app), ["production"], {
    entryPoints: ["websecure"],
    routes: [
      { kind: "Rule", match: hosts, services: [service] },
      // Longer rules come first by themselves.
      {
        kind: "Rule",
        match: preview,
        services: [{ kind: "Service", ...colorBackend(way, otherColor(active)), port }],
      },
      ...way.otherPaths.map(({ path, pathType, service: name, port: number }) => ({
        kind: "Rule",
        match: `${hosts} && ${pathType === "Exact" ? `Path(\`${path}\`)` : `(Path(\`${path}\`) || PathPrefix(\`${path.replace(/\/$/, "")}/\`))`}`,
        // Before testers, whose rule is longer: they are shown another color of the app, and this is none.
        priority: otherPathsFirst + path.length,
        services: [{ kind: "Service", name, port: number }],
      })),
    ],
    tls: { secretName: tlsSecret },
  });
}

function productionHttp<T>(way: Way<T>): RouteObject<T> {
  const { app } = way;
  return object("IngressRoute", `${names.ingress(app)}-http`, ["production"], {
    entryPoints: ["web"],
    // Traefik wants a Service even where the answer is always a redirect.
    routes: [
      {
        kind: "Rule",
        match: matchHosts(hostsOf(way)),
        middlewares: [{ name: `${app}-https` }],
        services: [{ kind: "TraefikService", name: "noop@internal" }],
      },
    ],
  });
}

function redirect<T>({ app }: Way<T>): RouteObject<T> {
  return object("Middleware", `${app}-https`, ["production"], {
    redirectScheme: { scheme: "https", permanent: true },
  });
}

function guard<T>({ app }: Way<T>): RouteObject<T> {
  // Otherwise the app gets the password with every request.
  return object("Middleware", names.previewSecret(app), ["testers"], {
    basicAuth: { secret: names.previewSecret(app), realm: "unreleased version", removeHeader: true },
  });
}

function withoutPrefix<T>({ app }: Way<T>): RouteObject<T> {
  return object("Middleware", `${app}-preview-prefix`, ["testers"], {
    stripPrefix: { prefixes: colors.map((color) => `/${color}`) },
  });
}

function testers<T>(way: Way<T>): RouteObject<T> {
  const { app, host, internalHost } = way;
  const middlewares = [
    ...(internalHost === undefined ? [{ name: names.previewSecret(app) }] : []),
    { name: `${app}-preview-prefix` },
  ];
  return object("IngressRoute", `${names.ingress(app)}-colors`, ["testers"], {
    entryPoints: ["websecure"],
    routes: colors.map((color) => ({
      kind: "Rule",
      match: `${matchHosts([internalHost ?? host])} && (Path(\`/${color}\`) || PathPrefix(\`/${color}/\`))`,
      middlewares,
      services: [{ kind: "Service", ...colorBackend(way, color), port }],
    })),
    tls: { secretName: internalHost === undefined ? way.tlsSecret : names.internalTlsSecret(app) },
  });
}

/** cert-manager reads annotations of Ingress objects only. */
function certificates<T>(way: Way<T>): RouteObject<T>[] {
  const { app, internalHost, clusterIssuer, tlsSecret } = way;
  if (clusterIssuer === undefined) return [];
  const internal: [string, string[]][] =
    internalHost === undefined ? [] : [[names.internalTlsSecret(app), [internalHost]]];
  return [[tlsSecret, hostsOf(way)] as const, ...internal].map(([secretName, dnsNames]) => ({
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    name: secretName,
    roles: ["production"],
    annotations: {},
    spec: { secretName, dnsNames, issuerRef: { kind: "ClusterIssuer", name: clusterIssuer } },
  }));
}

function sticky<T>({ affinity, app }: Way<T>) {
  return affinity === "cookie"
    ? {
        sticky: {
          cookie: { name: names.affinityCookie(app), httpOnly: true, secure: true, sameSite: "lax" },
        },
      }
    : {};
}

function matchHosts(hosts: string[]): string {
  const all = hosts
    .map((host) =>
      host.startsWith("*.")
        ? `HostRegexp(\`^[^.]+${host.slice(1).replaceAll(".", String.raw`\.`)}$\`)`
        : `Host(\`${host}\`)`,
    )
    .join(" || ");
  return hosts.length === 1 ? all : `(${all})`;
}

const serviceSchema = z.object({
  spec: z.object({
    weighted: z.object({ services: z.array(z.object({ name: z.string(), weight: z.number().default(0) })) }),
  }),
});
