import type * as pulumi from "@pulumi/pulumi";
import type { AppInCluster } from "../appInCluster";
import type { ColorTemplate } from "../podTemplate";
import { LiveLock, ReleaseUnlock } from "../steps";

/** An app whose live color is locked. */
export interface Locked {
  app: AppInCluster;
  lock: LiveLock;
}

/**
 * First of all: nothing that serves users changes in place, and nobody else releases the app meanwhile.
 * @param before the apps that are locked first: two people who take the same locks in the same order wait for each other, and never both
 */
export function lock(app: AppInCluster, before: Locked[]): Locked {
  const { among, settings, movable, wanted, templates } = app;
  const { weights, allowLiveChange, lockWaitSeconds } = settings;
  const configs = { blue: configOf(templates.blue), green: configOf(templates.green) };
  return {
    app,
    lock: new LiveLock(app.named("live-lock"), { ...among, weights, route: movable, templates: wanted, configs, allowLiveChange, lockWaitSeconds }, app.after([...(app.home === undefined ? [] : [app.home]), ...before.map((each) => each.lock)])),
  };
}

/** Last of all. */
export function unlock({ app, lock: { release } }: Locked, after: pulumi.Resource[]): void {
  const { context, namespace, isolation } = app.settings;
  new ReleaseUnlock(app.named("release-unlock"), { context, namespace, isolation, app: app.name, release }, app.after(after));
}

/** The names of the objects that a color's variables are in. */
function configOf({ config: { configMap, secret } }: ColorTemplate): string[] {
  return [configMap, secret].flatMap((object) => (object === undefined ? [] : [object.name]));
}
