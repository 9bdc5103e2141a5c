import * as pulumi from "@pulumi/pulumi";
import { Service } from "@pulumi/kubernetes/core/v1";
import { leadTo } from "@bluegreen/release/activeService";
import type { Color } from "@bluegreen/release";
import { names, switchAnnotation } from "@bluegreen/release/names";
import type { Settings } from "@bluegreen/release/settings/settings";
import { affinityOf, movedFromOutside, servicePorts, skipAwait } from "./appColor";
import type { ColorTemplate } from "./podTemplate";
import { resourceName } from "./resourceName";

export interface ActiveServiceArgs {
  settings: Settings;
  templates: Record<Color, ColorTemplate>;
  /** Of the switch that the last gate has let through. */
  switchId: pulumi.Input<string>;
}

/** The Service that users come in by, those inside the cluster at least: its selector is the color that serves them. It asks for the gates' permit itself, however an update comes to it. */
export function makeActiveService(app: string, { settings, templates, switchId }: ActiveServiceArgs, options: pulumi.CustomResourceOptions): Service {
  const name = names.activeService(app);
  const { context, namespace, isolation, activeColor, allowDelete, traffic } = settings;
  const wanted = { blue: templates.blue.hash, green: templates.green.hash };
  const gate = new pulumi.ResourceHook(
    resourceName(settings, `${name}-permit`),
    async ({ newInputs }) => {
      // It knows Kubernetes, which takes most of a second to load: only where it is asked.
      const { refuseUnpermitted } = await import("@bluegreen/release/releases/permit");
      await refuseUnpermitted({ context, namespace, isolation, app, templates: wanted, service: newInputs, preview: pulumi.runtime.isDryRun() });
    },
    { onDryRun: true },
  );
  return new Service(
    resourceName(settings, name),
    {
      metadata: { name, namespace, labels: { app }, annotations: { ...skipAwait, ...movedFromOutside, [switchAnnotation]: switchId } },
      spec: { ...leadTo(settings, app, activeColor), ports: servicePorts, ...affinityOf(traffic) },
    },
    { ...options, protect: !allowDelete, hooks: { beforeCreate: [gate], beforeUpdate: [gate] } },
  );
}
