import * as pulumi from "@pulumi/pulumi";
import { requireAppName } from "@bluegreen/release/app/names";
import type { BlueGreenAppArgs } from "./args";
import { settingsOf } from "./lateArgs";
import { release } from "./release";

/**
 * A web app in two colors, one of which gets production traffic, with everything that it takes to move it:
 * gates, migrations, analysis and rollback. For any HTTP app: what is asked of its image stands in
 * docs/getting-started.md. It is a function of its arguments: what of them is config is the program's to say.
 *
 * ```ts
 * const shop = new BlueGreenApp(
 *   "shop",
 *   configArgs("shop", {
 *     imageRepository: "ghcr.io/you/shop",
 *     host: "shop.example.com",
 *     http: { port: 8080, livenessPath: "/healthz", readinessPath: "/readyz" },
 *     database: { strategy: "none" },
 *   }),
 * );
 * export const liveColor = shop.liveColor;
 * ```
 *
 * Here a release is a change of config: `pulumi config set shop:activeColor green && pulumi up`.
 */
export class BlueGreenApp extends pulumi.ComponentResource {
  /**
   * The color that gets production traffic: blue or green; none before the first release, and mixed where clusters do
   * not agree.
   */
  readonly liveColor: pulumi.Output<string>;
  /** The newest migration that the database has; none where there is none. */
  readonly schemaVersion: pulumi.Output<string>;
  /** Password of the color paths. Secret. */
  readonly previewPassword: pulumi.Output<string>;
  /**
   * Token of the previews by header and cookie. Secret in the state; in the cluster, whoever may read the way
   * in reads it.
   */
  readonly previewToken: pulumi.Output<string>;
  /** Live color and schema of each of several clusters, by the names that clusters.targets gives them. */
  readonly clusters: Record<string, Record<"liveColor" | "schemaVersion", pulumi.Output<string>>>;

  /**
   * @param name of the app: its objects in the cluster are called after it
   * @throws UserError naming every argument that breaks its rule, before any resource is registered
   */
  constructor(name: string, args: BlueGreenAppArgs, options?: pulumi.ComponentResourceOptions) {
    requireAppName(name);
    const settings = settingsOf(name, args);
    super("bluegreen:index:BlueGreenApp", name, {}, options);
    const released = release(name, settings, { parent: this });
    this.liveColor = released.liveColor;
    this.schemaVersion = released.schemaVersion;
    this.previewPassword = released.previewPassword;
    this.previewToken = released.previewToken;
    this.clusters = released.clusters;
    this.registerOutputs({ ...released });
  }
}
