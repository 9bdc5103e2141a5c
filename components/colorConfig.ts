import { createHash, createHmac, scryptSync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { ConfigMap, Secret } from "@pulumi/kubernetes/core/v1";
import { colorLabels, names } from "@bluegreen/release/app/names";
import { colors, namespaceOf, type Color } from "@bluegreen/release/app/color";
import type { AppSettings } from "./lateArgs";
import { asHashed } from "./asHashed";
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
export function colorConfig(app: string, color: Color, settings: AppSettings): ColorConfig {
  const { env, secretEnv } = settings.colors[color];
  const named = (data: Record<string, string>, hash: (text: string) => Buffer): Variables | undefined => {
    if (Object.keys(data).length === 0) return undefined;
    // Sorted: the order of the stack file's lines is not content.
    const text = JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
    return { name: names.config(app, color, hash(text).toString("hex").slice(0, hashLength)), data };
  };
  return {
    configMap: named(env, (text) => createHash("sha256").update(text).digest()),
    secret: named(secretEnv, (text) => hashForColor(color, text, `${settings.namespace}/${app}`)),
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
function hashForColor(color: Color, text: string, salt: string): Buffer {
  const key = JSON.stringify([text, salt]);
  const slow = slowHashes.get(key) ?? scryptSync(text, salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 });
  slowHashes.set(key, slow);
  return createHmac("sha256", slow).update(color).digest();
}

/** Both colors, in each of several clusters, mostly have the same: each takes a tenth of an update's work. */
const slowHashes = new Map<string, Buffer>();

export interface ColorConfigArgs {
  settings: AppSettings;
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

  constructor(
    app: string,
    { settings, configs, after }: ColorConfigArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    const named = (name: string) => resourceName(settings, name);
    super("bluegreen:index:ColorConfigs", named(`${app}-config`), {}, options);
    const ordered = { parent: this, dependsOn: after };
    for (const color of colors) {
      const { configMap, secret } = configs[color];
      const namespace = namespaceOf(settings, color);
      const metadata = ({ name }: Variables) => ({ name, namespace, labels: colorLabels(app, color) });
      if (configMap !== undefined) {
        const name = named(configMap.name);
        const wanted = { metadata: metadata(configMap), immutable: true, data: configMap.data };
        this.objects.push(
          new ConfigMap(name, wanted, { ...ordered, ...asHashed("ConfigMap", name, wanted) }),
        );
      }
      if (secret !== undefined) {
        const name = named(secret.name);
        const wanted = {
          metadata: metadata(secret),
          immutable: true,
          stringData: pulumi.secret(secret.data),
        };
        this.objects.push(new Secret(name, wanted, { ...ordered, ...asHashed("Secret", name, wanted) }));
      }
    }
    this.registerOutputs();
  }
}
