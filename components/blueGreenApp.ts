import * as pulumi from "@pulumi/pulumi";
import type { BlueGreenAppArgs } from "./args";
import { release } from "./release";
import { readSettings } from "./settings";

/**
 * A web app in two colors, one of which has the users, with everything that it takes to move them:
 * gates, migrations, watch and the way back. For any HTTP app: what is asked of its image stands in
 * docs/own-app.md.
 *
 * ```ts
 * const shop = new BlueGreenApp("shop", {
 *   imageRepository: "ghcr.io/you/shop",
 *   host: "shop.example.com",
 *   http: { port: 8080, healthPath: "/healthz", readyPath: "/readyz" },
 *   database: { strategy: "none" },
 * });
 * export const liveColor = shop.liveColor;
 * ```
 *
 * What a release changes is config: `pulumi config set shop:activeColor green && pulumi up`.
 */
export class BlueGreenApp extends pulumi.ComponentResource {
  /** The color that has the users: blue or green; none before the first release, and mixed where clusters do not agree. */
  readonly liveColor: pulumi.Output<string>;
  /** The newest migration that the database has; none where there is none. */
  readonly schemaVersion: pulumi.Output<string>;
  /** Password of the color paths. Secret. */
  readonly previewPassword: pulumi.Output<string>;
  /** Token of the previews by header and cookie. Secret in the state; in the cluster, whoever may read the way in reads it. */
  readonly previewToken: pulumi.Output<string>;

  /**
   * @param name of the app: its objects in the cluster are called after it, and its config begins with it
   * @param args what config need not say; where it does, config counts. Between them all that is required has to be there
   * @throws Refusal naming every setting that breaks its rule, before any resource is registered
   */
  constructor(name: string, args: Partial<BlueGreenAppArgs> = {}, options?: pulumi.ComponentResourceOptions) {
    const settings = readSettings(name, args);
    super("bluegreen:app:Release", name, {}, options);
    const { liveColor, schemaVersion, previewPassword, previewToken } = release(name, settings, { parent: this });
    this.liveColor = liveColor;
    this.schemaVersion = schemaVersion;
    this.previewPassword = previewPassword;
    this.previewToken = previewToken;
    this.registerOutputs({ liveColor, schemaVersion, previewPassword, previewToken });
  }
}
