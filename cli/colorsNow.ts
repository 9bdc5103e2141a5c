import {
  colors,
  connect,
  noActiveService,
  otherColor,
  readLiveColor,
  UserError,
  type Cluster,
  type Color,
} from "@bluegreen/release";
import { shellWord, bluegreen } from "@bluegreen/release/util/bluegreenCommand";
import { clustersOf } from "./clusters";
import { app, readStackSettings } from "./stackConfig";
import type { ConfigChange } from "./update";

/** Which color is which at this moment, and what config says of them. */
export interface ColorsNow {
  /** All that the stack has. */
  clusters: Cluster[];
  live: Color;
  idle: Color;
  activeColor: Color;
  tags: Record<Color, string | undefined>;
}

/** @throws UserError before the first release, and where clusters do not agree */
export async function colorsNow(stack: string): Promise<ColorsNow> {
  const settings = readStackSettings(stack, [
    "activeColor",
    "blueTag",
    "greenTag",
    "clusters",
    "context",
    "namespace",
    "namespacePerColor",
  ]);
  const { activeColor, blueTag, greenTag } = settings;
  const clusters = clustersOf(settings, undefined).map(({ where }) => connect(where));
  const lives = await Promise.all(clusters.map((cluster) => liveIn(cluster)));
  const [live] = lives;
  if (live === undefined || lives.some((other) => other !== live))
    throw new UserError({
      code: "BG-CLUSTERS-DIFFER",
      what: "There is no color that is idle everywhere",
      rule: `traffic is on ${lives.join(", ")} in the clusters of ${stack}, in the order of config`,
      next: "pulumi up brings them to one color",
    });
  return { clusters, live, idle: otherColor(live), activeColor, tags: { blue: blueTag, green: greenTag } };
}

/**
 * Between a decision and what it is about somebody may have deployed something else. @throws UserError when no
 * color, or not this one, has the version
 */
export function colorWith(tag: string, color: Color | undefined, { live, idle, tags }: ColorsNow): Color {
  const found = [live, idle].find((each) => tags[each] === tag && (color === undefined || each === color));
  if (found !== undefined) return found;
  throw new UserError({
    code: "BG-TAG-NOT-FOUND",
    what: `${tag} was not found${color === undefined ? "" : ` on ${color}`}`,
    rule: `config has ${colors.map((each) => `${tags[each] ?? "nothing"} on ${each}`).join(" and ")}`,
    next: `${bluegreen} deploy ${shellWord(tag)}, then again`,
  });
}

/** The config that gives a color a tag, or none. */
export function tagConfig(color: Color, tag: string | undefined): ConfigChange {
  return { [`${color}Tag`]: tag };
}

async function liveIn(cluster: Cluster): Promise<Color> {
  const live = await readLiveColor(cluster, app);
  if (live === undefined) throw noActiveService(cluster, app, "No color is live yet");
  return live;
}
