import type * as pulumi from "@pulumi/pulumi";
import { otherColor } from "@bluegreen/release/color";
import { listContracts } from "@bluegreen/release/migrations/files";
import { AppColor } from "../appColor";
import type { AppRoute } from "../appRoute";
import { Share } from "../share";
import { Contract, SizeSettle, SwitchRecord } from "../steps";
import { leadIn, type Switched } from "./switchUsers";

/** An app of which all is as config wants it, the color without users included. */
export interface Settled extends Switched {
  route: AppRoute;
  /** What contract migrations have to wait for. */
  switched: pulumi.Resource[];
  last: pulumi.Resource[];
}

/** The switch is noted, and the color that users have left, or never had, is brought in line. */
export function settle(moved: Switched): Settled {
  const { app, watcher } = moved;
  const { name, settings, templates } = app;
  const { activeColor, traffic } = settings;
  const idleColor = otherColor(activeColor);
  const switched = new SwitchRecord(
    `${name}-switch`,
    { ...app.database, color: activeColor, version: app.tagOf(activeColor), template: templates[activeColor].hash },
    app.after(moved.moved),
  );
  const idle = new AppColor(name, { color: idleColor, settings, template: templates[idleColor], after: moved.left }, app.within);
  const last: pulumi.Resource[] = [switched, idle];
  let { route } = moved;
  if (route === undefined) {
    const share = new Share(name, { settings, route: traffic.route, template: templates[idleColor], watcher: watcher.isThere, after: [...watcher.resources, ...idle.gates] }, { parent: app });
    route = leadIn(app, share.gate.switchId, share.gate);
    last.push(share.watch(route));
  }
  if (app.autoscaled) last.push(new SizeSettle(`${name}-size-settle`, { ...app.where, standbyHours: settings.watch.standbyHours }, app.after([...last])));
  return { ...moved, route, switched: [switched, idle.deployment, ...idle.gates], last };
}

/** What no version uses any more goes, where config says so. */
export function contract({ app, switched }: Settled): pulumi.Resource[] {
  const { migrationsFolder: folder, contractVersion, contractAfterHours: afterHours, terminationGraceSeconds } = app.settings;
  if (contractVersion === undefined) return [];
  return [
    new Contract(
      `${app.name}-contract`,
      { ...app.database, templates: app.wanted, folder, migrations: listContracts(folder, contractVersion), afterHours, goneWithinSeconds: 2 * terminationGraceSeconds },
      app.after(switched),
    ),
  ];
}
