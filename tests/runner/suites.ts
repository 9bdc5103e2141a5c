import { readdirSync } from "node:fs";
import { join } from "node:path";
import { repositoryDir } from "../../local/paths";

export interface Suite {
  name: string;
  /** Folders of tests/ with its files. @default the one of its name */
  folders?: readonly string[];
  /** Whether it needs a running stage, and whether that needs an edge. @default none */
  stage?: "cluster" | "edge";
  /** All of its files in one process: they are quick, and share what they load. */
  together?: true;
  /** One file at a time: they would be in each other's way. */
  serial?: true;
  /** Waits for the cluster more than it works: one file of such suites has a place of its own. */
  waits?: true;
  /** Measures: nothing beside it. */
  alone?: true;
  /**
   * Not for every change: its minutes are as many as those of all others. Runs by its name, and in `npm run
   * test:all`.
   */
  long?: true;
}

/** Type check and lint: no tests of mocha's, counted as one. */
export const check: Suite = { name: "check", folders: [] };

export const suites: readonly Suite[] = [
  check,
  { name: "unit", together: true },
  { name: "lint", together: true },
  { name: "load", alone: true },
  { name: "release", folders: ["e2e", "faults"], stage: "cluster" },
  { name: "routes", stage: "edge" },
  { name: "pulumi", stage: "cluster" },
  { name: "provider", stage: "cluster", waits: true },
  { name: "integration", stage: "cluster", serial: true },
  { name: "usage", stage: "cluster", serial: true },
  { name: "app", stage: "cluster", serial: true },
  { name: "edge", stage: "edge", serial: true },
  { name: "pages", stage: "cluster", serial: true },
  // Starts and ends stages of its own.
  { name: "start", stage: "cluster", serial: true },
  { name: "trials", stage: "cluster", serial: true, long: true },
  { name: "pipeline", stage: "cluster", long: true },
  { name: "otherRoutes", stage: "edge", long: true },
  // Whole releases that fail at a gate, or that the controller rolls back; each gate by itself is in provider.
  { name: "failing", stage: "cluster", waits: true, long: true },
  { name: "changes", stage: "cluster", long: true },
  // Apps that others wrote, and that ran before.
  { name: "apps", stage: "edge", long: true },
  { name: "databases", stage: "cluster", long: true },
  { name: "traffic", stage: "edge", long: true },
  { name: "docs", stage: "edge", serial: true, long: true },
  { name: "outages", stage: "cluster", alone: true, long: true },
  { name: "stage", stage: "cluster", alone: true, long: true },
  { name: "scale", stage: "cluster", alone: true, long: true },
  { name: "autoscaler", stage: "cluster", alone: true, long: true },
  { name: "clusters", stage: "edge", alone: true, long: true },
  { name: "bench", stage: "cluster", alone: true, long: true },
];

/** What one process of mocha runs. */
export interface Batch {
  suite: Suite;
  /** Below the repository. */
  files: readonly string[];
}

/** @param only paths below the repository; @default all files of the suite */
export function batchesOf(suite: Suite, only?: ReadonlySet<string>): Batch[] {
  if (suite === check) return only === undefined ? [{ suite, files: [] }] : [];
  const files = filesOf(suite).filter((file) => only === undefined || only.has(file));
  if (files.length === 0) return [];
  return suite.together ? [{ suite, files }] : files.map((file) => ({ suite, files: [file] }));
}

export function filesOf({ name, folders = [name] }: Suite): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(repositoryDir, "tests", folder))
      .filter((file) => file.endsWith(".test.ts"))
      .map((file) => `tests/${folder}/${file}`),
  );
}
