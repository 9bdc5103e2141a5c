import * as pulumi from "@pulumi/pulumi";
import { otherColor } from "@bluegreen/release/color";
import { names } from "@bluegreen/release/names";
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

  constructor(
    private readonly app: string,
    private readonly args: ShareArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    const name = names.share(app);
    super("bluegreen:app:Share", name, {}, options);
    const { settings, route, template, watcher, after } = args;
    const { context, namespace, isolation, activeColor, weights, watch, shareSeconds, contractAfterHours } = settings;
    const color = otherColor(activeColor);
    this.users = { context, namespace, isolation, app, color, share: weights[color], route };
    const limits = { ...watch, seconds: shareSeconds, everySeconds: Math.max(1, Math.min(watch.everySeconds, Math.floor(shareSeconds / readings))) };
    this.gate = new SwitchGate(
      `${name}-gate`,
      { ...this.users, image: template.image, template: template.hash, limits, watcher, autoscaled: sizesOf(settings).maxReplicas > 0, database: null, contractsWaiting: [], contractAfterHours },
      { parent: this, dependsOn: after },
    );
    this.registerOutputs();
  }

  /** @param route with the weights that give it */
  watch(route: AppRoute): Watch {
    return new Watch(`${names.share(this.app)}-watch`, { ...this.users, together: this.args.settings.together, switchId: this.gate.switchId, watcher: this.args.watcher }, { parent: this, dependsOn: route.objects });
  }
}

/** The watch's own rule: fewer could never end it. */
const readings = 4;
