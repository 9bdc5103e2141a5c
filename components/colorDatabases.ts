import * as pulumi from "@pulumi/pulumi";
import type { Templates } from "@bluegreen/release/migrations/versions";
import { handoverSettings } from "@bluegreen/release/config/analysisSettings";
import { listMigrations } from "@bluegreen/release/migrations/files";
import { makeStep } from "./dynamicStep";
import type { AppSettings } from "./lateArgs";
import { resourceName } from "./resourceName";

export interface ColorDatabasesArgs {
  settings: AppSettings;
  templates: Templates;
}

/**
 * Where each color has a database of its own: the steps that keep the two together, to be put at
 * their places in the release. With a shared database there are none. Each takes what has to be
 * done before it, and returns what has to be waited for.
 */
export class ColorDatabases extends pulumi.ComponentResource {
  constructor(
    private readonly app: string,
    private readonly args: ColorDatabasesArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("bluegreen:index:ColorDatabases", resourceName(args.settings, `${app}-databases`), {}, options);
    this.registerOutputs();
  }

  /** Before pods start. */
  sync(after: pulumi.Resource[]): pulumi.Resource[] {
    const inputs = this.inputs();
    if (inputs === undefined) return after;
    const { migrationsDir: folder, schemaVersion } = this.args.settings;
    return [
      makeStep(
        "databaseSync",
        this.app,
        { ...inputs, folder, migrations: listMigrations(folder, schemaVersion) },
        this.ordered(after),
      ),
    ];
  }

  /** Right before traffic moves. */
  handOver(after: pulumi.Resource[]): pulumi.Resource[] {
    const inputs = this.inputs();
    return inputs === undefined
      ? after
      : [...after, makeStep("databaseHandover", this.app, inputs, this.ordered(after))];
  }

  /** Right after. */
  reconcile(after: pulumi.Resource[]): pulumi.Resource[] {
    const inputs = this.inputs();
    return inputs === undefined
      ? after
      : [...after, makeStep("databaseReconcile", this.app, inputs, this.ordered(after))];
  }

  private inputs() {
    const handover = handoverSettings(this.args.settings);
    if (handover === null) return undefined;
    const { settings, templates } = this.args;
    const { context, namespace, namespacePerColor, activeColor } = settings;
    return { context, namespace, namespacePerColor, app: this.app, activeColor, templates, ...handover };
  }

  private ordered(after: pulumi.Resource[]): pulumi.CustomResourceOptions {
    return { parent: this, dependsOn: after };
  }
}
