import type { Templates } from "../compatibility/versions.js";
import { otherColor, type Color } from "../color.js";
import { isSwitchPending } from "../gates/switchPending.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import type { Say } from "../step.js";
import { readPair } from "./colorDatabases.js";
import { separate, type SeparateDatabases, type SeparateOptions, type SeparateStrategy } from "./separate.js";
import type { DatabasePair } from "./colorDatabase.js";

/** What every step of separate databases gets. */
export type SeparateInputs = ClusterRef & {
  app: string;
  strategy: SeparateStrategy;
  activeColor: Color;
  templates: Templates;
  acceptLoss: boolean;
  rebuildCommand: string[];
  /** How long one database may take to have what the other has. */
  budgetSeconds: number;
  /** How long proxies may take to see that traffic has moved. */
  drainSeconds: number;
};

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
  const { strategy, acceptLoss, rebuildCommand, budgetSeconds, drainSeconds } = inputs;
  return { databases: separate[strategy], pair: await readPair(cluster, strategy, live), options: { say, budgetMs: budgetSeconds * 1000, acceptLoss, rebuildCommand, drainMs: drainSeconds * 1000 } };
}

/** Whether traffic is to move, or something is left to do that the databases alone know of: a killed release, a replication that broke. */
export async function isUnsettled(inputs: SeparateInputs): Promise<boolean> {
  if (await isSwitchPending({ ...inputs, color: inputs.activeColor })) return true;
  const { databases, pair, options } = await bind(connect(inputs), inputs, inputs.activeColor, () => undefined);
  return !(await databases.isSettled(pair, options).catch(() => true));
}
