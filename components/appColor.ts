import * as pulumi from "@pulumi/pulumi";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { Service } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import { names } from "@bluegreen/release/names";
import type { Color } from "@bluegreen/release";
import { homeOf } from "@bluegreen/release/homes";
import { surge } from "@bluegreen/release/capacity/room";
import type { Settings } from "@bluegreen/release/settings/settings";
import { sizesOf } from "@bluegreen/release/settings/sizes";
import { makeAutoscaler } from "./colorAutoscaler";
import type { ColorTemplate } from "./podTemplate";
import { resourceName } from "./resourceName";
import { ColorSize, Rollout, SchemaGate, SmokeGate } from "./steps";

/** The gates judge readiness themselves, by what users would get; the provider's wait would only add to it. */
export const skipAwait = { "pulumi.com/skipAwait": "true" };

/** The watch, and a person at night, move users themselves, and somebody scales a color: the next update takes the fields back instead of reporting a conflict. */
export const movedFromOutside = { "pulumi.com/patchForce": "true" };

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
    const pulumiName = resourceName(settings, name);
    super("bluegreen:app:AppColor", pulumiName, {}, options);
    const { context, isolation } = settings;
    const namespace = homeOf(settings, color);
    const { tag } = settings.colors[color];
    const { replicas, maxReplicas } = sizesOf(settings);
    const scaled = maxReplicas > 0;
    const active = settings.activeColor === color;
    const ordered = { parent: this, dependsOn: after };

    this.deployment = new Deployment(
      pulumiName,
      {
        metadata: { name, namespace, labels: template.labels, annotations: scaled ? skipAwait : { ...skipAwait, ...movedFromOutside } },
        spec: {
          // With an autoscaler only at the beginning.
          replicas: tag === undefined ? 0 : replicas,
          minReadySeconds: settings.minReadySeconds,
          revisionHistoryLimit: 3,
          // Never fewer than wanted: a new pod first, then an old one goes.
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: 0 } },
          selector: { matchLabels: template.labels },
          template: { metadata: template.metadata, spec: template.spec },
        },
      },
      // Left out instead, the number would fall to 1 for a moment: this program would give up what is its own.
      { ...ordered, protect: active && !settings.allowDelete, ...(scaled && { ignoreChanges: ["spec.replicas"] }) },
    );
    const service = new Service(
      pulumiName,
      { metadata: { name, namespace, labels: template.labels, annotations: skipAwait }, spec: { selector: template.labels, ports: servicePorts, ...affinityOf(settings.traffic) } },
      ordered,
    );
    new PodDisruptionBudget(
      pulumiName,
      { metadata: { name, namespace, labels: template.labels }, spec: { maxUnavailable: 1, selector: { matchLabels: template.labels } } },
      ordered,
    );

    const autoscaler = scaled && tag !== undefined ? [makeAutoscaler(app, color, settings, { parent: this, dependsOn: this.deployment })] : [];

    const where = { context, namespace: settings.namespace, isolation, app, color, active };
    const sized = new ColorSize(
      `${pulumiName}-size`,
      { ...where, deployed: tag !== undefined, template: template.hash, replicas, maxReplicas },
      { parent: this, dependsOn: [this.deployment, ...autoscaler] },
    );
    const common = { ...where, template: template.hash };
    this.gates = [];
    if (tag !== undefined) {
      const rollout = new Rollout(
        `${pulumiName}-rollout`,
        { ...common, replicas, maxReplicas, budgetSeconds: settings.rolloutBudgetSeconds },
        { parent: this, dependsOn: [this.deployment, service, sized] },
      );
      const { strategy } = settings.database;
      const schema =
        strategy === "none" ? [] : [new SchemaGate(`${pulumiName}-schema`, { ...common, strategy, activeColor: settings.activeColor }, { parent: this, dependsOn: rollout })];
      const smoke = new SmokeGate(
        `${pulumiName}-smoke`,
        { ...common, version: tag, suite: settings.smokeSuite, budgetSeconds: settings.smokeBudgetSeconds },
        { parent: this, dependsOn: [rollout, ...schema] },
      );
      this.gates = [rollout, ...schema, smoke];
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
