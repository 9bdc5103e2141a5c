import type { Templates } from "../migrations/versions.js";
import { otherColor, type Color } from "../app/color.js";
import { isSwitchPending } from "../traffic/move.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import type { SeparateStrategy } from "../config/schema/database.js";
import type { Say } from "../util/step.js";
import { readPair, type DatabasePair } from "../databases/colorDatabases.js";
import type { HandoverSettings } from "../config/analysisSettings.js";
import * as logicalReplication from "./logicalReplication/strategy.js";
import * as replica from "./replica/strategy.js";
import type { SeparateDatabases, SeparateOptions } from "./strategy.js";

export const separate: Record<SeparateStrategy, SeparateDatabases> = {
  logicalReplication: logicalReplication,
  streamingReplica: replica,
};

/** What every step of separate databases gets. */
export type SeparateInputs = ClusterRef &
  HandoverSettings & { app: string; activeColor: Color; templates: Templates };

/** Whether there are two colors, and so two databases to keep together. */
export function hasBothColors({ templates, activeColor }: SeparateInputs): boolean {
  return templates[activeColor] !== null && templates[otherColor(activeColor)] !== null;
}

/** The strategy's own functions, on the databases of this app. */
export interface Bound {
  databases: SeparateDatabases;
  pair: DatabasePair;
  options: SeparateOptions;
}

export async function bind(cluster: Cluster, inputs: SeparateInputs, live: Color, say: Say): Promise<Bound> {
  const {
    strategy,
    allowDataLoss,
    rebuildCommand,
    rebuildTimeoutSeconds,
    timeoutSeconds: budgetSeconds,
    preStopDelaySeconds,
  } = inputs;
  return {
    databases: separate[strategy],
    pair: await readPair(cluster, inputs, live),
    options: {
      say,
      budgetMs: budgetSeconds * 1000,
      allowDataLoss,
      rebuildCommand,
      rebuildBudgetMs: rebuildTimeoutSeconds * 1000,
      drainMs: preStopDelaySeconds * 1000,
    },
  };
}

/**
 * Whether traffic is to move, or something is left to do that the databases alone know of: a killed release,
 * a replication that broke.
 */
export async function needsReconcile(inputs: SeparateInputs): Promise<boolean> {
  if (await isSwitchPending({ ...inputs, color: inputs.activeColor })) return true;
  const { databases, pair, options } = await bind(
    connect(inputs),
    inputs,
    inputs.activeColor,
    () => undefined,
  );
  return !(await databases.isReconciled(pair, options).catch(() => true));
}
