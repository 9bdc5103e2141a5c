import * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { LimitRange, Namespace, ResourceQuota, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { appLabels, colorLabels, names } from "@bluegreen/release/app/names";
import { quotaLimits } from "@bluegreen/release/config/room";
import { colors, namespaceOf, inEachNamespace, podSecurity, type Color } from "@bluegreen/release/app/color";
import { routers } from "@bluegreen/release/routers/routers";
import type { AppSettings } from "./lateArgs";
import { skipAwait } from "./annotations";
import { networkPolicies } from "./networkPolicies";
import { resourceName } from "./resourceName";

/**
 * What keeps the colors, and what else runs there, from each other: a namespace for each color where
 * config asks for it, an account without a token, who may reach whom, and how much a namespace may
 * use. All of it is there before any pod is.
 */
export class Isolation extends pulumi.ComponentResource {
  readonly resources: pulumi.Resource[] = [];

  constructor(
    app: string,
    settings: AppSettings,
    after: pulumi.Resource[],
    options?: pulumi.ComponentResourceOptions,
  ) {
    const named = (name: string) => resourceName(settings, name);
    super("bluegreen:index:Isolation", named(`${app}-isolation`), {}, options);
    const ordered = { parent: this, dependsOn: [...after, ...this.makeNamespaces(app, settings, after)] };
    // Secrets of a registry are the account's: pods get them without another template.
    const imagePullSecrets = settings.imagePullSecrets.map((name) => ({ name }));
    // Pods of an account of somebody's need none of these.
    const isMade = (color: Color) =>
      settings.serviceAccount.name === "" &&
      settings.pods[color].podTemplate.spec["serviceAccountName"] === undefined;
    for (const color of colors.filter(isMade)) {
      const name = names.account(app, color);
      this.resources.push(
        new ServiceAccount(
          named(`${name}-account`),
          {
            metadata: {
              name,
              namespace: namespaceOf(settings, color),
              labels: colorLabels(app, color),
              annotations: settings.serviceAccount.annotations,
            },
            automountServiceAccountToken: false,
            imagePullSecrets,
          },
          ordered,
        ),
      );
    }
    for (const { resource, name, namespace, spec } of networkPolicies(app, settings)) {
      this.resources.push(
        new NetworkPolicy(
          named(`${resource}-network`),
          { metadata: { name, namespace, labels: appLabels(app) }, spec },
          ordered,
        ),
      );
    }
    if (settings.quota.enabled) this.resources.push(...this.makeQuotas(app, settings, ordered));
    this.registerOutputs();
  }

  /**
   * The namespaces of the colors, where they are not the app's, and what lets the ingress refer to a color
   * there.
   */
  private makeNamespaces(app: string, settings: AppSettings, after: pulumi.Resource[]): pulumi.Resource[] {
    if (!settings.namespacePerColor) return [];
    // A color that is idle now gets traffic after the next switch.
    const options = { parent: this, protect: settings.deletionProtection };
    return colors.flatMap((color) => {
      const namespace = namespaceOf(settings, color);
      const made = settings.createNamespaces
        ? [
            new Namespace(
              resourceName(settings, `${app}-${color}-namespace`),
              { metadata: { name: namespace, labels: { ...colorLabels(app, color), ...podSecurity } } },
              { ...options, dependsOn: after },
            ),
          ]
        : [];
      const grant = routers[settings.traffic.router].grant?.(settings, app, color);
      if (grant === undefined) return made;
      const { apiVersion, kind, name, spec } = grant;
      return [
        ...made,
        new CustomResource(
          resourceName(settings, `${app}-${color}-grant`),
          {
            apiVersion,
            kind,
            metadata: { name, namespace, labels: colorLabels(app, color), annotations: skipAwait },
            spec,
          },
          { ...options, dependsOn: [...after, ...made] },
        ),
      ];
    });
  }

  private makeQuotas(
    app: string,
    settings: AppSettings,
    ordered: { parent: pulumi.Resource; dependsOn: pulumi.Resource[] },
  ): pulumi.Resource[] {
    const { requests, limits } = settings.resources;
    return inEachNamespace(settings, names.quota(app)).flatMap(({ name, namespace }) => {
      const metadata = { name: names.quota(app), namespace, labels: appLabels(app) };
      // A quota refuses containers that say nothing of what they need: those of others get the app's.
      const range = new LimitRange(
        resourceName(settings, name),
        { metadata, spec: { limits: [{ type: "Container", defaultRequest: requests, default: limits }] } },
        ordered,
      );
      return [
        new ResourceQuota(
          resourceName(settings, name),
          { metadata, spec: { hard: quotaLimits(settings) } },
          { ...ordered, dependsOn: [...ordered.dependsOn, range] },
        ),
        range,
      ];
    });
  }
}
