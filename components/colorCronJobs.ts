import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import { CronJob } from "@pulumi/kubernetes/batch/v1";
import { asHashed } from "./asHashed";
import { backgroundMetadata, type OfColor } from "./colorWorkers";
import { resourceName } from "./resourceName";

/** The CronJobs of a color, suspended: whether they start Jobs is for whoever moves traffic to say. */
export function makeCronJobs(
  app: string,
  { color, settings, template }: OfColor,
  options: pulumi.CustomResourceOptions,
): CronJob[] {
  return template.cronJobs.map(({ of: { name, schedule, timeZone, concurrencyPolicy }, metadata, spec }) => {
    const own = backgroundMetadata(app, { color, settings, template }, name);
    const pulumiName = resourceName(settings, own.name);
    const wanted = {
      metadata: own,
      spec: {
        schedule,
        ...(timeZone !== undefined && { timeZone }),
        concurrencyPolicy,
        suspend: true,
        jobTemplate: {
          metadata: { labels: metadata.labels },
          spec: { template: { metadata, spec: spec as unknown as types.input.core.v1.PodSpec } },
        },
      },
    };
    return new CronJob(pulumiName, wanted, {
      ...options,
      hooks: asHashed("CronJob", pulumiName, wanted).hooks,
      ...(settings.colors[color].tag !== undefined && { ignoreChanges: ["spec.suspend"] }),
    });
  });
}
