import type { ErrorParts } from "@bluegreen/release/util/userError";
import { parseImage } from "../image";
import { imagesOf, type Workload } from "../workload";

/** Another image under the same name would change pods that nobody has released. */
export function imageTag(workload: Workload): ErrorParts[] {
  return imagesOf(workload).flatMap(({ container, image }) => {
    const { repository, tag, digest } = parseImage(image);
    if (digest !== undefined || (tag !== undefined && tag !== "latest")) return [];
    return [
      {
        what: `Container ${container} of ${workload.name} asks for image ${JSON.stringify(image)}`,
        rule: `${tag === undefined ? "an image without a tag is latest, and latest" : "latest"} is whatever was pushed last: pods of one color could run two versions, and a rollback the bad one`,
        next: `give it the tag of a version: ${repository || "REPOSITORY"}:v1.3.0`,
      },
    ];
  });
}
