import type { RefusalParts } from "@bluegreen/release/refusal";
import { parseImage } from "../image";
import { containersOf, type Workload } from "../workload";

/** Wanted, and not asked for: a registry can forbid that a tag is pushed again, too. */
export function imageDigest({ name, pod }: Workload): RefusalParts[] {
  return containersOf(pod).flatMap(({ name: container, image = "" }) =>
    parseImage(image).digest !== undefined ? [] : [{ what: `Container ${container} of ${name} names its image by tag alone: ${JSON.stringify(image)}`, rule: "a tag can be pushed again, a digest is one image for ever", next: `write ${image}@sha256:…, as docker buildx imagetools inspect ${image} shows it, or make tags of the registry immutable` }],
  );
}
