import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/kubernetes/core/v1";
import type { Color } from "@bluegreen/release/app/color";
import { appLabels, names } from "@bluegreen/release/app/names";
import { alertSecretData } from "@bluegreen/release/alerts/alertSecret";
import { limitsOf } from "@bluegreen/release/config/analysisSettings";
import { quotaLimits, sizesOf } from "@bluegreen/release/config/room";
import { listMigrations } from "@bluegreen/release/migrations/files";
import { hasWorkers } from "@bluegreen/release/config/background";
import { makeActiveColor, withoutColorFile } from "../activeColorFile";
import { AppColor } from "../appColor";
import type { AppInCluster } from "../appInCluster";
import { ColorConfigs } from "../colorConfig";
import { ColorDatabases } from "../colorDatabases";
import { DatabaseAccess } from "../databaseAccess";
import { databaseRelay } from "../databaseRelay";
import type { ReleaseStep } from "../dynamicStep";
import type { ColorTemplate } from "../podTemplate";
import { Isolation } from "../isolation";
import { migrateByCommand } from "../migrateByCommand";
import { gatesBeforeRollout, gatesBeforeSwitch } from "../ownGates";
import { AnalysisController } from "../analysisController";
import { confirmedColor, type Locked } from "./lock";

/** An app whose active color has passed every gate; traffic is where it was. */
export interface Prepared extends Locked {
  /** Who observes the live color meanwhile; undefined where config wants no analysis. */
  guard: ReleaseStep<"liveGuard"> | undefined;
  /** Undefined where the app has no database. */
  migrations: ReleaseStep<"migrations"> | undefined;
  /** Done by the app's own command. */
  migrated: pulumi.Resource[];
  databases: ColorDatabases;
  controller: AnalysisController;
  gate: ReleaseStep<"switchGate">;
  /** What has to pass before traffic moves. */
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
export function prepare(locked: Locked, { locks, before }: PrepareArgs): Prepared {
  const { app } = locked;
  const { name, settings, where, among, move, wanted, templates, within } = app;
  const { activeColor, migrationsDir } = settings;
  const isolation = new Isolation(name, settings, locks, within);
  const capacity = app.step(
    "capacityGate",
    {
      ...where,
      ...sizesOf(settings),
      templates: wanted,
      pod: settings.pod,
      quota: settings.quota.enabled ? quotaLimits(settings) : {},
      controller: settings.analysis.controllerImage !== "",
      budgets: settings.podDisruptionBudget,
      ...roomOfWorkers(settings),
    },
    [...locks, ...isolation.resources],
  );
  const router = app.step(
    "routerGate",
    {
      ...where,
      template: templates[activeColor].hash,
      router: settings.traffic.router,
      ingressClass: settings.ingressClass ?? null,
    },
    locks,
  );
  const databaseAccess = makeAccess(app, [capacity], before[0]?.databaseAccess);
  const config = [
    ...makeConfig(app, [capacity]),
    ...(databaseAccess === undefined ? [] : databaseAccess.secrets),
  ];
  const guard = guardLive(app, [capacity, ...config]);
  const guarded = guard === undefined ? [] : [guard];
  const activeConfirmed = confirmedColor(locked);
  const migrations =
    app.database &&
    app.step(
      "migrations",
      {
        ...app.database,
        ...among,
        activeColor: activeConfirmed,
        templates: wanted,
        folder: migrationsDir,
        migrations: listMigrations(migrationsDir, settings.schemaVersion),
      },
      [capacity, ...config, ...guarded, ...before.flatMap((each) => each.migrations ?? [])],
    );
  const databases = new ColorDatabases(name, { settings, templates: wanted }, { parent: app });
  const synced = databases.sync(migrations === undefined ? [capacity, ...config, ...guarded] : [migrations]);
  const started = gatesBeforeRollout(app, activeColor, synced);
  const migrated = migrateByCommand(app, activeColor, [
    ...synced,
    ...started,
    ...before.flatMap((each) => each.migrated),
  ]);
  const ready = [...synced, ...started, ...migrated];
  const active = new AppColor(
    name,
    {
      color: activeColor,
      settings,
      template: templates[activeColor],
      after: [...ready, ...tryOut(app, ready)],
    },
    within,
  );
  const controller = new AnalysisController(name, settings, [capacity], within);
  const passed = [...active.gates, ...gatesBeforeSwitch(app, active.gates)];
  const gate = app.step(
    "switchGate",
    {
      ...where,
      ...move,
      image: templates[activeColor].image,
      template: templates[activeColor].hash,
      limits: limitsOf(name, settings),
      controller: controller.isThere,
      autoscaled: app.autoscaled,
      // Without migrations this is what the lock on the live color is confirmed by.
      contractsWaiting: migrations?.waiting ?? activeConfirmed.apply((): string[] => []),
    },
    [...passed, ...controller.resources],
  );
  const gates = [...passed, router, gate];
  return { ...locked, guard, migrations, migrated, databases, controller, gate, gates, databaseAccess };
}

/** Names of the workers that run beside the pods of an idle color, too. */
function onBoth({ workers }: ColorTemplate): string[] {
  return workers.flatMap(({ of: { name, runOn } }) => (runOn === "both" ? [name] : []));
}

/** Nothing where there are none: then the step is what it was. */
function roomOfWorkers({ pods }: AppInCluster["settings"]) {
  const of = (color: Color) =>
    pods[color].workers.map(({ name, runOn, overlap, replicas, pod }) => ({
      name,
      runOn,
      overlap,
      replicas,
      pod,
    }));
  const workers = { blue: of("blue"), green: of("green") };
  return hasWorkers(workers) ? { workers } : {};
}

/** From before the first migration until the idle color has passed its gates. */
function guardLive(app: AppInCluster, after: pulumi.Resource[]): ReleaseStep<"liveGuard"> | undefined {
  const { settings, where, wanted, database, templates } = app;
  const { analysis, migrationsDir, schemaVersion } = settings;
  if (analysis.durationSeconds === 0) return undefined;
  const migrations =
    database === undefined
      ? []
      : listMigrations(migrationsDir, schemaVersion).map(({ id, checksum }) => `${id} ${checksum}`);
  const limits = limitsOf(app.name, settings);
  const workers = { blue: onBoth(templates.blue), green: onBoth(templates.green) };
  const { smokeLiveColor, smokeTests, smokeEnv: suiteEnv, smokeTimeoutSeconds: budgetSeconds } = settings;
  const versions = { blue: app.tagOf("blue"), green: app.tagOf("green") };
  const suite = smokeLiveColor && { suite: { suite: smokeTests, suiteEnv, budgetSeconds, versions } };
  return app.step(
    "liveGuard",
    {
      ...where,
      templates: wanted,
      migrations,
      limits,
      ...(hasWorkers(workers) && { workers }),
      ...suite,
    },
    after,
  );
}

/**
 * A change of the live color, where config lets there be one, proves itself in a pod that no user reaches.
 */
function tryOut(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { settings, templates } = app;
  const {
    activeColor,
    allowInPlaceUpdate,
    minReadySeconds,
    progressDeadlineSeconds,
    smokeEnv: suiteEnv,
    smokeTests: suite,
    smokeTimeoutSeconds,
  } = settings;
  if (!allowInPlaceUpdate) return [];
  const { hash: template, spec, metadata } = templates[activeColor];
  const inputs = {
    ...app.where,
    ...app.metadata,
    strategy: app.database?.strategy ?? null,
    databaseSecret: settings.databaseSecret,
    ...(app.database !== undefined && databaseRelay(app.name, settings)),
    template,
    pod: withoutColorFile(spec),
    podAnnotations: metadata.annotations,
    version: app.tagOf(activeColor),
    minReadySeconds,
    progressDeadlineSeconds,
    suite,
    suiteEnv,
    smokeTimeoutSeconds,
  };
  return [app.step("preflight", inputs, after)];
}

/** The account that the program makes itself, where config lets it. */
function makeAccess(
  { name, settings, within }: AppInCluster,
  after: pulumi.Resource[],
  shared: DatabaseAccess | undefined,
): DatabaseAccess | undefined {
  return (
    settings.databaseAccount &&
    new DatabaseAccess(name, { settings, ...settings.databaseAccount, after, shared }, within)
  );
}

/**
 * What pods, and whoever is to be told, take from config by way of the cluster; other Secrets must be there
 * before pods start.
 */
function makeConfig(app: AppInCluster, after: pulumi.Resource[]): pulumi.Resource[] {
  const { name, settings, provider, templates, within } = app;
  const { namespace, alerts } = settings;
  const { objects } = new ColorConfigs(
    name,
    { settings, configs: { blue: templates.blue.config, green: templates.green.config }, after },
    within,
  );
  const made: pulumi.Resource[] = [
    ...objects,
    ...makeActiveColor(name, settings, { parent: app, provider, dependsOn: after }),
  ];
  const alertData = Object.entries(alertSecretData(alerts)).map(
    ([key, value]) => [key, pulumi.secret(value)] as const,
  );
  if (alertData.length > 0)
    made.push(
      new Secret(
        `${app.pulumiName}-alerts`,
        {
          metadata: { name: names.alertsSecret(name), namespace, labels: appLabels(name) },
          stringData: Object.fromEntries(alertData),
        },
        { parent: app, provider, dependsOn: after },
      ),
    );
  return made;
}
