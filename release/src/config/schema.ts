import { z } from "zod";
import { colors } from "../app/color.js";
import { autoscaling } from "./aroundPods.js";
import { field, objectField, deployment, flag, integer } from "./fields.js";
import { isRepository, tagPattern } from "./forms.js";
import { analysisShape } from "./schema/analysis.js";
import { migrationsShape, databaseShape } from "./schema/database.js";
import { podsShape } from "./schema/pods.js";
import { gatesShape, alertsShape, safeguardsShape } from "./schema/safeguards.js";
import { namespacesShape, trafficShape } from "./schema/traffic.js";
import { variablesShape } from "./schema/variables.js";

function tag(description: string) {
  return field(z.string().regex(tagPattern).optional(), {
    description,
    rule: "an image tag: letters, digits, '_', '.', '-', at most 128, and never latest, which names another image tomorrow; after it, the digest, as v1.3.0@sha256:…",
    example: "v1.3.0",
    ends: deployment,
  });
}

/** The colors: which is live, what they run, and how many pods they have. */
const colorsShape = {
  activeColor: field(z.enum(colors), {
    rule: "blue or green",
    description:
      "The live color: blue or green. Changing it is the switch; changing it back is the rollback.",
    example: "green",
    ends: { place: "the selector of the active Service" },
  }),
  blueTag: tag(
    "Image tag of blue, or tag and digest (v1.3.0@sha256:…). Without one blue stays at zero replicas. Required for the active color.",
  ),
  greenTag: tag(
    "Image tag of green, or tag and digest. Without one green stays at zero replicas. Required for the active color.",
  ),
  imageRepository: field(z.string().refine(isRepository), {
    rule: "an image repository without a tag, in lower case, at most 255 characters",
    description: "Image repository of both colors, without a tag.",
    example: "ghcr.io/you/shop",
    ends: deployment,
  }),
  replicas: integer(
    3,
    1,
    1000,
    "pods",
    deployment,
    "Pods of each deployed color, unless autoscaling.maxReplicas is set.",
  ),
  autoscaling: objectField(autoscaling, {
    description:
      "An autoscaler for each color (docs/guides/namespace-per-color.md#autoscaling). minReplicas and maxReplicas: fewest and most pods of a deployed color, 1 to 1000; a maxReplicas of 0: no autoscaler, and replicas pods. cpuPercent: of resources.requests.cpu, that pods use on average.",
    example: "--path autoscaling.maxReplicas 10",
    ends: { place: "HorizontalPodAutoscalers" },
  }),
  podDisruptionBudget: flag(
    true,
    "A PodDisruptionBudget for each color: a drain of nodes takes one of its pods at a time, and any that is not ready. false: where somebody else's selects the pods, since Kubernetes evicts no pod that two select.",
  ),
};

/**
 * Every setting, declared once: its type, default, unit, rule, description, and where it ends. Pulumi.yaml, the
 * arguments of `BlueGreenApp` and the reference page are written from this list (`npm run docs`), and `init`
 * asks what it says. Where a description says config, an argument is meant as well.
 */
export const shape = {
  ...colorsShape,
  ...namespacesShape,
  ...trafficShape,
  ...variablesShape,
  ...podsShape,
  ...gatesShape,
  ...migrationsShape,
  ...analysisShape,
  ...alertsShape,
  ...safeguardsShape,
  ...databaseShape,
};

export type FlatSettings = { [K in keyof typeof shape]: z.output<(typeof shape)[K]> };

/** Every key that a stack's config may have. */
export const settingKeys = Object.keys(shape) as (keyof FlatSettings)[];
