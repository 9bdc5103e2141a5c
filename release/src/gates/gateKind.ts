import type { OwnMetadata } from "../app/labels.js";
import type { Color } from "../app/color.js";
import type { Gate } from "../config/gates.js";
import type { Cluster, ClusterRef } from "../kubernetes/cluster.js";
import type { CommandOutput, ProgramEnd } from "../util/commandOutput.js";
import type { Say } from "../util/step.js";

/** What a gate of the user's is about. */
export type GateInputs = ClusterRef &
  OwnMetadata & {
    app: string;
    /** The color that the gate checks. */
    color: Color;
    /** Its image tag. */
    version: string;
    /** Hash of its pod template. */
    template: string;
    /** What its pods run as, and pull images with. */
    account: string;
    imagePullSecrets: string[];
    gate: Gate;
  };

export interface GateRun {
  cluster: Cluster;
  inputs: GateInputs;
  /** Whether the color's pods are there, for BASE_URL to lead to. */
  hasPods: boolean;
  say: Say;
  /** Ends it at once, with everything that it has started. */
  signal: AbortSignal;
}

/** How a gate runs its program. A new one is a file, and its line in passGate.ts. */
export interface GateKind {
  /**
   * The values that its program gets and nobody is shown.
   * @throws UserError when one that config names is not there
   */
  secrets(run: GateRun): Promise<string[]>;
  run(run: GateRun, output: CommandOutput): Promise<ProgramEnd>;
}

/** What every program of a gate is told. */
export function variablesOf({ app, color, version, gate }: GateInputs): Record<string, string> {
  return {
    ...gate.env,
    BLUEGREEN_APP: app,
    BLUEGREEN_COLOR: color,
    BLUEGREEN_VERSION: version,
  };
}
