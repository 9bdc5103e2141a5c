import * as pulumi from "@pulumi/pulumi";
import { LimitRange, ResourceQuota, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { appResources, quotaLimits } from "@bluegreen/release/capacity/room";
import { colors } from "@bluegreen/release/color";
import { names } from "@bluegreen/release/names";
import type { Settings } from "@bluegreen/release/settings/settings";
import { networkPolicies } from "./networkPolicies";

/**
 * What keeps the colors, and what else runs there, from each other: an account without a token for
 * each color, who may reach whom, and how much the namespace may use. All of it is there before any
 * pod is.
 */
export class Isolation extends pulumi.ComponentResource {
  readonly resources: pulumi.Resource[] = [];

  constructor(app: string, settings: Settings, after: pulumi.Resource[], options?: pulumi.ComponentResourceOptions) {
    super("bluegreen:app:Isolation", `${app}-isolation`, {}, options);
    const { namespace, quota } = settings;
    const ordered = { parent: this, dependsOn: after };
    // Secrets of a registry are the account's: pods get them without another template.
    const imagePullSecrets = settings.imagePullSecrets.map((name) => ({ name }));
    for (const color of colors) {
      const name = names.account(app, color);
      this.resources.push(new ServiceAccount(`${name}-account`, { metadata: { name, namespace, labels: { app, version: color } }, automountServiceAccountToken: false, imagePullSecrets }, ordered));
    }
    for (const { name, spec } of networkPolicies(app, settings)) {
      this.resources.push(new NetworkPolicy(`${name}-network`, { metadata: { name, namespace, labels: { app } }, spec }, ordered));
    }
    if (quota.enabled) {
      const metadata = { name: names.quota(app), namespace, labels: { app } };
      const { requests, limits } = appResources(settings);
      // A quota refuses containers that say nothing of what they need: those of others get the app's.
      const range = new LimitRange(names.quota(app), { metadata, spec: { limits: [{ type: "Container", defaultRequest: requests, default: limits }] } }, ordered);
      this.resources.push(new ResourceQuota(names.quota(app), { metadata, spec: { hard: quotaLimits(settings) } }, { parent: this, dependsOn: [...after, range] }), range);
    }
    this.registerOutputs();
  }
}
