import { sourcesOf } from "@bluegreen/release/kubernetes/containers";
import * as pulumi from "@pulumi/pulumi";
import type { Color } from "@bluegreen/release/app/color";
import { formatWeights, sameWeights } from "@bluegreen/release/routers/weights";
import { UserError } from "@bluegreen/release/util/userError";
import type { AppInCluster } from "../appInCluster";
import type { ColorTemplate } from "../podTemplate";
import type { ReleaseStep } from "../dynamicStep";

/** An app whose live color is locked. */
export interface Locked {
  app: AppInCluster;
  lock: ReleaseStep<"liveLock">;
}

/**
 * First of all: nothing that serves traffic changes in place, and nobody else releases the app meanwhile.
 * @param before the apps that are locked first: two people who take the same locks in the same order wait for
 * each other, and never both
 */
export function lock(app: AppInCluster, before: Locked[]): Locked {
  const { among, settings, movable, wanted, templates } = app;
  const { weights, allowInPlaceUpdate, lockWaitSeconds } = settings;
  const configs = { blue: configOf(templates.blue), green: configOf(templates.green) };
  return {
    app,
    lock: app.step(
      "liveLock",
      { ...among, weights, route: movable, templates: wanted, configs, allowInPlaceUpdate, lockWaitSeconds },
      [...(app.ownNamespace === undefined ? [] : [app.ownNamespace]), ...before.map((each) => each.lock)],
    ),
  };
}

/** Last of all. */
export function unlock({ app, lock: { release } }: Locked, after: pulumi.Resource[]): void {
  const { context, namespace, namespacePerColor } = app.settings;
  const where = { context, namespace, namespacePerColor, app: app.name };
  app.step("releaseUnlock", { ...where, ...app.metadata, release }, after);
}

/**
 * The active color, once the lock has been asked about it and about the weights. Left out by --target it
 * still has the last update's, and then the order of the release, which follows both, would be another one
 * than that of the resources left out: Pulumi writes a state with both, which it refuses to read from then
 * on.
 */
export function confirmedColor({ app, lock: locked }: Locked): pulumi.Output<Color> {
  const { activeColor, weights } = app.settings;
  return pulumi.all([locked.activeColor, locked.weights]).apply(([color, lockedWeights]) => {
    if (color === activeColor && sameWeights(lockedWeights, weights)) return activeColor;
    const refusal = new UserError({
      code: "BG-LOCK-LEFT-OUT",
      what: `This update leaves out the lock on the live color, and ${color === activeColor ? `weights change from ${formatWeights(lockedWeights)} to ${formatWeights(weights)}` : `activeColor changes from ${color} to ${activeColor}`}`,
      rule: "a switch has gates, and --target or --exclude would go around them",
      next: "pulumi up, without --target or --exclude",
    });
    throw new pulumi.RunError(refusal.message);
  });
}

/** The names of the objects that a color's variables are in, the user's own among them. */
function configOf({ container }: ColorTemplate): string[] {
  return sourcesOf(container);
}
