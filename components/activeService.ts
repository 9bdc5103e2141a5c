import * as pulumi from "@pulumi/pulumi";
import { Service } from "@pulumi/kubernetes/core/v1";
import { appLabels, names, switchAnnotation } from "@bluegreen/release/app/names";
import { activeServiceSpec } from "@bluegreen/release/routers/services";
import type { Color } from "@bluegreen/release";
import type { AppSettings } from "./lateArgs";
import { movedFromOutside, skipAwait } from "./annotations";
import { affinityOf } from "./appColor";
import { servicePorts } from "./servicePorts";
import type { ColorTemplate } from "./podTemplate";
import { resourceName } from "./resourceName";

export interface ActiveServiceArgs {
  settings: AppSettings;
  templates: Record<Color, ColorTemplate>;
  /** Of the switch that the last gate has let through. */
  switchId: pulumi.Input<string>;
}

/**
 * The Service that requests come in by, those inside the cluster at least: its selector is the color that serves
 * them. It asks for the gates' approval itself, however an update comes to it.
 */
export function makeActiveService(
  app: string,
  { settings, templates, switchId }: ActiveServiceArgs,
  options: pulumi.CustomResourceOptions,
): Service {
  const name = names.activeService(app);
  const { context, namespace, namespacePerColor, activeColor, deletionProtection, traffic } = settings;
  const wanted = { blue: templates.blue.hash, green: templates.green.hash };
  const gate = new pulumi.ResourceHook(
    resourceName(settings, `${name}-approval`),
    async ({ newInputs }) => {
      // It knows Kubernetes, which takes most of a second to load: only where it is asked.
      const { refuseUnapproved } = await import("@bluegreen/release/state/approval");
      await refuseUnapproved({
        context,
        namespace,
        namespacePerColor,
        app,
        templates: wanted,
        service: newInputs,
        preview: pulumi.runtime.isDryRun(),
      });
    },
    { onDryRun: true },
  );
  return new Service(
    resourceName(settings, name),
    {
      metadata: {
        name,
        namespace,
        labels: appLabels(app),
        annotations: {
          ...settings.service.annotations,
          ...skipAwait,
          ...movedFromOutside,
          [switchAnnotation]: switchId,
        },
      },
      spec: {
        ...(settings.service.type !== "ClusterIP" && { type: settings.service.type }),
        ...activeServiceSpec(settings, app, activeColor),
        ports: servicePorts(settings.service, settings.service.port),
        ...affinityOf(traffic),
      },
    },
    { ...options, protect: deletionProtection, hooks: { beforeCreate: [gate], beforeUpdate: [gate] } },
  );
}
