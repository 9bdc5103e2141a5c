import type * as pulumi from "@pulumi/pulumi";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { colorLabels, names } from "@bluegreen/release/app/names";
import type { Color } from "@bluegreen/release";
import { namespaceOf } from "@bluegreen/release/app/color";
import type { AppSettings } from "./lateArgs";
import { resourceName } from "./resourceName";

/**
 * Scales a color by the CPU that its pods use, in percent of what they are promised. It says nothing
 * of how it behaves: that is the release's, which keeps it from taking pods around a switch.
 */
export function makeAutoscaler(
  app: string,
  color: Color,
  settings: AppSettings,
  options: pulumi.CustomResourceOptions,
): HorizontalPodAutoscaler {
  const name = names.autoscaler(app, color);
  const { minReplicas, maxReplicas, cpuPercent } = settings.autoscaling;
  return new HorizontalPodAutoscaler(
    resourceName(settings, name),
    {
      metadata: { name, namespace: namespaceOf(settings, color), labels: colorLabels(app, color) },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: names.deployment(app, color) },
        minReplicas,
        maxReplicas,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: cpuPercent } },
          },
        ],
      },
    },
    options,
  );
}
