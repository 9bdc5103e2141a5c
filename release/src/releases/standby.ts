import type { Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { serverTime } from "../kubernetes/serverTime.js";
import { readLiveColor } from "../live.js";
import { isWayBack, readRelease } from "./record.js";
import { readServed } from "./served.js";

/** Until when a color is kept as the way back, by the API server's clock; undefined where it is none. */
export async function standbyOf(cluster: Cluster, app: string, color: Color, standbyHours: number): Promise<{ until: Date; isOver: boolean } | undefined> {
  const [live, release, served] = await Promise.all([readLiveColor(cluster, app), readRelease(cluster, app), readServed(cluster, app, color)]);
  if (release === undefined || served === undefined || live === color || !isWayBack(release, served)) return undefined;
  const until = new Date(Date.parse(release.at) + standbyHours * 3_600_000);
  return { until, isOver: (await serverTime(cluster)) >= until };
}

/** The same; undefined also where its time is over. */
export async function keptUntil(cluster: Cluster, app: string, color: Color, standbyHours: number): Promise<Date | undefined> {
  const standby = await standbyOf(cluster, app, color, standbyHours);
  return standby?.isOver === false ? standby.until : undefined;
}
