import type { Taker } from "../capacity/grow.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { describeChangedImage, readChangedImage } from "../state/appImage.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import { shellWord } from "../util/shellWord.js";
import type { Say } from "../util/step.js";
import { UserError } from "../util/userError.js";

/**
 * Users never get what somebody has put into a color past config: no gate has seen it under its name. On the way
 * back they do, and are told: it may be what served them.
 * @throws UserError
 */
export async function refuseChangedImage(cluster: Cluster, candidate: Taker, say: Say): Promise<void> {
  const { app, color } = candidate;
  const changed = await readChangedImage(cluster, app, color);
  if (changed === undefined) return;
  if (isRollbackTarget(await readRelease(cluster, app), candidate)) {
    say(`${describeChangedImage(changed)}: traffic returns to it all the same`);
    return;
  }
  const { where, container, applied } = changed;
  const [namespace = "", name = ""] = where.split(" ")[1]?.split("/") ?? [];
  throw new UserError({
    code: "BG-IMAGE-CHANGED",
    what: `The switch to ${color} was refused: ${describeChangedImage(changed)}`,
    rule: "traffic goes to what config names, and the gates have tested by that name",
    next: `to release that image, give it to ${color}: pulumi config set ${color}Tag TAG; to put back what config names: ${where.startsWith("pod") ? `kubectl -n ${namespace} delete pod ${name}` : `kubectl -n ${namespace} set image deployment/${name} ${shellWord(`${container}=${applied}`)}`}; then pulumi up`,
  });
}
