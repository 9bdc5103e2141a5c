import type { Homes } from "../homes.js";
import type { Color } from "../color.js";
import type { JsonPatch } from "../kubernetes/jsonPointer.js";
import type { ObjectAt } from "../kubernetes/objectAt.js";
import type { Weights } from "./weights.js";

/** Who reads the objects of a route: the controller that users come in by. */
export const routeKinds = ["nginx", "traefik", "gateway", "alb", "gce"] as const;
export type RouteKind = (typeof routeKinds)[number];

/** service: users come to the active Service, whose selector moves. route: the route refers to both colors, and its weights move. */
export const trafficModes = ["service", "route"] as const;
export type TrafficMode = (typeof trafficModes)[number];

/** Whose weights move with users; null where the active Service is all that does. */
export function movedRoute({ mode, route }: { mode: TrafficMode; route: RouteKind }): RouteKind | null {
  return mode === "route" ? route : null;
}

/** cookie: users stay with the color, or in mode service with the pod, that their first answer came from. clientIP: by address, at the Services. */
export const affinities = ["none", "cookie", "clientIP"] as const;
export type Affinity = (typeof affinities)[number];

/** What a kind of route can express. What it cannot is refused when settings are read, and never left out in silence. */
export interface Capabilities {
  /** /blue and /green with the prefix taken away. */
  colorPaths: boolean;
  /** The idle color on users' own paths, for whoever sends a header. */
  previewHeader: boolean;
  /** The same by a cookie, for a browser. */
  previewCookie: boolean;
  /** Users who stay, by a cookie of the edge. */
  affinityCookie: boolean;
  /** Colors whose Services are in other namespaces than the route. */
  otherNamespaces: boolean;
}

/** How testers reach the color that has no users. Both hold the generated token, which whoever reads the objects of the way in reads, too. */
export const previewHeader = "x-bluegreen-preview";
/** With the token behind it: nginx looks at the name alone, and wants this value. */
export const previewCookiePrefix = "bluegreen-preview-";
export const previewCookieValue = "always";

/** Puts texts together of which some are known only at update time: `pulumi.interpolate` in the program, a plain template elsewhere. */
export type Interpolate<T> = (literals: TemplateStringsArray, ...values: (string | T)[]) => T;

/** The way in, as settings want it. `T` is a text that may come from another resource. */
export interface Way<T> extends Homes {
  app: string;
  host: string;
  /** What a load balancer asks a pod itself. */
  readyPath: string;
  /** Where the color paths are instead, without a password: a host that only the inside reaches. */
  internalHost: string | undefined;
  /** Of Ingress objects; undefined takes the kind's own. */
  ingressClass: string | undefined;
  /** cert-manager's, undefined where somebody else makes the certificate. */
  clusterIssuer: string | undefined;
  gateway: GatewayRef | undefined;
  mode: TrafficMode;
  affinity: Affinity;
  active: Color;
  weights: Weights;
  /** Of the previews by header and cookie; never the password of the color paths, for it stands in the objects as it is. */
  token: T;
  interpolate: Interpolate<T>;
}

/** A Gateway that somebody else has made. */
export interface GatewayRef {
  namespace: string;
  name: string;
  /** One of its listeners; all of them otherwise. */
  listener: string | undefined;
}

/** What an object is for. users: they come in by it. weights: it holds what each color gets. testers: it leads to what is not released. */
export type RouteRole = "users" | "weights" | "testers";

/** An object of a route, as a manifest without its namespace. */
export interface RouteObject<T> {
  apiVersion: string;
  kind: string;
  name: string;
  roles: RouteRole[];
  annotations: Record<string, string | T>;
  spec: Record<string, unknown>;
}

/** An object of a color's namespace, as a manifest without it, by which that lets the route in. */
export type Grant = Pick<RouteObject<never>, "apiVersion" | "kind" | "name" | "spec">;

/** Where a route holds its weights, and how to read and change them without touching anything else. */
export interface WeightsIn {
  /** In the order in which they have to change. */
  at(app: string): ObjectAt[];
  /**
   * @param found the objects, in that order
   * @returns undefined where somebody has made something else of them
   */
  read(app: string, found: unknown[]): Weights | undefined;
  /**
   * A patch for each object, which holds only while it is as it was found.
   * @param active the color that gets whoever is not shared out
   */
  patches(app: string, found: unknown[], weights: Weights, active: Color): JsonPatch[];
}

/** One kind of controller. */
export interface Route {
  kind: RouteKind;
  can: Capabilities;
  /** All objects of the way in. */
  objects<T>(way: Way<T>): RouteObject<T>[];
  /** What a color's namespace has to say before the route may refer to its Service from another one; absent where nobody asks. */
  grant?(homes: Homes, app: string, color: Color): Grant;
  /** Both colors at once; undefined where it can refer to one only. */
  weights: WeightsIn | undefined;
}
