import type { Color } from "@bluegreen/release/app/color";
import type { Gates, Move, RolledBack, SampleView, Schema } from "../views";

export interface ColorView {
  color: Color;
  /** live serves traffic; standby runs and could; off has no pods. */
  role: "live" | "standby" | "off";
  tag: string | null;
  image: string | null;
  ready: number;
  wanted: number;
  /** The percentage of traffic that it gets. */
  weight: number;
}

/** Where a release stands in one cluster. */
export interface ReleaseView {
  /** Null before the first release. */
  live: Color | null;
  colors: ColorView[];
  /** What needs attention; none: all is well. */
  attention: string[];
  schema: Schema;
  /** With what has become of it, in words. */
  last: { move: Move; state: string } | null;
  /** The color that a rollback would return traffic to; or why there is none. */
  rollback: { to: Color } | { why: string };
  rolledBack: RolledBack[];
  /** The last that the analysis has seen, oldest first. */
  samples: SampleView[];
  /** The newest first. */
  history: Move[];
}

/** What the pods of a color answered in the last seconds. */
export interface Figures {
  requestsPerSecond: number;
  /** Of all answers, those of 5xx; null without requests, as the latencies. */
  errorRatio: number | null;
  p50Seconds: number | null;
  p99Seconds: number | null;
  pods: number;
  /** Of how many pods the figures are. */
  measuredPods: number;
}

export interface Sample {
  /** By the clock of the dashboard's machine, in milliseconds since 1970. */
  at: number;
  /** Null where a color has no pods, or none could be asked. */
  figures: Record<Color, Figures | null>;
}

/** When traffic moved, as the cluster said so, by the clock of the dashboard's machine. */
export interface SeenMove {
  at: number;
  to: Color;
}

export interface ClusterState {
  /** As config names it; null where the stack has only one. */
  name: string | null;
  /** Null until the first poll has succeeded. */
  release: ReleaseView | null;
  /** Why it cannot be read, and since when; null: it can. */
  away: { since: string; why: string } | null;
  samples: Sample[];
  moves: SeenMove[];
}

export type JobKind = "switch" | "rollback";

/** A command that was started from the page. */
export interface Job {
  kind: JobKind;
  to: Color;
  startedAt: string;
  /** Null while it runs. */
  end: { at: string; isWell: boolean; text: string } | null;
  lines: string[];
}

/** A plan that was asked for. `rows` are a name, and what there is to say about it. */
export type PlanState = { startedAt: string } & (
  | { state: "running" }
  | { state: "made"; rows: [name: string, texts: string[]][]; isRefused: boolean }
  | { state: "failed"; why: string }
);

/**
 * They are read when traffic moves, and with a plan: between that they may be older than what the cluster says.
 */
export type ReadGates = Gates & { readAt: string };

/** All that the page shows. */
export interface DashboardState {
  app: string;
  namespace: string;
  stack: string;
  clusters: ClusterState[];
  /** Null while they are read for the first time. */
  gates: ReadGates | null;
  plan: PlanState | null;
  /** The last one of each kind. */
  jobs: Partial<Record<JobKind, Job>>;
  /** The dashboard ends as soon as what it runs has ended. */
  isEnding: boolean;
}

/**
 * What changes it. The server sends the whole of it first, and then each change: both sides make the same of
 * it.
 */
export type DashboardEvent =
  | { type: "all"; state: DashboardState }
  | { type: "release"; cluster: number; release: ReleaseView }
  | { type: "away"; cluster: number; since: string; why: string }
  | { type: "moved"; cluster: number; move: SeenMove }
  | { type: "sample"; cluster: number; sample: Sample }
  | { type: "gates"; gates: ReadGates }
  | { type: "plan"; plan: PlanState }
  | { type: "job"; job: Job }
  | { type: "said"; kind: JobKind; lines: string[] }
  | { type: "ending" };

/** Five minutes, a second each. */
export const samplesMax = 300;
const movesMax = 20;
/** What a command says beyond it pushes out what it said first. */
export const linesMax = 2000;

/** The state after a change. */
export function applied(state: DashboardState, event: DashboardEvent): DashboardState {
  switch (event.type) {
    case "all":
      return event.state;
    case "release":
      return inCluster(state, event.cluster, (cluster) => ({
        ...cluster,
        release: event.release,
        away: null,
      }));
    case "away":
      return inCluster(state, event.cluster, (cluster) => ({
        ...cluster,
        away: { since: event.since, why: event.why },
      }));
    case "moved":
      // A plan of before is none any more.
      return inCluster(
        { ...state, plan: state.plan?.state === "running" ? state.plan : null },
        event.cluster,
        (cluster) => ({
          ...cluster,
          release: cluster.release && withLive(cluster.release, event.move.to),
          moves: [...cluster.moves, event.move].slice(-movesMax),
        }),
      );
    case "sample":
      return inCluster(state, event.cluster, (cluster) => ({
        ...cluster,
        samples: [...cluster.samples, event.sample].slice(-samplesMax),
      }));
    case "gates":
      return { ...state, gates: event.gates };
    case "plan":
      return { ...state, plan: event.plan };
    case "job":
      return { ...state, jobs: { ...state.jobs, [event.job.kind]: event.job } };
    case "said": {
      const job = state.jobs[event.kind];
      return job === undefined
        ? state
        : {
            ...state,
            jobs: {
              ...state.jobs,
              [event.kind]: { ...job, lines: [...job.lines, ...event.lines].slice(-linesMax) },
            },
          };
    }
    case "ending":
      return { ...state, isEnding: true };
  }
}

function inCluster(
  state: DashboardState,
  index: number,
  change: (cluster: ClusterState) => ClusterState,
): DashboardState {
  return {
    ...state,
    clusters: state.clusters.map((cluster, at) => (at === index ? change(cluster) : cluster)),
  };
}

/** As the active Service says it: the rest follows with the next poll. */
function withLive(release: ReleaseView, live: Color): ReleaseView {
  const colors = release.colors.map((color): ColorView => {
    const isLive = color.color === live;
    return {
      ...color,
      role: isLive ? "live" : color.wanted > 0 ? "standby" : "off",
      weight: isLive ? 100 : 0,
    };
  });
  return { ...release, live, colors };
}

/** Why a command may not be started now; undefined: it may. */
export function whyNotNow(
  state: Pick<DashboardState, "jobs" | "isEnding">,
  kind: JobKind,
): string | undefined {
  if (state.isEnding) return "The dashboard is ending.";
  const running = Object.values(state.jobs).find(
    (job) => job.end === null && (job.kind === kind || kind === "switch"),
  );
  // A rollback is what somebody needs while a switch is analyzed.
  return (
    running &&
    `A ${running.kind} to ${running.to} is running, since ${running.startedAt}: its end comes first.`
  );
}
