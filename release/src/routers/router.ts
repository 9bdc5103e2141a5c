import type { ColorNamespaces, Color } from "../app/color.js";
import type { RequestSeries } from "../app/requestSeries.js";
import type { JsonPatch, ObjectAt } from "../kubernetes/jsonPointer.js";
import type { Finding } from "../util/finding.js";
import type { Weights } from "./weights.js";

/**
 * selector: the selector of the active Service moves. weighted: the router refers to both colors, and its
 * weights move.
 */
export const trafficStrategies = ["selector", "weighted"] as const;
export type TrafficStrategy = (typeof trafficStrategies)[number];

/**
 * cookie: users stay with the color, or with strategy selector with the pod, that their first answer came from.
 * clientIP: by address, at the Services.
 */
export const affinities = ["none", "cookie", "clientIP"] as const;
export type Affinity = (typeof affinities)[number];

/**
 * What a kind of route can express. What it cannot is refused when settings are read, and never left out in
 * silence.
 */
export interface Capabilities {
  /** /blue and /green with the prefix taken away, for whoever knows the password, or sends the header. */
  colorPaths: "password" | "header" | false;
  /** The idle color on users' own paths, for whoever sends a header. */
  previewHeader: boolean;
  /** The same by a cookie, for a browser. */
  previewCookie: boolean;
  /** Users who stay, by a cookie of the edge. */
  affinityCookie: boolean;
  /** Colors whose Services are in other namespaces than the route. */
  otherNamespaces: boolean;
  /** Other backends on the users' hosts, by their paths. */
  otherPaths: boolean;
}

/**
 * How testers reach the idle color. Both hold the generated token, which whoever reads the
 * objects of the ingress reads, too.
 */
export const previewHeader = "x-bluegreen-preview";
/** With the token behind it: nginx looks at the name alone, and wants this value. */
export const previewCookiePrefix = "bluegreen-preview-";
export const previewCookieValue = "always";

/**
 * Puts texts together of which some are known only at update time: `pulumi.interpolate` in the program, a
 * plain template elsewhere.
 */
export type Interpolate<T> = (literals: TemplateStringsArray, ...values: (string | T)[]) => T;

/** A whole Cookie header that has it among others. */
export function previewCookie<T>(token: T, interpolate: Interpolate<T>): T {
  return interpolate`(^|.*;\\s*)${previewCookiePrefix}${token}=${previewCookieValue}(;.*|$)`;
}

/** What else is behind the host: a Service that is not the app's. */
export interface OtherPath {
  path: string;
  pathType: "Prefix" | "Exact";
  service: string;
  port: number;
}

/** The ingress, as settings want it. `T` is a text that may come from another resource. */
export interface Way<T> extends ColorNamespaces {
  app: string;
  host: string;
  /** Further ones, *.example.com among them. */
  moreHosts: string[];
  /** Secret of their certificate. */
  tlsSecret: string;
  /** Other backends on all of them. */
  otherPaths: OtherPath[];
  /** Number of the active Service's port. */
  servicePort: number;
  /** What a load balancer asks a pod itself. */
  readinessPath: string;
  /** Where the color paths are instead, without a password: a host that only the inside reaches. */
  internalHost: string | undefined;
  /** Of Ingress objects; undefined takes the router's own. */
  ingressClass: string | undefined;
  /** cert-manager's, undefined where somebody else makes the certificate. */
  clusterIssuer: string | undefined;
  gateway: GatewayRef | undefined;
  strategy: TrafficStrategy;
  affinity: Affinity;
  active: Color;
  weights: Weights;
  /**
   * Of the previews by header and cookie; never the password of the color paths, for it stands in the objects
   * as it is.
   */
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

/**
 * What an object is for. production: its traffic comes in by it. weights: it holds what each color gets. testers: it
 * routes to what is not released.
 */
export type RouteRole = "production" | "weights" | "testers";

/** An object of a route, as a manifest without its namespace. */
export interface RouteObject<T> {
  apiVersion: string;
  kind: string;
  name: string;
  roles: RouteRole[];
  /** What a release needs. */
  annotations: Record<string, string | T>;
  /** What config may say otherwise. */
  defaults?: Record<string, string>;
  /** Requests come in by it: it gets the annotations of config. */
  isEntrance?: true;
  spec: Record<string, unknown>;
}

/** Every host of users. */
export function hostsOf<T>({ host, moreHosts }: Pick<Way<T>, "host" | "moreHosts">): string[] {
  return [host, ...moreHosts];
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
   * @param active the color that gets the rest of the traffic
   */
  patches(app: string, found: unknown[], weights: Weights, active: Color): JsonPatch[];
}

/** Resources of one API group. */
export interface Resources {
  group: string;
  resources: string[];
}

/** Where objects of one kind are in Kubernetes' API. */
export type KindAt = Omit<ObjectAt, "name">;

/** What is asked of a cluster: what a router brings along needs no client of its own. */
export interface ClusterReader {
  /** In the whole cluster; none where nobody has brought the kind. */
  list(kind: KindAt): Promise<unknown[]>;
  /** Undefined where it is missing, or nobody has brought its kind. */
  read(object: ObjectAt & { namespace?: string }): Promise<unknown>;
  /** Whether somebody has brought the kind. */
  serves(kind: KindAt): Promise<boolean>;
}

/** What config says of a router beside the Way. */
export interface RouterSettings {
  ingressClass?: string | undefined;
  gateway?: string | undefined;
}

/** What init gives a router to find its settings with. */
export interface Prompt {
  /** What was said on the command line. */
  given: RouterSettings;
  reader: ClusterReader;
  /** Asks where somebody can be asked, and takes the first otherwise. */
  choose: (part: "gateway", values: string[]) => Promise<string>;
}

/** All that differs between the ingress controllers. */
export interface Router {
  can: Capabilities;
  /**
   * Whether it comes by a Gateway that traffic.gateway names, which also has the certificate, and whether that
   * may name one of its listeners; undefined where there is no such Gateway.
   */
  gateway?: { listeners: boolean };
  /** All objects of the ingress. */
  objects<T>(way: Way<T>): RouteObject<T>[];
  /**
   * What a color's namespace has to say before the route may refer to its Service from another one; absent
   * where nobody asks.
   */
  grant?(namespaces: ColorNamespaces, app: string, color: Color): Grant;
  /** Both colors at once; undefined where it can refer to one only. */
  weights: WeightsIn | undefined;
  /** Its load balancer holds the addresses of pods: a selector that moves would leave traffic without any. */
  isWeightedOnly?: true;
  /** Where it counts the requests that it has routed to a color; absent where that is not known. */
  requests?: (way: Pick<Way<never>, "app" | "strategy" | keyof ColorNamespaces>) => RequestSeries;
  /** What the objects consist of, which an update keeps. */
  makes: Resources;
  /** Whether it makes Certificates of cert-manager's, which otherwise reads an annotation. */
  certificates?: true;
  /** What it reads of the cluster, to find out what is there. */
  reads: (Resources & { verbs: string[] })[];
  /** Whether somebody in the cluster reads its objects, as far as that can be seen. */
  isOffered(reader: ClusterReader): Promise<boolean>;
  /**
   * What is wrong with who reads them; undefined where nothing is, or nobody is there. Absent where nothing in
   * the cluster says who they are.
   */
  misread?(reader: ClusterReader, settings: RouterSettings): Promise<Finding | undefined>;
  /** Whether a release would find who reads them. */
  examine(reader: ClusterReader, settings: RouterSettings): Promise<Finding>;
  /** What init writes into config for it; absent where its defaults do. */
  prompt?(init: Prompt): Promise<RouterSettings>;
}
