import type { Templates } from "../compatibility/versions.js";
import { otherColor, type Color } from "../color.js";
import { isSwitchPending } from "../gates/switchPending.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import type { Say } from "../step.js";
import { readPair } from "./colorDatabases.js";
import type { HandoverSettings } from "./handoverSettings.js";
import { separate, type SeparateDatabases, type SeparateOptions } from "./separate.js";
import type { DatabasePair } from "./colorDatabase.js";

/** What every step of separate databases gets. */
export type SeparateInputs = ClusterRef & HandoverSettings & { app: string; activeColor: Color; templates: Templates };

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
  const { strategy, acceptLoss, rebuildCommand, rebuildTimeoutSeconds, budgetSeconds, drainSeconds } = inputs;
  return { databases: separate[strategy], pair: await readPair(cluster, strategy, live), options: { say, budgetMs: budgetSeconds * 1000, acceptLoss, rebuildCommand, rebuildBudgetMs: rebuildTimeoutSeconds * 1000, drainMs: drainSeconds * 1000 } };
}

/** Whether traffic is to move, or something is left to do that the databases alone know of: a killed release, a replication that broke. */
export async function isUnsettled(inputs: SeparateInputs): Promise<boolean> {
  if (await isSwitchPending({ ...inputs, color: inputs.activeColor })) return true;
  const { databases, pair, options } = await bind(connect(inputs), inputs, inputs.activeColor, () => undefined);
  return !(await databases.isSettled(pair, options).catch(() => true));
}
