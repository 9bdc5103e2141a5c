import type { ErrorParts } from "@bluegreen/release/util/userError";
import { shellWord } from "@bluegreen/release/util/bluegreenCommand";
import { parseImage } from "../image";
import { imagesOf, type Workload } from "../workload";

/** Wanted, and not asked for: a registry can forbid that a tag is pushed again, too. */
export function imageDigest(workload: Workload): ErrorParts[] {
  return imagesOf(workload).flatMap(({ container, image }) =>
    parseImage(image).digest !== undefined
      ? []
      : [
          {
            what: `Container ${container} of ${workload.name} names its image by tag alone: ${JSON.stringify(image)}`,
            rule: "a tag can be pushed again, a digest is one image for ever",
            next: `write ${image}@sha256:…, as docker buildx imagetools inspect ${shellWord(image)} shows it, or make tags of the registry immutable`,
          },
        ],
  );
}
