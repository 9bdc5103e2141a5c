import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes";
import { Namespace, Secret } from "@pulumi/kubernetes/core/v1";
import { alertSecretData } from "@bluegreen/release/alerts/alertSecret";
import { appResources, quotaLimits } from "@bluegreen/release/capacity/room";
import { colors, otherColor, type Color } from "@bluegreen/release/color";
import { listContracts, listMigrations } from "@bluegreen/release/migrations/files";
import { names } from "@bluegreen/release/names";
import type { Settings } from "@bluegreen/release/settings/settings";
import { sizesOf } from "@bluegreen/release/settings/sizes";
import { makeActiveService } from "./activeService";
import { AppColor } from "./appColor";
import { AppRoute } from "./appRoute";
import { ColorConfigs } from "./colorConfig";
import { ColorDatabases } from "./colorDatabases";
import { DatabaseAccess } from "./databaseAccess";
import { Isolation } from "./isolation";
import { colorTemplate, type ColorTemplate } from "./podTemplate";
import { ReadOnlyFence } from "./readOnlyFence";
import { Share } from "./share";
import { CapacityGate, Contract, Drain, LiveLock, Migrations, ReleaseUnlock, SizeSettle, SwitchGate, SwitchRecord, Trial, Watch } from "./steps";
import { Watcher } from "./watcher";

/**
 * An app in two colors, one of them live. The only place that knows the order of a release:
 *
 *     lock on the live color → isolation, room for both colors → config of both colors → expand migrations → trial of a live change
 *     → the active color rolls out → its schema and smoke gates → the gate of the switch
 *     → the active Service points to it → the route leads there → the watch, and the drain of the
 *     other color → that one rolls out → its gates → contract migrations → unlock
 *
 * The color that config makes active always comes first. So a switch moves traffic only after its
 * gates, and a rollback moves it away from a bad color before that one is touched. Where config gives
 * the other color a share of the users, the route comes after that color's gates, and a watch of its own.
 */
export class BlueGreenApp extends pulumi.ComponentResource {
  readonly liveColor: pulumi.Output<string>;
  readonly schemaVersion: pulumi.Output<string>;
  readonly previewPassword: pulumi.Output<string>;

  constructor(app: string, settings: Settings, options?: pulumi.ComponentResourceOptions) {
    super("bluegreen:app:BlueGreenApp", app, {}, options);
    const { namespace, context, activeColor, weights, traffic, migrationsFolder } = settings;
    // Changed in place: to replace a Secret by its name is to delete it first, and pods that start meanwhile miss it.
    const provider = new Provider(app, { ...(context !== "" && { context }), enableServerSideApply: true, enableSecretMutable: true }, { parent: this });
    const within = { parent: this, providers: [provider] };

    const home = new Namespace(app, { metadata: { name: namespace, labels: podSecurity } }, { parent: this, provider, protect: !settings.allowDelete });
    const templates = {
      blue: colorTemplate(app, "blue", tagOf(settings, "blue"), settings),
      green: colorTemplate(app, "green", tagOf(settings, "green"), settings),
    };

    const where = { context, namespace, app, activeColor };
    const movable = traffic.mode === "route" ? traffic.route : null;
    const wanted = { blue: deployed(settings, "blue", templates.blue.hash), green: deployed(settings, "green", templates.green.hash) };
    const configs = { blue: configOf(templates.blue), green: configOf(templates.green) };
    const { allowLiveChange, lockWaitSeconds } = settings;
    const autoscaled = sizesOf(settings).maxReplicas > 0;
    const lock = new LiveLock(`${app}-live-lock`, { ...where, weights, route: movable, templates: wanted, configs, allowLiveChange, lockWaitSeconds }, { parent: this, dependsOn: home });
    const isolation = new Isolation(app, settings, [lock], within);
    const capacity = new CapacityGate(
      `${app}-capacity`,
      { ...where, ...sizesOf(settings), templates: wanted, resources: appResources(settings), quota: settings.quota.enabled ? quotaLimits(settings) : {}, watcher: settings.watcherImage !== undefined },
      { parent: this, dependsOn: [lock, ...isolation.resources] },
    );
    const config = this.makeConfig(app, settings, templates, [capacity], provider);
    const database = { ...where, strategy: settings.database.strategy };
    const migrations = new Migrations(
      `${app}-migrations`,
      { ...database, activeColor: lock.confirm(settings), templates: wanted, folder: migrationsFolder, migrations: listMigrations(migrationsFolder, settings.schemaVersion) },
      { parent: this, dependsOn: [capacity, ...config] },
    );

    const databases = new ColorDatabases(app, { settings, templates: wanted }, { parent: this });
    const synced = databases.sync([migrations]);
    const trial = new Trial(
      `${app}-trial`,
      {
        ...database,
        template: templates[activeColor].hash,
        pod: templates[activeColor].spec,
        version: tagOf(settings, activeColor),
        allowLiveChange,
        minReadySeconds: settings.minReadySeconds,
        rolloutBudgetSeconds: settings.rolloutBudgetSeconds,
        suite: settings.smokeSuite,
        smokeBudgetSeconds: settings.smokeBudgetSeconds,
      },
      { parent: this, dependsOn: synced },
    );
    const active = new AppColor(app, { color: activeColor, settings, template: templates[activeColor], after: [...synced, trial] }, within);
    const watcher = new Watcher(app, settings, [capacity], within);
    const users = { color: activeColor, share: 100, route: movable };
    const gate = new SwitchGate(
      `${app}-switch-gate`,
      {
        ...where,
        ...users,
        image: templates[activeColor].image,
        template: templates[activeColor].hash,
        limits: settings.watch,
        watcher: watcher.isThere,
        autoscaled,
        database: databases.handoverSettings(),
        contractsWaiting: migrations.waiting,
        contractAfterHours: settings.contractAfterHours,
      },
      { parent: this, dependsOn: [...active.gates, ...watcher.resources] },
    );
    const fence = new ReadOnlyFence(app, settings, { parent: this });
    const activeService = makeActiveService(
      app,
      { settings, templates, switchId: gate.switchId },
      { parent: this, provider, dependsOn: databases.handOver(fence.raise([...active.gates, gate])) },
    );
    const idleColor = otherColor(activeColor);
    const leadIn = (switchId: pulumi.Output<string>, after: pulumi.Resource) => new AppRoute(app, { settings, switchId, after: [after] }, within);
    let route = weights[idleColor] === 0 ? leadIn(gate.switchId, activeService) : undefined;
    // Without weights the way in stays as it is: users have arrived with the Service.
    const arrived = movable === null || route === undefined ? [activeService] : [activeService, ...route.objects];
    const writing = fence.lower(arrived);
    const moved = databases.settle(arrived);
    const watched = new Watch(`${app}-watch`, { ...where, ...users, switchId: gate.switchId, watcher: watcher.isThere }, { parent: this, dependsOn: [...moved, ...writing] });
    const drained = this.drain(app, settings, gate.switchId, [...moved, ...writing]);
    const switched = new SwitchRecord(
      `${app}-switch`,
      { ...database, color: activeColor, version: tagOf(settings, activeColor), template: templates[activeColor].hash },
      { parent: this, dependsOn: moved },
    );
    const idle = new AppColor(app, { color: idleColor, settings, template: templates[idleColor], after: [watched, ...drained] }, within);
    const last: pulumi.Resource[] = [switched, idle];
    if (route === undefined) {
      const share = new Share(app, { settings, route: traffic.route, template: templates[idleColor], watcher: watcher.isThere, after: [...watcher.resources, ...idle.gates] }, { parent: this });
      route = leadIn(share.gate.switchId, share.gate);
      last.push(share.watch(route));
    }
    if (autoscaled) last.push(new SizeSettle(`${app}-size-settle`, { ...where, standbyHours: settings.watch.standbyHours }, { parent: this, dependsOn: [...last] }));
    if (settings.contractVersion !== undefined) {
      const contract = new Contract(
        `${app}-contract`,
        {
          ...database,
          templates: wanted,
          folder: migrationsFolder,
          migrations: listContracts(migrationsFolder, settings.contractVersion),
          afterHours: settings.contractAfterHours,
          goneWithinSeconds: 2 * settings.terminationGraceSeconds,
        },
        { parent: this, dependsOn: [switched, idle.deployment, ...idle.gates] },
      );
      last.push(contract);
    }
    new ReleaseUnlock(`${app}-release-unlock`, { context, namespace, app, release: lock.release }, { parent: this, dependsOn: last });

    this.liveColor = activeService.spec.selector.apply((selector) => selector["version"] ?? "none");
    this.schemaVersion = migrations.schemaVersion;
    this.previewPassword = route.previewPassword;
    this.registerOutputs();
  }

