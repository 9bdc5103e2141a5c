import type { Color } from "../app/color.js";
import type { OwnMetadata } from "../app/names.js";
import type { Gate } from "../config/gates.js";
import type { Cluster, ClusterRef } from "../kubernetes/cluster.js";
import { readyPodsBehind, type ReadyPod } from "../kubernetes/pods.js";
import { colorService } from "../routers/services.js";
import type { CommandOutput, ProgramEnd } from "../util/runCommand.js";
import type { Say } from "../util/step.js";
import { UserError } from "../util/userError.js";

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
  /** Whether the color's pods are there, for BASE_URL to point to. */
  hasPods: boolean;
  say: Say;
  /** Ends it at once, with everything that it has started. */
  signal: AbortSignal;
}

/** How a gate runs its program. A new one is a file, and its line in ownGates.ts. */
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

/**
 * A ready pod of a color, with traffic or without.
 * @param gate what is not run without one
 * @throws UserError when there is none
 */
export async function podToTest(
  cluster: Cluster,
  { app, color }: { app: string; color: Color },
  gate: string,
): Promise<ReadyPod> {
  const service = colorService(cluster, app, color);
  const [pod] = await readyPodsBehind(cluster, service);
  if (pod !== undefined) return pod;
  throw new UserError({
    code: "BG-TOO-FEW-READY-PODS",
    what: `${gate} was not run: Service ${service.namespace}/${service.name} has no ready endpoint`,
    rule: "a gate needs at least one ready pod to test",
    next: `kubectl -n ${service.namespace} get pods -l app=${app},version=${color}`,
  });
}
