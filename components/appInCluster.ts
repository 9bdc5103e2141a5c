import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes/provider";
import { Namespace } from "@pulumi/kubernetes/core/v1";
import { appLabels } from "@bluegreen/release/app/names";
import { colors, otherColor, podSecurity, type Color } from "@bluegreen/release/app/color";
import { analysisSettings } from "@bluegreen/release/config/analysisSettings";
import { askedDatabase } from "@bluegreen/release/migrations/ownMigrations";
import { movedRoute } from "@bluegreen/release/routers/routers";
import type { AppSettings } from "./lateArgs";
import { sizesOf } from "@bluegreen/release/config/room";
import type { StepName } from "@bluegreen/release/steps/registry";
import { databaseRelay } from "./databaseRelay";
import { makeStep, type ReleaseStep, type StepArgs } from "./dynamicStep";
import { colorTemplate, type ColorTemplate } from "./podTemplate";
import { withMetadata } from "./ownMetadata";
import { resourceName } from "./resourceName";

/** An app in two colors in one cluster, one of them live: what every phase of its release builds on. */
export class AppInCluster extends pulumi.ComponentResource {
  readonly provider: Provider;
  /** Undefined where somebody else makes the namespace. */
  readonly ownNamespace: Namespace | undefined;
  readonly templates: Record<Color, ColorTemplate>;
  /** Hash of each color's wanted pod template; null for a color that is not deployed. */
  readonly wanted: Record<Color, string | null>;
  readonly autoscaled: boolean;

  constructor(
    readonly name: string,
    readonly settings: AppSettings,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super(
      "bluegreen:index:AppInCluster",
      resourceName(settings, name),
      {},
      {
        ...options,
        transformations: [...(options?.transformations ?? []), ...withMetadata(settings)],
      },
    );
    const { namespace, createNamespaces, context, deletionProtection } = settings;
    this.provider = new Provider(
      this.pulumiName,
      {
        // Found as kubectl finds it. Left out, the SDK takes KUBECONFIG's path into the state, and who comes
        // by another one replaces all there is (decision 022).
        kubeconfig: "",
        ...(context !== "" && { context }),
        enableServerSideApply: true,
        // Changed in place: to replace a Secret by its name is to delete it first, and pods that start
        // meanwhile miss it.
        enableSecretMutable: true,
      },
      { parent: this },
    );
    this.ownNamespace = createNamespaces
      ? new Namespace(
          this.pulumiName,
          { metadata: { name: namespace, labels: { ...appLabels(name), ...podSecurity } } },
          { parent: this, provider: this.provider, protect: deletionProtection },
        )
      : undefined;
    this.templates = {
      blue: colorTemplate(name, "blue", this.tagOf("blue"), settings),
      green: colorTemplate(name, "green", this.tagOf("green"), settings),
    };
    this.wanted = { blue: this.deployed("blue"), green: this.deployed("green") };
    this.autoscaled = sizesOf(settings).maxReplicas > 0;
    this.registerOutputs();
  }

  /** Where a step finds the app, and which color config wants to serve traffic. */
  get where() {
    const { context, namespace, namespacePerColor, activeColor } = this.settings;
    return { context, namespace, namespacePerColor, app: this.name, activeColor };
  }

  /** What config gives every object, for a step that makes some. */
  get metadata() {
    const { labels, annotations } = this.settings;
    return { labels, annotations };
  }

  /** What a step needs that has to know of other clusters, too. */
  get among() {
    return { ...this.where, together: this.settings.together };
  }

  /** What a step needs that also reads the database; undefined where none is to be asked. */
  get database() {
    const strategy = askedDatabase(this.settings);
    if (strategy === undefined) return undefined;
    const { databaseSecret } = this.settings;
    return { ...this.where, strategy, databaseSecret, ...databaseRelay(this.name, this.settings) };
  }

  /** All traffic to the active color, as a gate and an analysis name it. */
  get move() {
    return { color: this.settings.activeColor, weight: 100, route: this.movable };
  }

  /** By what its traffic is analyzed, and how it is rolled back. */
  get analysis() {
    return analysisSettings(this.name, this.settings, this.move);
  }

  /** Whose weights move; null where the active Service is all that does. */
  get movable() {
    return movedRoute(this.settings.traffic);
  }

  get pulumiName(): string {
    return resourceName(this.settings, this.name);
  }

  /** A step of its release. @param dependsOn what has to be done before */
  step<Name extends StepName>(
    step: Name,
    args: StepArgs<Name>,
    dependsOn: pulumi.Resource[],
  ): ReleaseStep<Name> {
    return makeStep(step, this.pulumiName, args, { parent: this, dependsOn });
  }

  /** What consists of objects in the cluster. */
  get within(): pulumi.ComponentResourceOptions {
    return { parent: this, providers: [this.provider] };
  }

  /**
   * A color that is not deployed still has a Deployment, at zero: with the other color's image, until it gets
   * its own.
   */
  tagOf(color: Color): string {
    const each = this.settings.colors;
    const tag = each[color].tag ?? each[otherColor(color)].tag;
    if (tag === undefined) throw new Error(`neither ${colors.join(" nor ")} has a tag`);
    return tag;
  }

  private deployed(color: Color): string | null {
    return this.settings.colors[color].tag === undefined ? null : this.templates[color].hash;
  }
}
