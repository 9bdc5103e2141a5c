import * as pulumi from "@pulumi/pulumi";
import { otherColor } from "@bluegreen/release/color";
import { names } from "@bluegreen/release/names";
import { analysisSettings, type AnalysisSettings } from "@bluegreen/release/releases/analysisSettings";
import type { RouteKind } from "@bluegreen/release/route/route";
import type { Settings } from "@bluegreen/release/settings/settings";
import { sizesOf } from "@bluegreen/release/settings/sizes";
import type { AppRoute } from "./appRoute";
import type { ColorTemplate } from "./podTemplate";
import { SwitchGate, Watch } from "./steps";

export interface ShareArgs {
  settings: Settings;
  /** Whose weights give it. */
  route: RouteKind;
  /** Of the color that gets it. */
  template: ColorTemplate;
  /** Whether a watcher in the cluster is configured. */
  watcher: boolean;
  /** What has to be done before: the gates of that color, and whoever watches on. */
  after: pulumi.Resource[];
}

/** A part of the users for the color beside the active one: the gate before it, and the watch of what they get. */
export class Share extends pulumi.ComponentResource {
  readonly gate: SwitchGate;
  private readonly users;
  private readonly analysis: AnalysisSettings;

  constructor(
    private readonly app: string,
    private readonly args: ShareArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    const name = names.share(app);
    super("bluegreen:app:Share", name, {}, options);
    const { settings, route, template, watcher, after } = args;
    const { context, namespace, isolation, activeColor, weights } = settings;
    const color = otherColor(activeColor);
    this.users = { context, namespace, isolation, app, color, share: weights[color], route };
    this.analysis = analysisSettings(settings, this.users);
    this.gate = new SwitchGate(
      `${name}-gate`,
      { ...this.users, image: template.image, template: template.hash, limits: this.analysis.limits, watcher, autoscaled: sizesOf(settings).maxReplicas > 0, contractsWaiting: [] },
      { parent: this, dependsOn: after },
    );
    this.registerOutputs();
  }

  /** @param route with the weights that give it */
  watch(route: AppRoute): Watch {
    return new Watch(`${names.share(this.app)}-watch`, { ...this.users, ...this.analysis, together: this.args.settings.together, switchId: this.gate.switchId, watcher: this.args.watcher }, { parent: this, dependsOn: route.objects });
  }
}
