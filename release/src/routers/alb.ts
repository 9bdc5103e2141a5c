import { z } from "zod";
import { colors, otherColor } from "../app/color.js";
import { pointer, type JsonPatch } from "../kubernetes/jsonPointer.js";
import { names } from "../app/names.js";
import { parseJson } from "../util/json.js";
import { backendWeights } from "./services.js";
import { byClass, ingress, otherPathsOf, type IngressPath } from "./ingress.js";
import {
  hostsOf,
  previewCookiePrefix,
  previewCookieValue,
  previewHeader,
  type RouteObject,
  type Router,
  type Way,
} from "./router.js";
import type { Weights } from "./weights.js";

const prefix = "alb.ingress.kubernetes.io";
const productionAction = `${prefix}/actions.production`;
const port = 80;
/** Seconds that a cookie keeps a user with a color; the load balancer's own longest is seven days. */
const stickySeconds = 3600;

/**
 * AWS Load Balancer Controller v2. An action of an Ingress forwards to both colors' target groups,
 * which stay registered: a flipped selector would have to register its targets while users wait.
 * It rewrites no paths, so there are no color paths. Rendered and checked here, not run.
 */
export const alb: Router = {
  can: {
    colorPaths: false,
    previewHeader: true,
    previewCookie: true,
    affinityCookie: true,
    otherNamespaces: false,
    otherPaths: true,
  },
  objects: (way) => [production(way)],
  weights: {
    at: (app) => [
      { group: "networking.k8s.io", version: "v1", plural: "ingresses", name: names.ingress(app) },
    ],
    read: (app, [found]) =>
      backendWeights(
        app,
        actionOf(found)?.targetGroups.map(({ serviceName: name, weight }) => ({ name, weight })),
      ),
    patches,
  },
  isWeightedOnly: true,
  ...byClass("alb", "alb"),
};

function production<T>(way: Way<T>): RouteObject<T> {
  const { app, strategy, active, token, interpolate, affinity } = way;
  const idle = names.colorService(app, otherColor(active));
  const toIdle = JSON.stringify({
    type: "forward",
    forwardConfig: { targetGroups: [{ serviceName: idle, servicePort: port, weight: 100 }] },
  });
  const action = (service: string): IngressPath => ({
    path: "/",
    pathType: "Prefix",
    service,
    port: { name: "use-annotation" },
  });
  return ingress(way, way.ingressClass ?? "alb", {
    name: names.ingress(app),
    roles: ["production", "weights"],
    defaults: {
      [`${prefix}/scheme`]: "internet-facing",
      [`${prefix}/target-type`]: "ip",
      [`${prefix}/listen-ports`]: '[{"HTTP":80},{"HTTPS":443}]',
      [`${prefix}/ssl-redirect`]: "443",
      [`${prefix}/healthcheck-path`]: way.readinessPath,
    },
    annotations: {
      [`${prefix}/actions.preview-header`]: toIdle,
      [`${prefix}/conditions.preview-header`]: interpolate`[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"${previewHeader}","values":["${token}"]}}]`,
      [`${prefix}/actions.preview-cookie`]: toIdle,
      [`${prefix}/conditions.preview-cookie`]: interpolate`[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"Cookie","values":["*${previewCookiePrefix}${token}=${previewCookieValue}*"]}}]`,
      ...(strategy === "weighted" && {
        [productionAction]: forward(app, way.weights, affinity === "cookie"),
      }),
      ...(strategy === "selector" &&
        affinity === "cookie" && {
          [`${prefix}/target-group-attributes`]: `stickiness.enabled=true,stickiness.lb_cookie.duration_seconds=${stickySeconds}`,
        }),
    },
    hosts: hostsOf(way),
    // Rules in this order, and the first that holds.
    paths: [
      ...otherPathsOf(way),
      action("preview-header"),
      action("preview-cookie"),
      strategy === "weighted"
        ? action("production")
        : { path: "/", pathType: "Prefix", service: names.activeService(app) },
    ],
  });
}

function forward(app: string, wanted: Weights, isSticky: boolean): string {
  return JSON.stringify({
    type: "forward",
    forwardConfig: {
      targetGroups: colors.map((color) => ({
        serviceName: names.colorService(app, color),
        servicePort: port,
        weight: wanted[color],
      })),
      ...(isSticky && { targetGroupStickinessConfig: { enabled: true, durationSeconds: stickySeconds } }),
    },
  });
}

const annotated = z.object({
  metadata: z.object({ annotations: z.object({ [productionAction]: z.string() }) }),
});

const actionSchema = z.object({
  forwardConfig: z.object({
    targetGroups: z.array(z.object({ serviceName: z.string(), weight: z.number() })),
    targetGroupStickinessConfig: z.object({ enabled: z.boolean() }).optional(),
  }),
});

function actionOf(found: unknown) {
  const text = annotated.safeParse(found).data?.metadata.annotations[productionAction];
  const forwardConfig = actionSchema.safeParse(parseJson(text ?? "null")).data?.forwardConfig;
  return text === undefined || forwardConfig === undefined ? undefined : { text, ...forwardConfig };
}

function patches(app: string, [found]: unknown[], wanted: Weights): JsonPatch[] {
  const path = `/metadata/annotations/${pointer(productionAction)}`;
  const action = actionOf(found);
  return [
    [
      { op: "test", path, value: action?.text ?? null },
      {
        op: "replace",
        path,
        value: forward(app, wanted, action?.targetGroupStickinessConfig?.enabled === true),
      },
    ],
  ];
}
