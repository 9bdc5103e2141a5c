import type { DatabasePair } from "../databases/colorDatabases.js";
import type { Say } from "../util/step.js";

export interface SeparateOptions {
  say: Say;
  /** How long one database may take to have what the other has, in milliseconds. */
  budgetMs: number;
  /** Continues where writes are lost. Somebody has to have said so. */
  allowDataLoss: boolean;
  /** Makes the idle color's server a standby; empty: somebody does it by hand. */
  rebuildCommand: string[];
  /** How long that may take, in milliseconds. */
  rebuildBudgetMs: number;
  /** How long requests may still come to the old color after traffic has moved, in milliseconds. */
  drainMs: number;
}

/** The idle database has everything and takes writes; the writers of the live one wait. */
export interface Handover {
  /** @throws UserError when the writers do not wait any longer */
  confirm(): Promise<void>;
  /** After traffic has moved. */
  complete(): Promise<void>;
  /** When it has not: the writers continue where they waited. */
  cancel(): Promise<void>;
}

/** How the databases of two colors are kept together. */
export interface SeparateDatabases {
  /** What a reviewer should know that the strategy cannot do. */
  cannot: readonly string[];
  /** Before pods of the idle color start: its database has what the live one has. */
  sync(pair: DatabasePair, options: SeparateOptions): Promise<void>;
  /** Why a switch would be refused now. Changes nothing. */
  whyNoHandover(pair: DatabasePair, options: SeparateOptions): Promise<string | undefined>;
  /** Right before traffic moves to the idle color. */
  handover(pair: DatabasePair, options: SeparateOptions): Promise<Handover>;
  /** At any time: makes everything follow the live color. */
  reconcile(pair: DatabasePair, options: SeparateOptions): Promise<void>;
  /** Whether there is nothing that `reconcile` could do. Changes nothing. */
  isReconciled(pair: DatabasePair, options: SeparateOptions): Promise<boolean>;
}

export interface ReplicaOptions {
  /** A line for people: what is waited for, what the rebuild command says. @default nothing is said */
  say?: Say;
  /**
   * How long the standby may take to follow, in milliseconds. While writers wait it is at most 10000.
   * @default 30000
   */
  budgetMs?: number;
  /**
   * Makes the server of STANDBY_COLOR a standby of PRIMARY_COLOR (both in its environment), also
   * when that server does not run or an earlier run was killed. Words of a command, without a shell.
   */
  rebuildCommand?: readonly string[];
  /** How long that may take, in milliseconds. @default 3600000 */
  rebuildBudgetMs?: number;
  /**
   * Go back to a server that no longer follows, or rebuild one that has writes of its own: what is said to be
   * lost is. @default false
   */
  allowDataLoss?: boolean;
}

export const defaultBudgetMs = 30_000;

export const defaultRebuildBudgetMs = 3_600_000;
