import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/kubernetes/core/v1";
import { Ingress } from "@pulumi/kubernetes/networking/v1";
import { RandomPassword } from "@pulumi/random";
import { colors, type Color } from "@bluegreen/release/color";
import { names } from "@bluegreen/release/names";
import type { Settings } from "@bluegreen/release/settings/settings";
import { skipAwait } from "./appColor";

export interface AppIngressArgs {
  settings: Settings;
  activeService: string;
  colorServices: Record<Color, string>;
  /** What has to be there before users can come in. */
  after: pulumi.Resource[];
}

/** The user name that testers of a color give, with the generated password. */
const previewUser = "preview";

/**
 * The way in from outside. Two Ingress objects, because a rewrite holds for a whole object: users'
 * paths must reach the app as they are, a color's path must lose its prefix. The color paths show
 * a version that is not released, so they ask for a generated password.
 */
export class AppIngress extends pulumi.ComponentResource {
  readonly previewPassword: pulumi.Output<string>;

  constructor(app: string, { settings, activeService, colorServices, after }: AppIngressArgs, options?: pulumi.ComponentResourceOptions) {
    const name = names.ingress(app);
    super("bluegreen:app:AppIngress", name, {}, options);
    const { namespace, host } = settings;
    const tls = [{ hosts: [host], secretName: `${app}-tls` }];
    const annotations = {
      // Otherwise an update waits for a load balancer's address, ten minutes where none comes.
      ...skipAwait,
      "cert-manager.io/cluster-issuer": settings.clusterIssuer,
      "nginx.ingress.kubernetes.io/ssl-redirect": "true",
    };
    const ordered = { parent: this, dependsOn: after };
    const backend = (service: string) => ({ service: { name: service, port: { name: "http" } } });

    new Ingress(
      name,
      {
        metadata: { name, namespace, annotations },
        spec: {
          ingressClassName: settings.ingressClass,
          tls,
          rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend: backend(activeService) }] } }],
        },
      },
      // Users come in by it, and a destroy without a preview has deleted what it may before it comes to a refusal.
      { ...ordered, protect: !settings.allowDelete },
    );

    const password = new RandomPassword(`${name}-preview`, { length: 32, special: false }, { parent: this });
    const auth = new Secret(
      `${name}-preview`,
      {
        metadata: { name: `${app}-preview-auth`, namespace },
        stringData: { auth: pulumi.interpolate`${previewUser}:${password.bcryptHash}` },
      },
      ordered,
    );
    new Ingress(
      `${name}-colors`,
      {
        metadata: {
          name: `${name}-colors`,
          namespace,
          annotations: {
            ...annotations,
            "nginx.ingress.kubernetes.io/use-regex": "true",
            "nginx.ingress.kubernetes.io/rewrite-target": "/$2",
            "nginx.ingress.kubernetes.io/auth-type": "basic",
            "nginx.ingress.kubernetes.io/auth-secret": auth.metadata.name,
            "nginx.ingress.kubernetes.io/auth-realm": "unreleased version",
          },
        },
        spec: {
          ingressClassName: settings.ingressClass,
          tls,
          rules: [
            {
              host,
              http: {
                paths: colors.map((color) => ({
                  path: `/${color}(/|$)(.*)`,
                  pathType: "ImplementationSpecific",
                  backend: backend(colorServices[color]),
                })),
              },
            },
          ],
        },
      },
      ordered,
    );
    this.previewPassword = pulumi.secret(password.result);
    this.registerOutputs();
  }
}
