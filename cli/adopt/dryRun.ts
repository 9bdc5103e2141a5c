import { connect, messageOf } from "@bluegreen/release";
import { selectorOf, names } from "@bluegreen/release/app/names";
import { applyTemplate } from "@bluegreen/release/config/podTemplate/strategicMerge";
import { isFields } from "@bluegreen/release/util/json";
import type { V1Deployment } from "@bluegreen/release/kubernetes/client";
import { advice, unknown, well, type Finding } from "@bluegreen/release/util/finding";
import type { Adoption } from "./adopt";

/** Asks the API server whether it would take the pods: its admission included, and nothing is made. */
export async function dryRun(
  { app, config, podTemplate }: Adoption,
  where: { context: string; namespace: string },
): Promise<Finding> {
  const subject = "pods";
  try {
    const { apps, namespace } = connect({ ...where, namespacePerColor: false });
    await apps.createNamespacedDeployment({
      namespace,
      dryRun: "All",
      body: deploymentOf(app, config, podTemplate),
    });
    return well(subject, "the API server takes the Deployment of blue, by a dry run");
  } catch (error) {
    const says = messageOf(error);
    return /refused it/.test(says)
      ? advice(
          subject,
          `the API server would not take the Deployment of blue: ${says}`,
          "correct podTemplate.yaml, then pulumi preview",
        )
      : unknown(subject, `no dry run: ${says}`, "pulumi preview, when the cluster answers");
  }
}

function deploymentOf(
  app: string,
  { imageRepository, blueTag, container }: Adoption["config"],
  podTemplate: Adoption["podTemplate"],
): V1Deployment {
  const selector = selectorOf(app, "blue");
  const image = `${String(imageRepository)}:${String(blueTag)}`;
  const owned = { metadata: { labels: selector }, spec: { containers: [{ name: container, image }] } };
  const { metadata, spec } = applyTemplate(applyTemplate({}, podTemplate), owned);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: names.deployment(app, "blue") },
    spec: {
      replicas: 1,
      selector: { matchLabels: selector },
      template: {
        ...(isFields(metadata) && { metadata }),
        ...(isFields(spec) && { spec: { containers: [], ...spec } }),
      },
    },
  };
}
