import { createHash, scryptSync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { ConfigMap, Secret } from "@pulumi/kubernetes/core/v1";
import { colors, type Color } from "@bluegreen/release/color";
import { homeOf } from "@bluegreen/release/homes";
import { names } from "@bluegreen/release/names";
import type { Settings } from "@bluegreen/release/settings/settings";
import { resourceName } from "./resourceName";

/** Variables of a color's pods, and the name of the object that holds them. */
interface Variables {
  name: string;
  data: Record<string, string>;
}

/** What the settings give a color's pods to know; either is absent where there is nothing to hold. */
export interface ColorConfig {
  configMap: Variables | undefined;
  secret: Variables | undefined;
}

/**
 * The variables of a color, in objects that never change: other content has another name. So the
 * pods of a color keep the config that they were started with, restarts included, for as long as
 * their template names it, and the previous settings give the previous names.
 */
export function colorConfig(app: string, color: Color, settings: Settings): ColorConfig {
  const { environment, secretEnvironment } = settings.colors[color];
  const named = (data: Record<string, string>, hash: (text: string) => Buffer): Variables | undefined => {
    if (Object.keys(data).length === 0) return undefined;
    // Sorted: the order of the stack file's lines is not content.
    const text = JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
    return { name: names.config(app, color, hash(text).toString("hex").slice(0, hashLength)), data };
  };
  return {
    configMap: named(environment, (text) => createHash("sha256").update(text).digest()),
    secret: named(secretEnvironment, (text) => slowHash(text, `${settings.namespace}/${app}-${color}`)),
  };
}

const hashLength = 12;

/**
 * A name shows in previews, state and to everybody who may list pods. What an onlooker can learn
 * from this one: that the secret variables of the color are other ones than before, and whether a
 * guess at *all* of them together is right, for a tenth of a second and 32 MiB each. So keys that
 * nobody can guess stay what they are, and so does a weak password beside one of them. A keyed hash
 * would give away less, but the key would have to be kept somewhere: where it is lost, the previous
 * settings no longer give the previous name.
 */
function slowHash(text: string, salt: string): Buffer {
  return scryptSync(text, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 });
}

export interface ColorConfigArgs {
  settings: Settings;
  configs: Record<Color, ColorConfig>;
  /** What has to be done before there is anything. */
  after: pulumi.Resource[];
}

/**
 * Makes the objects of both colors. Pulumi knows them by their whole names, too: with other content
 * there is a new resource, before anything uses it, and the old one goes as what no program asks for
 * any more goes, at the end of an update in which all else has succeeded, the gate that waits for the
 * last old pod included. Replaced under one name, an old one that is taken up again after a failed
 * release could be deleted as its own predecessor.
 */
export class ColorConfigs extends pulumi.ComponentResource {
  readonly objects: pulumi.Resource[] = [];

  constructor(app: string, { settings, configs, after }: ColorConfigArgs, options?: pulumi.ComponentResourceOptions) {
    const named = (name: string) => resourceName(settings, name);
    super("bluegreen:app:ColorConfigs", named(`${app}-config`), {}, options);
    const ordered = { parent: this, dependsOn: after };
    for (const color of colors) {
      const { configMap, secret } = configs[color];
      const namespace = homeOf(settings, color);
      const metadata = ({ name }: Variables) => ({ name, namespace, labels: { app, version: color } });
      if (configMap !== undefined) this.objects.push(new ConfigMap(named(configMap.name), { metadata: metadata(configMap), immutable: true, data: configMap.data }, ordered));
      if (secret !== undefined) this.objects.push(new Secret(named(secret.name), { metadata: metadata(secret), immutable: true, stringData: pulumi.secret(secret.data) }, ordered));
    }
    this.registerOutputs();
  }
}
