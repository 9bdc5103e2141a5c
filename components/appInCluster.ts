import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes";
import { Namespace } from "@pulumi/kubernetes/core/v1";
import { colors, otherColor, type Color } from "@bluegreen/release/color";
import { podSecurity } from "@bluegreen/release/homes";
import { analysisSettings } from "@bluegreen/release/releases/analysisSettings";
import { movedRoute } from "@bluegreen/release/route/route";
import type { Settings } from "@bluegreen/release/settings/settings";
import { sizesOf } from "@bluegreen/release/settings/sizes";
import { colorTemplate, type ColorTemplate } from "./podTemplate";
import { resourceName } from "./resourceName";

/** An app in two colors in one cluster, one of them live: what every phase of its release builds on. */
export class AppInCluster extends pulumi.ComponentResource {
  readonly provider: Provider;
  /** Undefined where somebody else makes the namespace. */
  readonly home: Namespace | undefined;
  readonly templates: Record<Color, ColorTemplate>;
  /** Hash of each color's wanted pod template; null for a color that is not deployed. */
  readonly wanted: Record<Color, string | null>;
  readonly autoscaled: boolean;

  constructor(
    readonly name: string,
    readonly settings: Settings,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("bluegreen:app:BlueGreenApp", resourceName(settings, name), {}, options);
    const { namespace, makeNamespaces, context, allowDelete } = settings;
    this.provider = new Provider(
      resourceName(settings, name),
      {
        // Found as kubectl finds it. Left out, the SDK takes KUBECONFIG's path into the state, and who comes by another one replaces all there is (decision 022).
        kubeconfig: "",
        ...(context !== "" && { context }),
        enableServerSideApply: true,
        // Changed in place: to replace a Secret by its name is to delete it first, and pods that start meanwhile miss it.
        enableSecretMutable: true,
      },
      { parent: this },
    );
    this.home = makeNamespaces ? new Namespace(resourceName(settings, name), { metadata: { name: namespace, labels: podSecurity } }, { parent: this, provider: this.provider, protect: !allowDelete }) : undefined;
    this.templates = {
      blue: colorTemplate(name, "blue", this.tagOf("blue"), settings),
      green: colorTemplate(name, "green", this.tagOf("green"), settings),
    };
    this.wanted = { blue: this.deployed("blue"), green: this.deployed("green") };
    this.autoscaled = sizesOf(settings).maxReplicas > 0;
    this.registerOutputs();
  }

  /** Where a step finds the app, and which color config wants to serve users. */
  get where() {
    const { context, namespace, isolation, activeColor } = this.settings;
    return { context, namespace, isolation, app: this.name, activeColor };
  }

  /** What a step needs that has to know of other clusters, too. */
  get among() {
    return { ...this.where, together: this.settings.together };
  }

  /** What a step needs that also reads the database; undefined where the app has none. */
  get database() {
    const { strategy } = this.settings.database;
    return strategy === "none" ? undefined : { ...this.where, strategy };
  }

  /** The users of the active color, as a gate and a watch name them. */
  get users() {
    return { color: this.settings.activeColor, share: 100, route: this.movable };
  }

  /** By what its users are watched, and how they are taken back. */
  get analysis() {
    return analysisSettings(this.settings, this.users);
  }

  /** Whose weights move; null where the active Service is all that does. */
  get movable() {
    return movedRoute(this.settings.traffic);
  }

  /** What Pulumi calls a step of the release. */
  named(step: string): string {
    return resourceName(this.settings, `${this.name}-${step}`);
  }

  /** Of a step: what belongs to it, and what has to be done before. */
  after(dependsOn: pulumi.Resource[]): pulumi.CustomResourceOptions {
    return { parent: this, dependsOn };
  }

  /** What consists of objects in the cluster. */
  get within(): pulumi.ComponentResourceOptions {
    return { parent: this, providers: [this.provider] };
  }

  /** A color that is not deployed still has a Deployment, at zero: with the other color's image, until it gets its own. */
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
