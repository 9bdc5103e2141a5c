import { colors, type Color } from "../app/color.js";
import { cronJobsOf, type CronJobConfig } from "./cronJobs.js";
import { hasWorkers, workersOf, type Worker, type WorkerConfig } from "./workers.js";

/** A worker that runs on the active color alone, for whoever moves traffic. */
export type ActiveWorker = Pick<Worker, "name" | "replicas" | "overlap">;
export type ActiveWorkers = Record<Color, ActiveWorker[]>;

/** What follows the live color: whoever moves traffic brings it there. */
export type Followers = {
  workers: ActiveWorkers;
  /** Names of the CronJobs of each color; absent where there are none. */
  cronJobs?: Record<Color, string[]>;
  /** Pods have a file with the live color in it; absent where none has. */
  colorFile?: true;
};

/** What config says of them: of both colors, and over that of one of them. */
export type FollowerConfig = WorkerConfig &
  CronJobConfig & { activeColorFile: boolean } & Record<Color, { activeColorFile?: boolean | undefined }>;

/** Whether the pods of a color have the file. */
export function hasColorFile(
  { activeColorFile, ...config }: Pick<FollowerConfig, "activeColorFile" | Color>,
  color: Color,
): boolean {
  return config[color].activeColorFile ?? activeColorFile;
}

/** Undefined where nothing does. */
export function followersOf(config: FollowerConfig): Followers | undefined {
  const workersOn = (color: Color) =>
    workersOf(config, color)
      .filter((each) => each.runOn === "active")
      .map(({ name, replicas, overlap }) => ({ name, replicas, overlap }));
  const cronJobsOn = (color: Color) => cronJobsOf(config, color).map(({ name }) => name);
  const workers = { blue: workersOn("blue"), green: workersOn("green") };
  const cronJobs = { blue: cronJobsOn("blue"), green: cronJobsOn("green") };
  const colorFile = colors.some((color) => hasColorFile(config, color));
  const hasCronJobs = colors.some((color) => cronJobs[color].length > 0);
  if (!colorFile && !hasCronJobs && !hasWorkers(workers)) return undefined;
  return { workers, ...(hasCronJobs && { cronJobs }), ...(colorFile && { colorFile }) };
}
