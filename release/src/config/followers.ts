import { colors, type Color } from "../app/color.js";
import { workersOf, type Worker, type WorkerConfig } from "./workers.js";

/** A worker that runs on the active color alone, for whoever moves traffic. */
export type ActiveWorker = Pick<Worker, "name" | "replicas" | "overlap">;
export type ActiveWorkers = Record<Color, ActiveWorker[]>;

/** What follows the live color: whoever moves traffic brings it there. */
export type Followers = {
  workers: ActiveWorkers;
  /** Pods have a file with the live color in it; absent where none has. */
  colorFile?: true;
};

/** What config says of them: of both colors, and over that of one of them. */
export type FollowerConfig = WorkerConfig & { activeColorFile: boolean } & Record<
    Color,
    { activeColorFile?: boolean | undefined }
  >;

/** Whether the pods of a color have the file. */
export function hasColorFile({ activeColorFile, ...config }: FollowerConfig, color: Color): boolean {
  return config[color].activeColorFile ?? activeColorFile;
}

/** Undefined where nothing does. */
export function followersOf(config: FollowerConfig): Followers | undefined {
  const of = (color: Color) =>
    workersOf(config, color)
      .filter((each) => each.runOn === "active")
      .map(({ name, replicas, overlap }) => ({ name, replicas, overlap }));
  const workers = { blue: of("blue"), green: of("green") };
  const colorFile = colors.some((color) => hasColorFile(config, color));
  if (!colorFile && colors.every((color) => workers[color].length === 0)) return undefined;
  return { workers, ...(colorFile && { colorFile }) };
}