  /** Beside the watch: a way back does not wait for it. None where the other color keeps a share of the users. */
  private drain(app: string, { context, namespace, activeColor, weights, drain: { seconds } }: Settings, switchId: pulumi.Input<string>, after: pulumi.Resource[]): pulumi.Resource[] {
    if (seconds === 0 || weights[otherColor(activeColor)] > 0) return [];
    return [new Drain(`${app}-drain`, { context, namespace, app, activeColor, switchId, seconds }, { parent: this, dependsOn: after })];
  }

  /** What pods, and whoever is to be told, take from config by way of the cluster; other Secrets must be there before pods start. */
  private makeConfig(app: string, { namespace, databaseAccount, alerts }: Settings, templates: Record<Color, ColorTemplate>, after: pulumi.Resource[], provider: Provider): pulumi.Resource[] {
    const within = { parent: this, providers: [provider] };
    const { objects } = new ColorConfigs(app, { namespace, configs: { blue: templates.blue.config, green: templates.green.config }, after }, within);
    const made: pulumi.Resource[] = [...objects];
    if (databaseAccount !== undefined) made.push(new DatabaseAccess(app, { namespace, ...databaseAccount, after }, within).secret);
    const alertData = Object.entries(alertSecretData(alerts)).map(([key, value]) => [key, pulumi.secret(value)] as const);
    if (alertData.length > 0) made.push(new Secret(`${app}-alerts`, { metadata: { name: names.alertsSecret(app), namespace }, stringData: Object.fromEntries(alertData) }, { parent: this, provider, dependsOn: after }));
    return made;
  }
}

/** No pod of this namespace may have more rights than the restricted standard leaves it. */
const podSecurity = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
};

/** A color that is not deployed still has a Deployment, at zero: with the other color's image, until it gets its own. */
function tagOf({ colors: each }: Settings, color: Color): string {
  const tag = each[color].tag ?? each[otherColor(color)].tag;
  if (tag === undefined) throw new Error(`neither ${colors.join(" nor ")} has a tag`);
  return tag;
}

/** The names of the objects that a color's variables are in. */
function configOf({ config: { configMap, secret } }: ColorTemplate): string[] {
  return [configMap, secret].flatMap((object) => (object === undefined ? [] : [object.name]));
}

function deployed({ colors: each }: Settings, color: Color, hash: string): string | null {
  return each[color].tag === undefined ? null : hash;
}
