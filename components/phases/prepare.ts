import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/kubernetes/core/v1";
import { alertSecretData } from "@bluegreen/release/alerts/alertSecret";
import { appResources, quotaLimits } from "@bluegreen/release/capacity/room";
import { listMigrations } from "@bluegreen/release/migrations/files";
import { names } from "@bluegreen/release/names";
import { sizesOf } from "@bluegreen/release/settings/sizes";
import { AppColor } from "../appColor";
import type { BlueGreenApp } from "../blueGreenApp";
import { ColorConfigs } from "../colorConfig";
import { ColorDatabases } from "../colorDatabases";
import { DatabaseAccess } from "../databaseAccess";
import { Isolation } from "../isolation";
import { CapacityGate, Migrations, SwitchGate, Trial } from "../steps";
import { Watcher } from "../watcher";
import type { Locked } from "./lock";

/** An app whose active color has passed every gate; users are where they were. */
export interface Prepared extends Locked {
  migrations: Migrations;
  databases: ColorDatabases;
  watcher: Watcher;
  gate: SwitchGate;
  /** What users have to wait for. */
  gates: pulumi.Resource[];
}

/** Room, config, schema, and the active color through all of its gates. */
export function prepare({ app, lock }: Locked): Prepared {
  const { name, settings, where, users, wanted, templates, within } = app;
  const { activeColor, migrationsFolder } = settings;
  const isolation = new Isolation(name, settings, [lock], within);
  const capacity = new CapacityGate(
    `${name}-capacity`,
    { ...where, ...sizesOf(settings), templates: wanted, resources: appResources(settings), quota: settings.quota.enabled ? quotaLimits(settings) : {}, watcher: settings.watcherImage !== undefined },
    app.after([lock, ...isolation.resources]),
  );
  const config = makeConfig(app, [capacity]);
  const migrations = new Migrations(
    `${name}-migrations`,
    { ...app.database, activeColor: lock.confirm(settings), templates: wanted, folder: migrationsFolder, migrations: listMigrations(migrationsFolder, settings.schemaVersion) },
    app.after([capacity, ...config]),
  );
  const databases = new ColorDatabases(name, { settings, templates: wanted }, { parent: app });
  const synced = databases.sync([migrations]);
  const active = new AppColor(name, { color: activeColor, settings, template: templates[activeColor], after: [...synced, tryOut(app, synced)] }, within);
  const watcher = new Watcher(name, settings, [capacity], within);
  const gate = new SwitchGate(
    `${name}-switch-gate`,
    {
      ...where,
      ...users,
      image: templates[activeColor].image,
      template: templates[activeColor].hash,
      limits: settings.watch,
      watcher: watcher.isThere,
      autoscaled: app.autoscaled,
      database: databases.handoverSettings(),
      contractsWaiting: migrations.waiting,
      contractAfterHours: settings.contractAfterHours,
    },
    app.after([...active.gates, ...watcher.resources]),
  );
  return { app, lock, migrations, databases, watcher, gate, gates: [...active.gates, gate] };
}

/** A change of the live color proves itself in a pod that no user reaches. */
function tryOut(app: BlueGreenApp, after: pulumi.Resource[]): Trial {
  const { settings, templates } = app;
  const { activeColor, allowLiveChange, minReadySeconds, rolloutBudgetSeconds, smokeSuite: suite, smokeBudgetSeconds } = settings;
  const { hash: template, spec: pod } = templates[activeColor];
  return new Trial(
    `${app.name}-trial`,
    { ...app.database, template, pod, version: app.tagOf(activeColor), allowLiveChange, minReadySeconds, rolloutBudgetSeconds, suite, smokeBudgetSeconds },
    app.after(after),
  );
}

/** What pods, and whoever is to be told, take from config by way of the cluster; other Secrets must be there before pods start. */
function makeConfig(app: BlueGreenApp, after: pulumi.Resource[]): pulumi.Resource[] {
  const { name, provider, settings, templates, within } = app;
  const { namespace, databaseAccount, alerts } = settings;
  const { objects } = new ColorConfigs(name, { homes: settings, configs: { blue: templates.blue.config, green: templates.green.config }, after }, within);
  const made: pulumi.Resource[] = [...objects];
  if (databaseAccount !== undefined) made.push(...new DatabaseAccess(name, { homes: settings, ...databaseAccount, after }, within).secrets);
  const alertData = Object.entries(alertSecretData(alerts)).map(([key, value]) => [key, pulumi.secret(value)] as const);
  if (alertData.length > 0) made.push(new Secret(`${name}-alerts`, { metadata: { name: names.alertsSecret(name), namespace }, stringData: Object.fromEntries(alertData) }, { parent: app, provider, dependsOn: after }));
  return made;
}
