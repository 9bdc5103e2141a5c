import type { Say } from "../../step.js";

export interface ReplicaOptions {
  /** A line for people: what is waited for, what the rebuild command says. @default nothing is said */
  say?: Say;
  /** How long the standby may take to follow, in milliseconds. While writers wait it is at most 10000. @default 30000 */
  budgetMs?: number;
  /**
   * Makes the server of STANDBY_COLOR a standby of PRIMARY_COLOR (both in its environment), also
   * when that server does not run or an earlier run was killed. Words of a command, without a shell.
   */
  rebuildCommand?: readonly string[];
  /** How long that may take, in milliseconds. @default 3600000 */
  rebuildBudgetMs?: number;
  /** Go back to a server that no longer follows, or rebuild one that has writes of its own: what is said to be lost is. @default false */
  acceptLoss?: boolean;
}

export const defaultBudgetMs = 30_000;
export const defaultRebuildBudgetMs = 3_600_000;
