import { z } from "zod";
import { colors, otherColor, type Color, type NamespacedName } from "../app/color.js";
import { names } from "../app/names.js";
import type { JsonPatch } from "../kubernetes/jsonPointer.js";
import { ingressSubject, well } from "../util/finding.js";
import { clusterHost, colorService, backendWeights, requestsByService } from "./services.js";
import { byGateway } from "./gateway.js";
import { literally } from "../app/requestSeries.js";
import { hostsOf, previewCookie, previewHeader, type RouteObject, type Router, type Way } from "./router.js";
import type { Weights } from "./weights.js";

const group = "networking.istio.io";
const version = "v1";

/** The second of two rules: Istio takes the first that matches, and testers come before users. */
const productionRule = "/spec/http/1/route";

/** Of whoever asks the Service, Istio's gateway at the edge among them: its proxy is the source of the request. */
export const istioEdge = requestsByService(
  { name: "istio_request_duration_milliseconds", statusLabel: "response_code" },
  ({ namespace, name }) => ({
    destination_service_name: literally(name),
    destination_service_namespace: literally(namespace),
    reporter: "source",
  }),
);

/**
 * Istio, by a VirtualService at a Gateway of its own kind that somebody else has made, with its servers and
 * certificates. Rules for one host have an order within one VirtualService alone, and the color paths would
 * be another: there are none. Rendered and checked here, not run.
 */
export const istio: Router = {
  can: {
    colorPaths: false,
    previewHeader: true,
    previewCookie: true,
    affinityCookie: false,
    otherNamespaces: true,
    otherPaths: false,
  },
  gateway: { listeners: false },
  objects: (way) => [virtualService(way)],
  weights: {
    at: (app) => [{ group, version, plural: "virtualservices", name: names.ingress(app) }],
    read: (app, [found]) =>
      backendWeights(
        app,
        destinationsIn(found)?.map(({ destination: { host }, weight }) => ({ name: nameIn(host), weight })),
      ),
    patches: (app, [found], weights) => [patchOf(app, found, weights)],
  },
  requests: istioEdge,
  makes: { group, resources: ["virtualservices"] },
  ...byGateway({ group, version, plural: "gateways" }, (_found, at) =>
    well(ingressSubject, `Gateway ${at} of Istio is there`),
  ),
};

function virtualService<T>(way: Way<T>): RouteObject<T> {
  const { app, namespace, gateway, strategy, active, weights, token, interpolate, servicePort } = way;
  const toColor = (color: Color) => destination(colorService(way, app, color));
  return {
    apiVersion: `${group}/${version}`,
    kind: "VirtualService",
    name: names.ingress(app),
    roles: ["production", "weights"],
    annotations: {},
    isEntrance: true,
    spec: {
      hosts: hostsOf(way),
      gateways: gateway === undefined ? [] : [`${gateway.namespace}/${gateway.name}`],
      http: [
        {
          name: "preview",
          match: [
            { headers: { [previewHeader]: { exact: token } } },
            { headers: { cookie: { regex: previewCookie(token, interpolate) } } },
          ],
          route: [toColor(otherColor(active))],
        },
        {
          name: "production",
          route:
            strategy === "selector"
              ? [destination({ namespace, name: names.activeService(app) }, servicePort)]
              : colors.map((color) => ({ ...toColor(color), weight: weights[color] })),
        },
      ],
    },
  };
}

/** By its whole name: Istio reads a short one by the VirtualService's namespace. */
function destination(service: NamespacedName, number = 80) {
  return { destination: { host: clusterHost(service), port: { number } } };
}

const virtualServiceSchema = z.object({
  spec: z.object({
    http: z.tuple([
      z.unknown(),
      z.object({
        route: z.array(
          z.object({ destination: z.object({ host: z.string() }), weight: z.number().default(0) }),
        ),
      }),
    ]),
  }),
});

function destinationsIn(found: unknown) {
  return virtualServiceSchema.safeParse(found).data?.spec.http[1].route;
}

function nameIn(host: string): string {
  return host.split(".")[0] ?? "";
}

function patchOf(app: string, found: unknown, weights: Weights): JsonPatch {
  const all = destinationsIn(found);
  return colors.flatMap((color, index) => {
    const name = names.colorService(app, color);
    const host = all?.[index]?.destination.host ?? "";
    return [
      {
        op: "test",
        path: `${productionRule}/${index}/destination/host`,
        value: nameIn(host) === name ? host : name,
      },
      { op: "replace", path: `${productionRule}/${index}/weight`, value: weights[color] },
    ];
  });
}
