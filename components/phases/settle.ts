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
  /** Undefined where the app has no database to note it in. */
  record: SwitchRecord | undefined;
  /** What contract migrations have to wait for. */
  switched: pulumi.Resource[];
  last: pulumi.Resource[];
}

export interface SettleArgs {
  everywhere: Switched[];
  /** What other clusters have settled already: they may share a database, which notes one switch at a time. */
  before: Settled[];
}

/** The switch is noted, when the last users have moved, and the color that they have left, or never had, is brought in line. */
export function settle(switched: Switched, { everywhere, before }: SettleArgs): Settled {
  const { app, watcher } = switched;
  const { name, settings, templates } = app;
  const { activeColor, traffic } = settings;
  const idleColor = otherColor(activeColor);
  const record =
    app.database &&
    new SwitchRecord(
      app.named("switch"),
      { ...app.database, color: activeColor, version: app.tagOf(activeColor), template: templates[activeColor].hash },
      app.after([...everywhere.flatMap(({ moved }) => moved), ...before.flatMap((each) => each.record ?? [])]),
    );
  const recorded = record === undefined ? [] : [record];
  const idle = new AppColor(name, { color: idleColor, settings, template: templates[idleColor], after: everywhere.flatMap(({ left }) => left) }, app.within);
  const last: pulumi.Resource[] = [...recorded, idle];
  let { route } = switched;
  if (route === undefined) {
    const share = new Share(name, { settings, route: traffic.route, template: templates[idleColor], watcher: watcher.isThere, after: [...watcher.resources, ...idle.gates] }, { parent: app });
    route = leadIn(app, share.gate.switchId, share.gate);
    last.push(share.watch(route));
  }
  if (app.autoscaled) last.push(new SizeSettle(app.named("size-settle"), { ...app.where, standbyHours: settings.watch.standbyHours }, app.after([...last])));
  return { ...switched, route, record, switched: [...recorded, idle.deployment, ...idle.gates], last };
}

/** What no version uses any more goes, where config says so. */
export function contract({ app }: Settled, after: pulumi.Resource[]): pulumi.Resource[] {
  const { migrationsFolder: folder, contractVersion, contractAfterHours: afterHours, terminationGraceSeconds } = app.settings;
  if (contractVersion === undefined || app.database === undefined) return [];
  return [
    new Contract(
      app.named("contract"),
      { ...app.database, ...app.among, templates: app.wanted, folder, migrations: listContracts(folder, contractVersion), afterHours, goneWithinSeconds: 2 * terminationGraceSeconds },
      app.after(after),
    ),
  ];
}
