import * as pulumi from "@pulumi/pulumi";
import type { Color } from "@bluegreen/release";
import { movedRoute } from "@bluegreen/release/routers/routers";
import type { AppSettings } from "./lateArgs";

/**
 * Stands before every update of the Deployment of a color that serves traffic: as it applies the whole object, it
 * would undo an image that somebody has set by hand, although nothing in config has changed.
 */
export function keptImage(
  name: string,
  { context, namespace, namespacePerColor, traffic }: AppSettings,
  color: { app: string; color: Color; image: string },
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    `${name}-kept-image`,
    async () => {
      // It knows Kubernetes, which takes most of a second to load: only where it is asked.
      const { refuseLostImage } = await import("@bluegreen/release/gates/changedImage");
      const route = movedRoute(traffic);
      await refuseLostImage({ context, namespace, namespacePerColor, route, ...color });
    },
    { onDryRun: true },
  );
}
