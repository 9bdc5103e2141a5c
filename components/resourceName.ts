import * as pulumi from "@pulumi/pulumi";
import type { Place } from "@bluegreen/release/config/settings";

/**
 * What Pulumi calls a resource. Objects are called the same in every cluster; resources of one stack cannot
 * be.
 */
export function resourceName({ together }: Pick<Place, "together">, name: string): string {
  return together === null ? name : `${together.name}/${name}`;
}

/**
 * A stack that has had one cluster until now knows what is there by the plain names: it is the same, and
 * stays.
 */
export function adoptPlainNames(place: Place): pulumi.ResourceTransformation {
  const prefix = resourceName(place, "");
  return ({ name, props, opts }) =>
    prefix === "" || !name.startsWith(prefix)
      ? undefined
      : { props, opts: pulumi.mergeOptions(opts, { aliases: [{ name: name.slice(prefix.length) }] }) };
}
