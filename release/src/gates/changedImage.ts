import { otherColor, namespaceOf, type Color } from "../app/color.js";
import { names } from "../app/names.js";
import type { Taker } from "../capacity/scale.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment } from "../kubernetes/deployment.js";
import type { RouterName } from "../routers/routers.js";
import { describeChangedImage, readChangedImage, findChangedImage } from "../state/appImage.js";
import { isRollbackTarget, readRelease } from "../state/record.js";
import { readLiveColor } from "../traffic/live.js";
import { readCanaryWeight } from "../traffic/move.js";
import { shellWord } from "../util/bluegreenCommand.js";
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

type LostImage = ClusterRef & {
  app: string;
  color: Color;
  /** That config gives the color. */
  image: string;
  /** Whose weights give the other color a canary weight; null where a Service sends all traffic to one. */
  route: RouterName | null;
};

/**
 * Users keep an image that somebody has set by hand on the live color, or on one with a canary weight, a
 * hotfix at night: an update that applies the Deployment again, after a refresh for instance, is refused.
 * @throws UserError with both ways out
 */
export async function refuseLostImage({ app, color, image, route, ...where }: LostImage): Promise<void> {
  const cluster = connect(where);
  const live = await readLiveColor(cluster, app);
  if (live === undefined) return;
  const weight = live === color ? 100 : await readCanaryWeight(cluster, app, route, live);
  if (weight === 0) return;
  const name = names.deployment(app, color);
  const deployment = await readDeployment(cluster, app, color);
  const changed = findChangedImage(deployment, [], `${namespaceOf(cluster, color)}/${name}`);
  if (changed === undefined || changed.image === image) return;
  const other = otherColor(color);
  throw new UserError({
    code: "BG-LIVE-IMAGE-CHANGED",
    what: `The update of ${color}, which serves ${weight === 100 ? "traffic" : `${weight} % of traffic`}, was refused: ${describeChangedImage(changed)}`,
    rule: `users would get ${image} again, without a switch and its gates`,
    next:
      live === color
        ? `to keep it, release it on ${other}: pulumi config set ${other}Tag TAG, pulumi up without --refresh, then the switch; to take it away: pulumi config set allowInPlaceUpdate true && pulumi up --refresh`
        : `remove its canary weight first: pulumi config rm canaryWeight && pulumi up; to keep it, then: pulumi config set ${color}Tag TAG && pulumi up`,
  });
}
