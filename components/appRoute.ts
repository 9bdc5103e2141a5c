import * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { Secret } from "@pulumi/kubernetes/core/v1";
import { Ingress } from "@pulumi/kubernetes/networking/v1";
import { RandomPassword } from "@pulumi/random";
import { names, switchAnnotation } from "@bluegreen/release/names";
import type { RouteObject, Way } from "@bluegreen/release/route/route";
import { routes } from "@bluegreen/release/route/routes";
import type { Settings } from "@bluegreen/release/settings/settings";
import { movedFromOutside, skipAwait } from "./appColor";
import { resourceName } from "./resourceName";

export interface AppRouteArgs {
  settings: Settings;
  /** Of the switch, or of the share, that the last gate has let through. */
  switchId: pulumi.Input<string>;
  /** What has to be there before users come in by it as it is now. */
  after: pulumi.Resource[];
  /** The way in to another cluster, by the same host: testers get in by the same password and token. */
  shared?: AppRoute | undefined;
}

/** The user name that testers of a color give, with the generated password. */
const previewUser = "preview";

/** The way in from outside, as the controller that reads it wants it said: what it consists of is decided in release/src/route. */
export class AppRoute extends pulumi.ComponentResource {
  /** Password of the color paths. Only its hash is in the cluster, in a Secret. */
  readonly previewPassword: pulumi.Output<string>;
  /** Token of the previews by header and cookie: whoever may read the way in reads it. */
  readonly previewToken: pulumi.Output<string>;
  /** What users come in by. */
  readonly objects: pulumi.Resource[];
  private readonly password: RandomPassword;
  private readonly token: RandomPassword;

  constructor(app: string, { settings, switchId, after, shared }: AppRouteArgs, options?: pulumi.ComponentResourceOptions) {
    const name = names.ingress(app);
    super("bluegreen:app:AppRoute", resourceName(settings, name), {}, { ...options, aliases: [{ type: "bluegreen:app:AppIngress" }] });
    const { namespace, traffic, allowDelete } = settings;
    const route = routes[traffic.route];
    // Two values: the objects of the way in hold the token in plain text. It has the name that was once of both, so that a password which has stood there is one no more.
    this.token = shared?.token ?? new RandomPassword(`${name}-preview`, { length: 32, special: false }, { parent: this });
    this.password = shared?.password ?? new RandomPassword(`${name}-preview-password`, { length: 32, special: false }, { parent: this });
    this.previewPassword = pulumi.secret(this.password.result);
    this.previewToken = pulumi.secret(this.token.result);
    const guards: pulumi.Resource[] = [];
    if (route.can.colorPaths && traffic.internalHost === "" && traffic.route !== "gateway") {
      // One key alone: Traefik refuses a Secret with more.
      const stringData = { auth: pulumi.interpolate`${previewUser}:${this.password.bcryptHash}` };
      guards.push(new Secret(resourceName(settings, `${name}-preview`), { metadata: { name: names.previewSecret(app), namespace }, stringData }, { parent: this, dependsOn: after }));
    }
    this.objects = route.objects(wayOf(app, settings, this.previewToken)).map((object) => {
      const moves = traffic.mode === "route" && object.roles.includes("weights");
      const metadata = {
        name: object.name,
        namespace,
        // Otherwise an update waits for a load balancer's address, ten minutes where none comes.
        annotations: { ...skipAwait, ...(moves && { ...movedFromOutside, [switchAnnotation]: switchId }), ...object.annotations },
      };
      // Users come in by it, and a destroy without a preview has deleted what it may before it comes to a refusal.
      return register(resourceName(settings, object.name), object, metadata, { parent: this, dependsOn: [...after, ...guards], protect: object.roles.includes("users") && !allowDelete });
    });
    this.registerOutputs();
  }
}

interface Metadata {
  name: string;
  namespace: string;
  annotations: Record<string, pulumi.Input<string>>;
}

function register(name: string, { apiVersion, kind, spec }: RouteObject<pulumi.Output<string>>, metadata: Metadata, options: pulumi.CustomResourceOptions): pulumi.Resource {
  return kind === "Ingress" ? new Ingress(name, { metadata, spec }, options) : new CustomResource(name, { apiVersion, kind, metadata, spec }, options);
}

/** The way in, from settings alone but for the generated token. */
function wayOf(app: string, { host, namespace, isolation, traffic, ingressClass, clusterIssuer, activeColor: active, weights, http: { readyPath } }: Settings, token: pulumi.Output<string>): Way<pulumi.Output<string>> {
  const { mode, affinity, internalHost } = traffic;
  const [gatewayNamespace = "", name = "", listener] = traffic.gateway.split("/");
  return {
    app,
    namespace,
    isolation,
    host,
    readyPath,
    internalHost: internalHost === "" ? undefined : internalHost,
    ingressClass,
    clusterIssuer,
    gateway: name === "" ? undefined : { namespace: gatewayNamespace, name, listener },
    mode,
    affinity,
    active,
    weights,
    token,
    interpolate: pulumi.interpolate,
  };
}
