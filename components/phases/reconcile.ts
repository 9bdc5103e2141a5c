import type * as pulumi from "@pulumi/pulumi";
import { otherColor } from "@bluegreen/release/app/color";
import { listContracts } from "@bluegreen/release/migrations/files";
import { AppColor } from "../appColor";
import type { AppRoute } from "../appRoute";
import type { ReleaseStep } from "../dynamicStep";
import { migrateByCommand } from "../migrateByCommand";
import { gatesBeforeRollout, gatesBeforeScaleDown, gatesBeforeShift } from "../ownGates";
import { Shift } from "../shift";
import { makeRoute, type Switched } from "./switchTraffic";

/** An app of which all is as config wants it, the idle color included. */
export interface Reconciled extends Switched {
  route: AppRoute;
  /** Undefined where the app has no database to note it in. */
  record: ReleaseStep<"switchRecord"> | undefined;
  /** By the app's own command, for the idle color. */
  migratedIdle: pulumi.Resource[];
  /** What contract migrations have to wait for. */
  switched: pulumi.Resource[];
  last: pulumi.Resource[];
}

export interface ReconcileArgs {
  everywhere: Switched[];
  /**
   * What other clusters have reconciled already: they may share a database, which notes one switch at a time.
   */
  before: Reconciled[];
}

/**
 * The switch is noted, when all traffic has moved, and the color that it has left, or was never on,
 * is brought in line.
 */
export function reconcile(switched: Switched, { everywhere, before }: ReconcileArgs): Reconciled {
  const { app, controller } = switched;
  const { name, settings, templates } = app;
  const { activeColor, traffic } = settings;
  const idleColor = otherColor(activeColor);
  const record =
    app.database &&
    app.step(
      "switchRecord",
      {
        ...app.database,
        color: activeColor,
        version: app.tagOf(activeColor),
        template: templates[activeColor].hash,
      },
      [...everywhere.flatMap(({ moved }) => moved), ...before.flatMap((each) => each.record ?? [])],
    );
  const recorded = record === undefined ? [] : [record];
  const left = everywhere.flatMap((each) => each.left);
  const isDeployed = app.wanted[idleColor] !== null;
  const passed = isDeployed ? gatesBeforeRollout(app, idleColor, left) : gatesBeforeScaleDown(app, left);
  const migratedIdle = isDeployed
    ? migrateByCommand(app, idleColor, [...left, ...passed, ...before.flatMap((each) => each.migratedIdle)])
    : [];
  const idle = new AppColor(
    name,
    {
      color: idleColor,
      settings,
      template: templates[idleColor],
      after: [...left, ...passed, ...migratedIdle],
    },
    app.within,
  );
  const { context, namespace, namespacePerColor } = settings;
  const { guard } = switched;
  const guarded =
    guard === undefined
      ? []
      : [
          app.step("liveGuardEnd", { context, namespace, namespacePerColor, app: name, guard: guard.guard }, [
            idle,
          ]),
        ];
  const last: pulumi.Resource[] = [...recorded, idle, ...guarded];
  let { route } = switched;
  if (route === undefined) {
    const shift = new Shift(
      name,
      {
        settings,
        route: traffic.router,
        template: templates[idleColor],
        controller: controller.isThere,
        after: [
          ...controller.resources,
          ...idle.gates,
          ...guarded,
          ...gatesBeforeShift(app, [...idle.gates, ...guarded]),
        ],
      },
      { parent: app },
    );
    route = makeRoute(app, shift.gate.switchId, shift.gate);
    last.push(shift.analyze(route));
  }
  if (app.autoscaled)
    last.push(app.step("sizeReconcile", { ...app.where, standbyHours: settings.standbyHours }, [...last]));
  return {
    ...switched,
    route,
    record,
    migratedIdle,
    switched: [...recorded, idle.deployment, ...idle.gates],
    last,
  };
}

/** What no version uses any more goes, where config says so. */
export function contract({ app }: Reconciled, after: pulumi.Resource[]): pulumi.Resource[] {
  const {
    migrationsDir: folder,
    contractMigration,
    contractDelayHours: afterHours,
    terminationGracePeriodSeconds,
  } = app.settings;
  if (contractMigration === undefined || app.database === undefined) return [];
  return [
    app.step(
      "contract",
      {
        ...app.database,
        ...app.among,
        templates: app.wanted,
        folder,
        migrations: listContracts(folder, contractMigration),
        afterHours,
        goneWithinSeconds: 2 * terminationGracePeriodSeconds,
      },
      after,
    ),
  ];
}
