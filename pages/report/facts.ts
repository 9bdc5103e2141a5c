import type { Color } from "@bluegreen/release/app/color";
import type { Gates, Move, RolledBack, SampleView, Schema, Version } from "../views";

/** What a load got in one second. Times of requests are those of their answers. */
export interface LoadSecond {
  /** Since 1970. */
  second: number;
  color: Color;
  requests: number;
  p50Ms: number | null;
  p99Ms: number | null;
}

export interface LoadClient {
  client: string;
  requests: number;
  failures: number;
  answers: Record<Color, number>;
  /** Absent where nothing was answered, and of a stream. */
  p50Ms?: number | undefined;
  p99Ms?: number | undefined;
}

/** A command under load, up to the next one. */
export interface LoadPhase {
  title: string;
  /** In milliseconds since 1970. */
  startedAt: number;
  clients: LoadClient[];
}

/** What clients saw, as `npm start -- --json` has it. */
export interface LoadFigures {
  requests: number;
  failures: number;
  failureTexts: { text: string; client: string; count: number }[];
  phases: LoadPhase[];
  seconds: LoadSecond[];
}

/** How the last move of traffic was, or is, analyzed. */
export interface AnalysisFacts {
  kind: Move["kind"];
  to: Version;
  /** null: nobody analyzes a rollback, nor the first release. */
  limits: {
    durationSeconds: number;
    intervalSeconds: number;
    failureThreshold: number;
    latencySeconds: number;
    logErrors: number;
  } | null;
  state: string;
}

/** A release: a switch, and what came after it. */
export interface ReportFacts {
  app: string;
  namespace: string;
  stack: string;
  /** As config names it; null where the stack has only one. */
  cluster: string | null;
  madeAt: string;
  live: Color | null;
  /** The switch that it is about, and then whatever moved traffic since; none before the first release. */
  moves: Move[];
  analysis: AnalysisFacts | null;
  /** What the analysis of the last move has seen, oldest first. */
  samples: SampleView[];
  gates: Gates;
  schema: Schema;
  rolledBack: RolledBack[];
  load: LoadFigures | null;
}
