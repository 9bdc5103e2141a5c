import * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { Service } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import { colorLabels, imageAnnotation, names, replicasAnnotation } from "@bluegreen/release/app/names";
import { askedDatabase } from "@bluegreen/release/migrations/ownMigrations";
import type { Color } from "@bluegreen/release";
import { namespaceOf } from "@bluegreen/release/app/color";
import { surge, sizesOf } from "@bluegreen/release/config/room";
import type { AppSettings } from "./lateArgs";
import { movedFromOutside, skipAwait } from "./annotations";
import { asHashed } from "./asHashed";
import { makeAutoscaler } from "./colorAutoscaler";
import { makeCronJobs } from "./colorCronJobs";
import { makeWorkers, rollOutWorkers } from "./colorWorkers";
import { databaseRelay } from "./databaseRelay";
import { makeStep } from "./dynamicStep";
import { keptImage } from "./keptImage";
import type { ColorTemplate } from "./podTemplate";
import { resourceName } from "./resourceName";
import { servicePorts } from "./servicePorts";
import { asLoadable } from "./suiteLoads";

/** Number of the app's port at the Service of a color, whatever the active one's is: by it routers find it. */
const colorPort = 80;

export interface AppColorArgs {
  color: Color;
  settings: AppSettings;
  template: ColorTemplate;
  /** What has to be done before anything of this color changes. */
  after: pulumi.Resource[];
}

/** One color: its Deployment, the Service that reaches it alone, and the gates it has to pass. */
export class AppColor extends pulumi.ComponentResource {
  readonly deployment: Deployment;
  /** What traffic to this color has to wait for; empty for a color that is not deployed. */
  readonly gates: pulumi.Resource[];

  constructor(
    app: string,
    { color, settings, template, after }: AppColorArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    const name = names.deployment(app, color);
    const pulumiName = resourceName(settings, name);
    super("bluegreen:index:AppColor", pulumiName, {}, options);
    const { context, namespacePerColor } = settings;
    const namespace = namespaceOf(settings, color);
    const { tag } = settings.colors[color];
    const { replicas, maxReplicas } = sizesOf(settings);
    const asked = tag === undefined ? 0 : replicas;
    const active = settings.activeColor === color;
    const ordered = { parent: this, dependsOn: after };

    const wanted = {
      metadata: {
        name,
        namespace,
        labels: template.labels,
        annotations: {
          ...skipAwait,
          ...movedFromOutside,
          [imageAnnotation]: template.image,
          [replicasAnnotation]: String(asked),
        },
      },
      spec: {
        // Only at the beginning, and at the end: then it is a step's, an autoscaler's, or a person's.
        replicas: asked,
        minReadySeconds: settings.minReadySeconds,
        revisionHistoryLimit: 3,
        // Never fewer than wanted: a new pod first, then an old one goes.
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: 0 } },
        selector: { matchLabels: template.selector },
        template: {
          metadata: template.metadata,
          spec: template.spec as unknown as types.input.core.v1.PodSpec,
        },
      },
    };
    const { beforeCreate, beforeUpdate } = asHashed("Deployment", pulumiName, wanted).hooks;
    const kept =
      settings.weights[color] > 0 && !settings.allowInPlaceUpdate
        ? [keptImage(pulumiName, settings, { app, color, image: template.image })]
        : [];
    this.deployment = new Deployment(
      pulumiName,
      wanted,
      // Left out instead, the number would fall to 1 for a moment: this program would give up what is its
      // own.
      {
        ...ordered,
        hooks: { beforeCreate, beforeUpdate: [...beforeUpdate, ...kept] },
        protect: active && settings.deletionProtection,
        ...(tag !== undefined && { ignoreChanges: ["spec.replicas"] }),
      },
    );
    const service = new Service(
      pulumiName,
      {
        metadata: { name, namespace, labels: colorLabels(app, color), annotations: skipAwait },
        spec: {
          selector: template.selector,
          ports: servicePorts(settings.service, colorPort),
          ...affinityOf(settings.traffic),
        },
      },
      ordered,
    );
    if (settings.podDisruptionBudget)
      new PodDisruptionBudget(
        pulumiName,
        {
          metadata: { name: names.budget(app, color), namespace, labels: colorLabels(app, color) },
          // Pods that crash serve nobody: they do not keep a node from being drained.
          spec: {
            maxUnavailable: 1,
            unhealthyPodEvictionPolicy: "AlwaysAllow",
            selector: { matchLabels: template.selector },
          },
        },
        ordered,
      );

    const autoscaler =
      maxReplicas > 0 && tag !== undefined
        ? [makeAutoscaler(app, color, settings, { parent: this, dependsOn: this.deployment })]
        : [];

    const where = { context, namespace: settings.namespace, namespacePerColor, app, color, active };
    const sized = makeStep(
      "colorSize",
      pulumiName,
      { ...where, deployed: tag !== undefined, template: template.hash, replicas, maxReplicas },
      { parent: this, dependsOn: [this.deployment, ...autoscaler] },
    );
    const common = { ...where, template: template.hash };
    const workers = makeWorkers(app, { color, settings, template }, ordered);
    const crewed = rollOutWorkers(app, { color, settings, template }, { parent: this, dependsOn: workers });
    const cronJobs = makeCronJobs(app, { color, settings, template }, ordered);
    this.gates = [];
    if (tag !== undefined) {
      const rollout = makeStep(
        "rollout",
        pulumiName,
        { ...common, replicas, maxReplicas, budgetSeconds: settings.progressDeadlineSeconds },
        { parent: this, dependsOn: [this.deployment, service, sized] },
      );
      const { databaseSecret } = settings;
      const strategy = askedDatabase(settings);
      const schema =
        strategy === undefined
          ? []
          : [
              makeStep(
                "schemaGate",
                pulumiName,
                {
                  ...common,
                  strategy,
                  databaseSecret,
                  activeColor: settings.activeColor,
                  ...databaseRelay(app, settings),
                },
                { parent: this, dependsOn: rollout },
              ),
            ];
      const suite = {
        color,
        version: tag,
        suite: settings.smokeTests,
        suiteEnv: settings.smokeEnv,
        budgetSeconds: settings.smokeTimeoutSeconds,
      };
      const smoke = makeStep(
        "smokeGate",
        pulumiName,
        { ...common, ...suite },
        { parent: this, dependsOn: [rollout, ...schema], ...asLoadable(pulumiName, suite) },
      );
      // What starts with the switch is none of its gates, but has to be there.
      this.gates = [rollout, ...schema, smoke, ...crewed, ...workers, ...cronJobs];
    }
    this.registerOutputs();
  }
}

/**
 * Users of a Service stay with a pod by their address, as long as it is there, three hours at the longest.
 */
export function affinityOf({ affinity }: AppSettings["traffic"]) {
  return affinity === "clientIP"
    ? { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } }
    : {};
}
