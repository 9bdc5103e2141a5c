import { createHash, createHmac } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { ConfigMap, Secret } from "@pulumi/kubernetes/core/v1";
import { colorLabels, names } from "@bluegreen/release/app/names";
import { colors, namespaceOf, type Color } from "@bluegreen/release/app/color";
import type { AppSettings } from "./lateArgs";
import { asHashed } from "./asHashed";
import { resourceName } from "./resourceName";
import { contentOf, secretHash } from "./secretHash";

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
    const end = hash(contentOf(data)).toString("hex").slice(0, hashLength);
    return { name: names.config(app, color, end), data };
  };
  return {
    configMap: named(env, (text) => createHash("sha256").update(text).digest()),
    secret: named(secretEnv, (text) =>
      createHmac("sha256", secretHash(text, app, settings.namespace))
        .update(color)
        .digest(),
    ),
  };
}

const hashLength = 12;

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
