import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/kubernetes/core/v1";
import { alertSecretData } from "@bluegreen/release/alerts/alertSecret";
import { appResources, quotaLimits } from "@bluegreen/release/capacity/room";
import { listMigrations } from "@bluegreen/release/migrations/files";
import { names } from "@bluegreen/release/names";
import { sizesOf } from "@bluegreen/release/settings/sizes";
import { AppColor } from "../appColor";
import type { AppInCluster } from "../appInCluster";
import { ColorConfigs } from "../colorConfig";
import { ColorDatabases } from "../colorDatabases";
import { DatabaseAccess } from "../databaseAccess";
import { Isolation } from "../isolation";
import { CapacityGate, Migrations, SwitchGate, Trial } from "../steps";
import { Watcher } from "../watcher";
import type { Locked } from "./lock";

/** An app whose active color has passed every gate; users are where they were. */
export interface Prepared extends Locked {
  /** Undefined where the app has no database. */
  migrations: Migrations | undefined;
  databases: ColorDatabases;
  watcher: Watcher;
  gate: SwitchGate;
  /** What users have to wait for. */
  gates: pulumi.Resource[];
  databaseAccess: DatabaseAccess | undefined;
}

export interface PrepareArgs {
  /** In every cluster. */
  locks: pulumi.Resource[];
  /** What other clusters have prepared already: the database may be the same. */
  before: Prepared[];
}

/** Room, config, schema, and the active color through all of its gates. */
export function prepare({ app, lock }: Locked, { locks, before }: PrepareArgs): Prepared {
  const { name, settings, where, among, users, wanted, templates, within } = app;
  const { activeColor, migrationsFolder } = settings;
  const isolation = new Isolation(name, settings, locks, within);
  const capacity = new CapacityGate(
    app.named("capacity"),
    { ...where, ...sizesOf(settings), templates: wanted, resources: appResources(settings), quota: settings.quota.enabled ? quotaLimits(settings) : {}, watcher: settings.watcherImage !== undefined },
    app.after([...locks, ...isolation.resources]),
  );
  const databaseAccess = makeAccess(app, [capacity], before[0]?.databaseAccess);
  const config = [...makeConfig(app, [capacity]), ...(databaseAccess === undefined ? [] : databaseAccess.secrets)];
  const activeConfirmed = lock.confirm(settings);
  const migrations =
    app.database &&
    new Migrations(
      app.named("migrations"),
      { ...app.database, ...among, activeColor: activeConfirmed, templates: wanted, folder: migrationsFolder, migrations: listMigrations(migrationsFolder, settings.schemaVersion) },
      app.after([capacity, ...config, ...before.flatMap((each) => each.migrations ?? [])]),
    );
  const databases = new ColorDatabases(name, { settings, templates: wanted }, { parent: app });
  const synced = databases.sync(migrations === undefined ? [capacity, ...config] : [migrations]);
  const active = new AppColor(name, { color: activeColor, settings, template: templates[activeColor], after: [...synced, ...tryOut(app, synced)] }, within);
  const watcher = new Watcher(name, settings, [capacity], within);
  const gate = new SwitchGate(
    app.named("switch-gate"),
    {
      ...where,
      ...users,
      image: templates[activeColor].image,
      template: templates[activeColor].hash,
      limits: settings.watch,
      watcher: watcher.isThere,
      autoscaled: app.autoscaled,
      // Without migrations this is what the lock on the live color is confirmed by.
      contractsWaiting: migrations?.waiting ?? activeConfirmed.apply((): string[] => []),
    },
    app.after([...active.gates, ...watcher.resources]),
  );
  return { app, lock, migrations, databases, watcher, gate, gates: [...active.gates, gate], databaseAccess };
}

/** A change of the live color, where config lets there be one, proves itself in a pod that no user reaches. */
function tryOut(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { settings, templates } = app;
  const { activeColor, allowLiveChange, minReadySeconds, rolloutBudgetSeconds, smokeSuite: suite, smokeBudgetSeconds } = settings;
  if (!allowLiveChange) return [];
  const { hash: template, spec: pod } = templates[activeColor];
  const inputs = { ...app.where, strategy: app.database?.strategy ?? null, template, pod, version: app.tagOf(activeColor), minReadySeconds, rolloutBudgetSeconds, suite, smokeBudgetSeconds };
  return [new Trial(app.named("trial"), inputs, app.after(after))];
}

/** The account that the program makes itself, where config lets it. */
function makeAccess({ name, settings, within }: AppInCluster, after: pulumi.Resource[], shared: DatabaseAccess | undefined): DatabaseAccess | undefined {
  return settings.databaseAccount && new DatabaseAccess(name, { settings, ...settings.databaseAccount, after, shared }, within);
}

/** What pods, and whoever is to be told, take from config by way of the cluster; other Secrets must be there before pods start. */
function makeConfig(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { name, settings, provider, templates, within } = app;
  const { namespace, alerts } = settings;
  const { objects } = new ColorConfigs(name, { settings, configs: { blue: templates.blue.config, green: templates.green.config }, after }, within);
  const made: pulumi.Resource[] = [...objects];
  const alertData = Object.entries(alertSecretData(alerts)).map(([key, value]) => [key, pulumi.secret(value)] as const);
  if (alertData.length > 0) made.push(new Secret(app.named("alerts"), { metadata: { name: names.alertsSecret(name), namespace }, stringData: Object.fromEntries(alertData) }, { parent: app, provider, dependsOn: after }));
  return made;
}
