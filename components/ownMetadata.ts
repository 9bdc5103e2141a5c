import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "@bluegreen/release/config/settings";

interface Metadata {
  labels?: object;
  annotations?: object;
}

/** Labels and annotations of config, for every object of the cluster below a component. The program's own win. */
export function withMetadata({
  labels,
  annotations,
}: Pick<Settings, "labels" | "annotations">): pulumi.ResourceTransformation[] {
  if (Object.keys({ ...labels, ...annotations }).length === 0) return [];
  return [
    ({ type, props, opts }) => {
      const { metadata } = props as { metadata?: Metadata };
      if (!type.startsWith("kubernetes:") || metadata === undefined) return undefined;
      return {
        props: {
          ...props,
          metadata: {
            ...metadata,
            labels: { ...labels, ...metadata.labels },
            annotations: { ...annotations, ...metadata.annotations },
          },
        },
        opts,
      };
    },
  ];
}
