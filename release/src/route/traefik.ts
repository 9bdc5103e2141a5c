import { z } from "zod";
import { colors, otherColor } from "../color.js";
import { names } from "../names.js";
import { colorBackend, patchColors, readColors } from "./backends.js";
import { previewCookiePrefix, previewCookieValue, previewHeader, type Route, type RouteObject, type RouteRole, type Way } from "./route.js";

/** Port of every Service of the app. */
const port = "http";

/** Traefik v3, by its own resources: the weights are an object of their own, so a shift touches nothing else. */
export const traefik: Route = {
  kind: "traefik",
  can: { colorPaths: true, previewHeader: true, previewCookie: true, affinityCookie: true, otherNamespaces: true },
  objects: (way) => [
    ...(way.mode === "route" ? [weighted(way)] : []),
    users(way),
    redirect(way),
    plainUsers(way),
    ...(way.internalHost === undefined ? [guard(way)] : []),
    withoutPrefix(way),
    testers(way),
    ...certificates(way),
  ],
  weights: {
    at: (app) => [{ group: "traefik.io", version: "v1alpha1", plural: "traefikservices", name: names.users(app) }],
    read: (app, [found]) => readColors(app, serviceSchema.safeParse(found).data?.spec.weighted.services),
    patches: (app, _found, weights) => [patchColors(app, "/spec/weighted/services", weights)],
  },
};

function object<T>(kind: string, name: string, roles: RouteRole[], spec: Record<string, unknown>): RouteObject<T> {
  return { apiVersion: "traefik.io/v1alpha1", kind, name, roles, annotations: {}, spec };
}

function weighted<T>(way: Way<T>): RouteObject<T> {
  return object("TraefikService", names.users(way.app), ["users", "weights"], {
    weighted: { services: colors.map((color) => ({ kind: "Service", ...colorBackend(way, color), port, weight: way.weights[color] })), ...sticky(way) },
  });
}

function users<T>(way: Way<T>): RouteObject<T> {
  const { app, host, mode, active, token, interpolate } = way;
  const service = mode === "route" ? { kind: "TraefikService", name: names.users(app) } : { kind: "Service", name: names.activeService(app), port, ...sticky(way) };
  const preview = interpolate`Host(\`${host}\`) && (Header(\`${previewHeader}\`, \`${token}\`) || HeaderRegexp(\`Cookie\`, \`(^|;\\s*)${previewCookiePrefix}${token}=${previewCookieValue}(;|$)\`))`;
  return object("IngressRoute", names.ingress(app), ["users"], {
    entryPoints: ["websecure"],
    routes: [
      { kind: "Rule", match: matchHost(host), services: [service] },
      // Longer rules come first by themselves.
      { kind: "Rule", match: preview, services: [{ kind: "Service", ...colorBackend(way, otherColor(active)), port }] },
    ],
    tls: { secretName: names.tlsSecret(app, false) },
  });
}

function plainUsers<T>({ app, host }: Way<T>): RouteObject<T> {
  return object("IngressRoute", `${names.ingress(app)}-http`, ["users"], {
    entryPoints: ["web"],
    // Traefik wants a Service even where the answer is always a redirect.
    routes: [{ kind: "Rule", match: matchHost(host), middlewares: [{ name: `${app}-https` }], services: [{ kind: "TraefikService", name: "noop@internal" }] }],
  });
}

function redirect<T>({ app }: Way<T>): RouteObject<T> {
  return object("Middleware", `${app}-https`, ["users"], { redirectScheme: { scheme: "https", permanent: true } });
}

function guard<T>({ app }: Way<T>): RouteObject<T> {
  // Otherwise the app gets the password with every request.
  return object("Middleware", names.previewSecret(app), ["testers"], { basicAuth: { secret: names.previewSecret(app), realm: "unreleased version", removeHeader: true } });
}

function withoutPrefix<T>({ app }: Way<T>): RouteObject<T> {
  return object("Middleware", `${app}-preview-prefix`, ["testers"], { stripPrefix: { prefixes: colors.map((color) => `/${color}`) } });
}

function testers<T>(way: Way<T>): RouteObject<T> {
  const { app, host, internalHost } = way;
  const middlewares = [...(internalHost === undefined ? [{ name: names.previewSecret(app) }] : []), { name: `${app}-preview-prefix` }];
  return object("IngressRoute", `${names.ingress(app)}-colors`, ["testers"], {
    entryPoints: ["websecure"],
    routes: colors.map((color) => ({
      kind: "Rule",
      match: `${matchHost(internalHost ?? host)} && (Path(\`/${color}\`) || PathPrefix(\`/${color}/\`))`,
      middlewares,
      services: [{ kind: "Service", ...colorBackend(way, color), port }],
    })),
    tls: { secretName: names.tlsSecret(app, internalHost !== undefined) },
  });
}

/** cert-manager reads annotations of Ingress objects only. */
function certificates<T>({ app, host, internalHost, clusterIssuer }: Way<T>): RouteObject<T>[] {
  if (clusterIssuer === undefined) return [];
  return [host, ...(internalHost === undefined ? [] : [internalHost])].map((each) => {
    const secretName = names.tlsSecret(app, each !== host);
    return { apiVersion: "cert-manager.io/v1", kind: "Certificate", name: secretName, roles: ["users"], annotations: {}, spec: { secretName, dnsNames: [each], issuerRef: { kind: "ClusterIssuer", name: clusterIssuer } } };
  });
}

function sticky<T>({ affinity, app }: Way<T>) {
  return affinity === "cookie" ? { sticky: { cookie: { name: names.affinityCookie(app), httpOnly: true, secure: true, sameSite: "lax" } } } : {};
}

function matchHost(host: string): string {
  return `Host(\`${host}\`)`;
}

const serviceSchema = z.object({ spec: z.object({ weighted: z.object({ services: z.array(z.object({ name: z.string(), weight: z.number().default(0) })) }) }) });
