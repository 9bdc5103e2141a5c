import { randomBytes } from "node:crypto";
import { otherColor, type Color } from "../app/color.js";
import type { AnalysisLimits } from "../analysis/limits.js";
import type { SuiteInputs } from "../gates/suite.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { readDeployment, templateOf } from "../kubernetes/deployment.js";
import type { Templates } from "../migrations/versions.js";
import { readLiveColor } from "../traffic/live.js";
import type { Step } from "../util/step.js";
import { GuardedColor } from "./guardedColor.js";

export type LiveGuardInputs = ClusterRef & {
  app: string;
  /** Hash of each color's wanted pod template. */
  templates: Templates;
  /** Ids and checksums of what is applied to the schema. */
  migrations: string[];
  limits: AnalysisLimits;
  /** Names of the workers of each color that run beside its pods even while it is idle; absent where none do. */
  workers?: Record<Color, string[]>;
  /** The smoke tests that are run against it as well, and what each color reports as its version. */
  suite?: Omit<SuiteInputs, "color" | "version"> & { versions: Record<Color, string> };
};
/** Another one for each update that it observes; empty where nothing can harm anybody. */
export type LiveGuardOutputs = { guard: string };

/** By their ids: in this process, in which all steps of an update run. */
const guards = new Map<string, GuardedColor>();

/**
 * Observes the live color from before the first migration until the idle color has passed its gates: what they
 * share, a database above all, an idle color can harm without traffic. Harm stops the update.
 */
export const liveGuard: Step<LiveGuardInputs, LiveGuardOutputs> = {
  check: () => Promise.resolve([]),

  async isNeeded(last, inputs) {
    const cluster = connect(inputs);
    const live = await readLiveColor(cluster, inputs.app);
    if (live === undefined) return false;
    return last.migrations.join() !== inputs.migrations.join() || (await isRollingOut(cluster, inputs, live));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    const { app, templates, limits, suite, workers } = inputs;
    const live = await readLiveColor(cluster, app);
    if (live === undefined) return { guard: "" };
    const template = templateOf(await readDeployment(cluster, app, live));
    // Its own change is tried out in a preflight pod.
    if (template === undefined || template !== templates[live]) return { guard: "" };
    const id = randomBytes(6).toString("hex");
    const guarded = new GuardedColor(
      cluster,
      {
        app,
        color: live,
        template,
        idleTemplate: templates[otherColor(live)],
        idleWorkers: workers?.[otherColor(live)] ?? [],
        limits,
        suite: suite && { ...suite, color: live, version: suite.versions[live] },
      },
      say,
    );
    await guarded.begin();
    guards.set(id, guarded);
    guarded.observe();
    return { guard: id };
  },
};

async function isRollingOut(
  cluster: Cluster,
  { app, templates }: LiveGuardInputs,
  live: Color,
): Promise<boolean> {
  const idle = otherColor(live);
  return templates[idle] !== null && templateOf(await readDeployment(cluster, app, idle)) !== templates[idle];
}

export type LiveGuardEndInputs = ClusterRef & {
  app: string;
  /** Of the one that has begun. */
  guard: string;
};
export type LiveGuardEndOutputs = { verdict: string };

/** The last check of it, once the idle color has passed its gates. */
export const liveGuardEnd: Step<LiveGuardEndInputs, LiveGuardEndOutputs> = {
  check: () => Promise.resolve([]),
  isNeeded: (last, inputs) => Promise.resolve(last.guard !== inputs.guard),

  async run({ guard }) {
    const guarded = guards.get(guard);
    guards.delete(guard);
    return { verdict: (await guarded?.end()) ?? "nothing was observed" };
  },
};
