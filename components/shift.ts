import * as pulumi from "@pulumi/pulumi";
import { otherColor } from "@bluegreen/release/app/color";
import { names } from "@bluegreen/release/app/names";
import { analysisSettings, type AnalysisSettings } from "@bluegreen/release/config/analysisSettings";
import type { RouterName } from "@bluegreen/release/routers/routers";
import type { AppSettings } from "./lateArgs";
import { sizesOf } from "@bluegreen/release/config/room";
import type { AppRoute } from "./appRoute";
import { makeStep, type ReleaseStep } from "./dynamicStep";
import type { ColorTemplate } from "./podTemplate";

export interface ShiftArgs {
  settings: AppSettings;
  /** Whose weights give it. */
  route: RouterName;
  /** Of the color that gets it. */
  template: ColorTemplate;
  /** Whether an analysis controller is configured. */
  controller: boolean;
  /** What has to be done before: the gates of that color, and whatever continues the analysis. */
  after: pulumi.Resource[];
}

/**
 * A canary weight for the idle color: the gate before it, and the analysis of the traffic that it gets.
 */
export class Shift extends pulumi.ComponentResource {
  readonly gate: ReleaseStep<"switchGate">;
  private readonly move;
  private readonly analysis: AnalysisSettings;

  constructor(
    private readonly app: string,
    private readonly args: ShiftArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    const name = names.shift(app);
    super("bluegreen:index:Shift", name, {}, options);
    const { settings, route, template, controller, after } = args;
    const { context, namespace, namespacePerColor, activeColor, weights } = settings;
    const color = otherColor(activeColor);
    this.move = { context, namespace, namespacePerColor, app, color, weight: weights[color], route };
    this.analysis = analysisSettings(app, settings, this.move);
    this.gate = makeStep(
      "switchGate",
      name,
      {
        ...this.move,
        image: template.image,
        template: template.hash,
        limits: this.analysis.limits,
        controller,
        autoscaled: sizesOf(settings).maxReplicas > 0,
        contractsWaiting: [],
      },
      { parent: this, dependsOn: after },
    );
    this.registerOutputs();
  }

  /** @param route with the weights that give it */
  analyze(route: AppRoute): ReleaseStep<"analysis"> {
    return makeStep(
      "analysis",
      names.shift(this.app),
      {
        ...this.move,
        ...this.analysis,
        together: this.args.settings.together,
        switchId: this.gate.switchId,
        controller: this.args.controller,
      },
      { parent: this, dependsOn: route.objects },
    );
  }
}
