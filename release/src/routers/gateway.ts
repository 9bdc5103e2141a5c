import { z } from "zod";
import { colors, otherColor } from "../app/color.js";
import { names } from "../app/names.js";
import { conditions, holds } from "../kubernetes/conditions.js";
import { shellWord } from "../util/bluegreenCommand.js";
import { broken, ingressSubject, well, type Finding } from "../util/finding.js";
import { colorBackend, patchBackends, backendWeights } from "./services.js";
import {
  hostsOf,
  previewCookie,
  previewHeader,
  type KindAt,
  type Router,
  type RouteObject,
  type Way,
} from "./router.js";

const port = 80;

/**
 * The Gateway API. Of two rules that match a path alike, the one with more headers wins: so testers
 * come before users. It knows no passwords, so the color paths ask for the token in a header. The
 * Gateway, with its listeners and certificates, is somebody else's.
 */
export const gateway: Router = {
  can: {
    colorPaths: "header",
    previewHeader: true,
    previewCookie: true,
    affinityCookie: false,
    otherNamespaces: true,
    otherPaths: true,
  },
  gateway: { listeners: true },
  objects: (way) => [production(way), testers(way)],
  // The API knows no name of a route here: all HTTPRoutes of the app's namespace, and this one Service.
  grant: ({ namespace }, app, color) => ({
    apiVersion: "gateway.networking.k8s.io/v1beta1",
    kind: "ReferenceGrant",
    name: names.ingress(app),
    spec: {
      from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace }],
      to: [{ group: "", kind: "Service", name: names.colorService(app, color) }],
    },
  }),
  weights: {
    at: (app) => [
      { group: "gateway.networking.k8s.io", version: "v1", plural: "httproutes", name: names.ingress(app) },
    ],
    read: (app, [found]) =>
      backendWeights(app, routeSchema.safeParse(found).data?.spec.rules[0]?.backendRefs),
    patches: (app, _found, weights) => [patchBackends(app, "/spec/rules/0/backendRefs", weights)],
  },
  makes: { group: "gateway.networking.k8s.io", resources: ["httproutes", "referencegrants"] },
  ...byGateway({ group: "gateway.networking.k8s.io", version: "v1", plural: "gateways" }, evaluate),
};

const gatewaySchema = z.object({
  spec: z.object({ listeners: z.array(z.object({ name: z.string() })) }),
  status: conditions,
});

function evaluate(found: unknown, at: string, listener: string | undefined): Finding {
  const { spec, status } = gatewaySchema.parse(found);
  const known = spec.listeners.map(({ name }) => name);
  if (listener !== undefined && !known.includes(listener))
    return broken(
      ingressSubject,
      `Gateway ${at} has no listener ${listener}, only ${known.join(", ")}`,
      `pulumi config set --path traffic.gateway ${shellWord(`${at}/${known[0] ?? "LISTENER"}`)}`,
    );
  const [namespace, name] = at.split("/");
  return holds(status, "Programmed")
    ? well(ingressSubject, `Gateway ${at} is programmed`)
    : broken(
        ingressSubject,
        `Gateway ${at} is not programmed: no controller has taken it`,
        `kubectl -n ${namespace} describe gateway ${name}`,
      );
}

function httpRoute<T>(
  way: Way<T>,
  name: string,
  roles: RouteObject<T>["roles"],
  hostnames: string[],
  rules: unknown[],
): RouteObject<T> {
  const { gateway: parent } = way;
  const parentRefs =
    parent === undefined
      ? []
      : [
          {
            group: "gateway.networking.k8s.io",
            kind: "Gateway",
            namespace: parent.namespace,
            name: parent.name,
            ...(parent.listener !== undefined && { sectionName: parent.listener }),
          },
        ];
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    name,
    roles,
    annotations: {},
    isEntrance: true,
    spec: { parentRefs, hostnames, rules },
  };
}

function production<T>(way: Way<T>): RouteObject<T> {
  const { app, strategy, active, token, interpolate, servicePort, otherPaths } = way;
  return httpRoute(way, names.ingress(app), ["production", "weights"], hostsOf(way), [
    {
      matches: [{ path: { type: "PathPrefix", value: "/" } }],
      backendRefs:
        strategy === "selector"
          ? [backend({ name: names.activeService(app) }, 1, servicePort)]
          : colors.map((color) => backend(colorBackend(way, color), way.weights[color])),
    },
    {
      matches: [
        header("Exact", previewHeader, token),
        header("RegularExpression", "Cookie", previewCookie(token, interpolate)),
      ],
      backendRefs: [backend(colorBackend(way, otherColor(active)), 1)],
    },
    ...otherPaths.map(({ path: value, pathType, service: name, port: number }) => ({
      matches: [{ path: { type: pathType === "Exact" ? "Exact" : "PathPrefix", value } }],
      backendRefs: [backend({ name }, 1, number)],
    })),
  ]);
}

function testers<T>(way: Way<T>): RouteObject<T> {
  const { app, host, internalHost, token } = way;
  return httpRoute(
    way,
    `${names.ingress(app)}-colors`,
    ["testers"],
    [internalHost ?? host],
    colors.map((color) => ({
      matches: [
        {
          path: { type: "PathPrefix", value: `/${color}` },
          ...(internalHost === undefined && { headers: header("Exact", previewHeader, token).headers }),
        },
      ],
      filters: [
        { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } },
      ],
      backendRefs: [backend(colorBackend(way, color), 1)],
    })),
  );
}

function header<T>(type: "Exact" | "RegularExpression", name: string, value: T) {
  return { path: { type: "PathPrefix", value: "/" }, headers: [{ type, name, value }] };
}

/** Every field as the API server would fill it in: what is left out would come back as a difference. */
function backend(service: { name: string; namespace?: string }, weight: number, number = port) {
  return { group: "", kind: "Service", ...service, port: number, weight };
}

const routeSchema = z.object({
  spec: z.object({
    rules: z.array(
      z.object({
        backendRefs: z.array(z.object({ name: z.string(), weight: z.number().default(1) })).default([]),
      }),
    ),
  }),
});

const named = z.object({ metadata: z.object({ name: z.string(), namespace: z.string() }) });

/**
 * How to find a Gateway that somebody else has made, as config names it.
 * @param kind of the Gateway
 * @param evaluate what there is to say of one that is there, of its name, and of the listener that config wants
 */
export function byGateway(
  kind: KindAt,
  evaluate: (found: unknown, at: string, listener: string | undefined) => Finding,
): Pick<Router, "reads" | "isOffered" | "examine" | "prompt"> {
  return {
    reads: [{ group: kind.group, resources: [kind.plural], verbs: ["get"] }],
    isOffered: async (reader) => (await reader.list(kind)).length > 0,
    async examine(reader, { gateway = "" }) {
      const [namespace = "", name = "", listener] = gateway.split("/");
      const found = await reader.read({ ...kind, namespace, name });
      return found === undefined
        ? broken(
            ingressSubject,
            `there is no Gateway ${namespace}/${name}`,
            `kubectl get ${kind.plural}.${kind.group} --all-namespaces, then pulumi config set --path traffic.gateway NAMESPACE/NAME`,
          )
        : evaluate(found, `${namespace}/${name}`, listener);
    },
    async prompt({ reader, choose }) {
      const all = z.array(named).parse(await reader.list(kind));
      const known = all.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`);
      return { gateway: await choose("gateway", known) };
    },
  };
}
