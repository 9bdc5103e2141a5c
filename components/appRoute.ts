import * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { Secret, Service } from "@pulumi/kubernetes/core/v1";
import { Ingress } from "@pulumi/kubernetes/networking/v1";
import { RandomPassword } from "@pulumi/random";
import { appLabels, names, switchAnnotation } from "@bluegreen/release/app/names";
import type { RouteObject, Way } from "@bluegreen/release/routers/router";
import { routers } from "@bluegreen/release/routers/routers";
import type { AppSettings } from "./lateArgs";
import { movedFromOutside, skipAwait } from "./annotations";
import { resourceName } from "./resourceName";

export interface AppRouteArgs {
  settings: AppSettings;
  /** Of the switch, or of the shift, that the last gate has let through. */
  switchId: pulumi.Input<string>;
  /** What has to be there before requests come in by it as it is now. */
  after: pulumi.Resource[];
  /** The ingress of another cluster, by the same host: testers get in by the same password and token. */
  shared?: AppRoute | undefined;
}

/** The user name that testers of a color give, with the generated password. */
const previewUser = "preview";

/**
 * The ingress, as the controller that reads it wants it said: what it consists of is decided in
 * release/src/routers.
 */
export class AppRoute extends pulumi.ComponentResource {
  /** Password of the color paths. Only its hash is in the cluster, in a Secret. */
  readonly previewPassword: pulumi.Output<string>;
  /** Token of the previews by header and cookie: whoever may read the ingress reads it. */
  readonly previewToken: pulumi.Output<string>;
  /** What requests come in by. */
  readonly objects: pulumi.Resource[];
  private readonly password: RandomPassword;
  private readonly token: RandomPassword;

  constructor(
    app: string,
    { settings, switchId, after, shared }: AppRouteArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    const name = names.ingress(app);
    super("bluegreen:index:AppRoute", resourceName(settings, name), {}, options);
    const { namespace, traffic, deletionProtection } = settings;
    const route = routers[traffic.router];
    // Two values: the objects of the ingress hold the token in plain text. It has the name that was once of
    // both, so that a password which has stood there is one no more.
    this.token =
      shared?.token ??
      new RandomPassword(`${name}-preview`, { length: 32, special: false }, { parent: this });
    this.password =
      shared?.password ??
      new RandomPassword(`${name}-preview-password`, { length: 32, special: false }, { parent: this });
    this.previewPassword = pulumi.secret(this.password.result);
    this.previewToken = pulumi.secret(this.token.result);
    const guards: pulumi.Resource[] = [];
    if (route.can.colorPaths === "password" && traffic.internalHost === "") {
      // One key alone: Traefik refuses a Secret with more.
      const stringData = { auth: pulumi.interpolate`${previewUser}:${this.password.bcryptHash}` };
      guards.push(
        new Secret(
          resourceName(settings, `${name}-preview`),
          { metadata: { name: names.previewSecret(app), namespace, labels: appLabels(app) }, stringData },
          { parent: this, dependsOn: after },
        ),
      );
    }
    const make = (object: RouteObject<pulumi.Output<string>>, dependsOn: pulumi.Resource[]) => {
      const theirs = object.isEntrance === true ? settings.ingress.annotations : {};
      const lost = Object.keys(theirs).filter((key) => key in object.annotations);
      if (lost.length > 0)
        void pulumi.log.warn(
          `ingress.annotations: ${lost.join(", ")} of ${object.kind} ${object.name} stays as the release needs it`,
          this,
        );
      const moves = traffic.strategy === "weighted" && object.roles.includes("weights");
      const metadata = {
        name: object.name,
        namespace,
        labels: appLabels(app),
        // Otherwise an update waits for a load balancer's address, ten minutes where none comes.
        annotations: {
          ...skipAwait,
          ...(moves && { ...movedFromOutside, [switchAnnotation]: switchId }),
          ...object.defaults,
          ...theirs,
          ...object.annotations,
        },
      };
      // Requests come in by it, and a destroy without a preview has deleted what it may before it comes to a
      // refusal.
      return register(resourceName(settings, object.name), object, metadata, {
        parent: this,
        dependsOn,
        protect: object.roles.includes("production") && deletionProtection,
      });
    };
    const wanted = route.objects(wayOf(app, settings, this.previewToken));
    const isService = ({ kind }: (typeof wanted)[number]) => kind === "Service";
    const services = wanted.filter(isService).map((object) => make(object, after));
    this.objects = [
      ...services,
      ...wanted
        .filter((object) => !isService(object))
        .map((object) => make(object, [...after, ...guards, ...services])),
    ];
    this.registerOutputs();
  }
}

interface Metadata {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  annotations: Record<string, pulumi.Input<string>>;
}

function register(
  name: string,
  { apiVersion, kind, spec }: RouteObject<pulumi.Output<string>>,
  metadata: Metadata,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  switch (kind) {
    case "Ingress":
      return new Ingress(name, { metadata, spec }, options);
    case "Service":
      return new Service(name, { metadata, spec }, options);
    default:
      return new CustomResource(name, { apiVersion, kind, metadata, spec }, options);
  }
}

/** The ingress, from settings alone but for the generated token. */
function wayOf(
  app: string,
  {
    host,
    namespace,
    namespacePerColor,
    traffic,
    ingressClass,
    clusterIssuer,
    activeColor: active,
    weights,
    http: { readinessPath },
    ingress,
    service,
  }: AppSettings,
  token: pulumi.Output<string>,
): Way<pulumi.Output<string>> {
  const { strategy, affinity, internalHost } = traffic;
  const [gatewayNamespace = "", name = "", listener] = traffic.gateway.split("/");
  return {
    app,
    namespace,
    namespacePerColor,
    // Without an ingress, the name that the active Service has in the cluster.
    host: host ?? `${names.activeService(app)}.${namespace}.svc`,
    moreHosts: ingress.hosts,
    tlsSecret: ingress.tlsSecret === "" ? names.tlsSecret(app) : ingress.tlsSecret,
    otherPaths: ingress.paths,
    servicePort: service.port,
    readinessPath,
    internalHost: internalHost === "" ? undefined : internalHost,
    ingressClass,
    clusterIssuer,
    gateway: name === "" ? undefined : { namespace: gatewayNamespace, name, listener },
    strategy,
    affinity,
    active,
    weights,
    token,
    interpolate: pulumi.interpolate,
  };
}
