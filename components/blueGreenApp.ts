import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes";
import { Namespace, Service } from "@pulumi/kubernetes/core/v1";
import { colors, otherColor, type Color } from "@bluegreen/release/color";
import { listContracts, listMigrations } from "@bluegreen/release/migrations/files";
import { names } from "@bluegreen/release/names";
import type { Settings } from "@bluegreen/release/settings/settings";
import { AppColor, servicePorts, skipAwait } from "./appColor";
import { AppIngress } from "./appIngress";
import { ColorConfigs } from "./colorConfig";
import { ColorDatabases } from "./colorDatabases";
import { DatabaseAccess } from "./databaseAccess";
import { colorTemplate, type ColorTemplate } from "./podTemplate";
import { ReadOnlyFence } from "./readOnlyFence";
import { Contract, LiveLock, Migrations, SwitchRecord, Trial } from "./steps";

/**
 * An app in two colors, one of them live. The only place that knows the order of a release:
 *
 *     lock on the live color → config of both colors → expand migrations → trial of a live change
 *     → the active color rolls out → its schema and smoke gates
 *     → the active Service points to it → the other color rolls out → its gates → contract migrations
 *
 * The color that config makes active always comes first. So a switch moves traffic only after its
 * gates, and a rollback moves it away from a bad color before that one is touched.
 */
export class BlueGreenApp extends pulumi.ComponentResource {
  readonly liveColor: pulumi.Output<string>;
  readonly schemaVersion: pulumi.Output<string>;
  readonly previewPassword: pulumi.Output<string>;

  constructor(app: string, settings: Settings, options?: pulumi.ComponentResourceOptions) {
    super("bluegreen:app:BlueGreenApp", app, {}, options);
    const { namespace, context, activeColor, migrationsFolder } = settings;
    // Changed in place: to replace a Secret by its name is to delete it first, and pods that start meanwhile miss it.
    const provider = new Provider(app, { ...(context !== "" && { context }), enableServerSideApply: true, enableSecretMutable: true }, { parent: this });
    const within = { parent: this, providers: [provider] };

    const home = new Namespace(app, { metadata: { name: namespace, labels: podSecurity } }, { parent: this, provider });
    const templates = {
      blue: colorTemplate(app, "blue", tagOf(settings, "blue"), settings),
      green: colorTemplate(app, "green", tagOf(settings, "green"), settings),
    };

    const where = { context, namespace, app, activeColor };
    const wanted = { blue: deployed(settings, "blue", templates.blue.hash), green: deployed(settings, "green", templates.green.hash) };
    const configs = { blue: configOf(templates.blue), green: configOf(templates.green) };
    const { allowLiveChange } = settings;
    const lock = new LiveLock(`${app}-live-lock`, { ...where, templates: wanted, configs, allowLiveChange }, { parent: this, dependsOn: home });
    const config = this.makeConfig(app, settings, templates, [lock], within);
    const database = { ...where, strategy: settings.database.strategy };
    const migrations = new Migrations(
      `${app}-migrations`,
      { ...database, templates: wanted, folder: migrationsFolder, migrations: listMigrations(migrationsFolder, settings.schemaVersion) },
      { parent: this, dependsOn: [lock, ...config] },
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
    const fence = new ReadOnlyFence(app, settings, { parent: this });
    const activeService = new Service(
      names.activeService(app),
      {
        metadata: { name: names.activeService(app), namespace, labels: { app }, annotations: skipAwait },
        spec: { selector: templates[activeColor].labels, ports: servicePorts },
      },
      { parent: this, provider, dependsOn: databases.handOver(fence.raise(active.gates)) },
    );
    fence.lower([activeService]);
    const moved = databases.settle([activeService]);
    const switched = new SwitchRecord(
      `${app}-switch`,
      { ...database, color: activeColor, version: tagOf(settings, activeColor), template: templates[activeColor].hash },
      { parent: this, dependsOn: moved },
    );
    const idleColor = otherColor(activeColor);
    const idle = new AppColor(app, { color: idleColor, settings, template: templates[idleColor], after: moved }, within);
    if (settings.contractVersion !== undefined) {
      new Contract(
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
    }

    const ingress = new AppIngress(
      app,
      {
        settings,
        activeService: names.activeService(app),
        colorServices: { blue: names.colorService(app, "blue"), green: names.colorService(app, "green") },
        after: [activeService],
      },
      within,
    );

    this.liveColor = activeService.spec.selector.apply((selector) => selector["version"] ?? "none");
    this.schemaVersion = migrations.schemaVersion;
    this.previewPassword = ingress.previewPassword;
    this.registerOutputs();
  }

  /** What pods take their variables from and config gives the program to make; other Secrets must be there before pods start. */
  private makeConfig(app: string, { namespace, databaseAccount }: Settings, templates: Record<Color, ColorTemplate>, after: pulumi.Resource[], within: pulumi.ComponentResourceOptions): pulumi.Resource[] {
    const { objects } = new ColorConfigs(app, { namespace, configs: { blue: templates.blue.config, green: templates.green.config }, after }, within);
    return databaseAccount === undefined ? objects : [...objects, new DatabaseAccess(app, { namespace, ...databaseAccount, after }, within).secret];
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
