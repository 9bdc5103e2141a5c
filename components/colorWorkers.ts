import * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import type { Color } from "@bluegreen/release";
import { namespaceOf } from "@bluegreen/release/app/color";
import { imageAnnotation, names, workerLabel } from "@bluegreen/release/app/names";
import { surge } from "@bluegreen/release/config/room";
import type { WorkerPods } from "@bluegreen/release/config/podSettings";
import { movedFromOutside, skipAwait } from "./annotations";
import { asHashed } from "./asHashed";
import { makeStep } from "./dynamicStep";
import type { AppSettings } from "./lateArgs";
import type { ColorTemplate } from "./podTemplate";
import { resourceName } from "./resourceName";

export interface OfColor {
  color: Color;
  settings: AppSettings;
  template: ColorTemplate;
}

/**
 * The Deployments of a color's workers. Their pods are a step's to give: for those that run on both colors with the
 * rollout, for the others with the switch.
 */
export function makeWorkers(
  app: string,
  { color, settings, template }: OfColor,
  options: pulumi.CustomResourceOptions,
): Deployment[] {
  return template.workers.map(({ of, selector, metadata, spec }) => {
    const own = backgroundMetadata(app, { color, settings, template }, of.name);
    const pulumiName = resourceName(settings, own.name);
    const wanted = {
      metadata: own,
      spec: {
        replicas: 0,
        minReadySeconds: settings.minReadySeconds,
        revisionHistoryLimit: 3,
        strategy: strategyOf(of),
        selector: { matchLabels: selector },
        template: { metadata, spec: spec as unknown as types.input.core.v1.PodSpec },
      },
    };
    return new Deployment(pulumiName, wanted, {
      ...options,
      hooks: asHashed("Deployment", pulumiName, wanted).hooks,
      ...(settings.colors[color].tag !== undefined && { ignoreChanges: ["spec.replicas"] }),
    });
  });
}

/** Of a Deployment or a CronJob by its name in config. */
export function backgroundMetadata(app: string, { color, settings, template }: OfColor, name: string) {
  return {
    name: names.worker(app, color, name),
    namespace: namespaceOf(settings, color),
    labels: { ...template.labels, [workerLabel]: name },
    annotations: { ...skipAwait, ...movedFromOutside, [imageAnnotation]: template.image },
  };
}

/** Those that run on both colors get their pods, or lose them with their color; none where there are none. */
export function rollOutWorkers(
  app: string,
  { color, settings, template }: OfColor,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const { context, namespace, namespacePerColor, progressDeadlineSeconds: budgetSeconds } = settings;
  const isDeployed = settings.colors[color].tag !== undefined;
  const workers = template.workers.flatMap(({ of: { name, runOn, replicas } }) =>
    runOn === "both" ? [{ name, replicas: isDeployed ? replicas : 0 }] : [],
  );
  if (workers.length === 0) return [];
  const where = { context, namespace, namespacePerColor, app, color };
  return [
    makeStep(
      "workerRollout",
      resourceName(settings, names.deployment(app, color)),
      { ...where, template: template.hash, workers, budgetSeconds },
      options,
    ),
  ];
}

/** Of a worker that runs on the active color alone no two versions run at a time, in a change in place either. */
function strategyOf({ runOn, overlap }: Pick<WorkerPods, "runOn" | "overlap">) {
  return runOn === "active" && !overlap
    ? { type: "Recreate" }
    : { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: 0 } };
}
