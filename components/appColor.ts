import * as pulumi from "@pulumi/pulumi";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { Service } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import { names } from "@bluegreen/release/names";
import type { Color } from "@bluegreen/release";
import type { Settings } from "@bluegreen/release/settings/settings";
import type { ColorTemplate } from "./podTemplate";
import { Rollout, SchemaGate, SmokeGate } from "./steps";

/** The gates judge readiness themselves, by what users would get; the provider's wait would only add to it. */
export const skipAwait = { "pulumi.com/skipAwait": "true" };

export interface AppColorArgs {
  color: Color;
  settings: Settings;
  template: ColorTemplate;
  /** What has to be done before anything of this color changes. */
  after: pulumi.Resource[];
}

/** One color: its Deployment, the Service that reaches it alone, and the gates it has to pass. */
export class AppColor extends pulumi.ComponentResource {
  readonly deployment: Deployment;
  /** What traffic to this color has to wait for; empty for a color that is not deployed. */
  readonly gates: pulumi.Resource[];

  constructor(app: string, { color, settings, template, after }: AppColorArgs, options?: pulumi.ComponentResourceOptions) {
    const name = names.deployment(app, color);
    super("bluegreen:app:AppColor", name, {}, options);
    const { namespace, context } = settings;
    const { tag } = settings.colors[color];
    const replicas = tag === undefined ? 0 : settings.replicas;
    const active = settings.activeColor === color;
    const ordered = { parent: this, dependsOn: after };

    this.deployment = new Deployment(
      name,
      {
        metadata: { name, namespace, labels: template.labels, annotations: skipAwait },
        spec: {
          replicas,
          minReadySeconds: settings.minReadySeconds,
          revisionHistoryLimit: 3,
          // Never fewer than wanted: a new pod first, then an old one goes.
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
          selector: { matchLabels: template.labels },
          template: { metadata: template.metadata, spec: template.spec },
        },
      },
      { ...ordered, protect: active && !settings.allowDelete },
    );
    const service = new Service(
      name,
      { metadata: { name, namespace, labels: template.labels, annotations: skipAwait }, spec: { selector: template.labels, ports: servicePorts, ...affinityOf(settings.traffic) } },
      ordered,
    );
    new PodDisruptionBudget(
      name,
      { metadata: { name, namespace, labels: template.labels }, spec: { maxUnavailable: 1, selector: { matchLabels: template.labels } } },
      ordered,
    );

    const common = { context, namespace, app, color, template: template.hash, active };
    this.gates = [];
    if (tag !== undefined) {
      const rollout = new Rollout(
        `${name}-rollout`,
        { ...common, replicas, budgetSeconds: settings.rolloutBudgetSeconds },
        { parent: this, dependsOn: [this.deployment, service] },
      );
      const schema = new SchemaGate(
        `${name}-schema`,
        { ...common, strategy: settings.database.strategy, activeColor: settings.activeColor },
        { parent: this, dependsOn: rollout },
      );
      const smoke = new SmokeGate(
        `${name}-smoke`,
        { ...common, version: tag, suite: settings.smokeSuite, budgetSeconds: settings.smokeBudgetSeconds },
        { parent: this, dependsOn: schema },
      );
      this.gates = [rollout, schema, smoke];
    }
    this.registerOutputs();
  }
}

/** Users of a Service stay with a pod by their address, as long as it is there, three hours at the longest. */
export function affinityOf({ affinity }: Settings["traffic"]) {
  return affinity === "clientIP" ? { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } } : {};
}

/** Every Service of the app answers on 80 and reaches the container's port by its name. */
export const servicePorts = [{ name: "http", protocol: "TCP", port: 80, targetPort: "http" }];
