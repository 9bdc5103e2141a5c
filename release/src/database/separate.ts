import type { Say } from "../step.js";
import type { Strategy } from "../settings/schema.js";
import type { DatabasePair } from "./colorDatabase.js";
import * as perColor from "./perColor/strategy.js";
import * as replica from "./replica/strategy.js";

/** The strategies in which each color has a database of its own. */
export type SeparateStrategy = Exclude<Strategy, "shared">;

export interface SeparateOptions {
  say: Say;
  /** How long one database may take to have what the other has, in milliseconds. */
  budgetMs: number;
  /** Goes on where writes are lost. Somebody has to have said so. */
  acceptLoss: boolean;
  /** Makes the idle color's server a standby; empty: somebody does it by hand. */
  rebuildCommand: string[];
  /** How long that may take, in milliseconds. */
  rebuildBudgetMs: number;
  /** How long requests may still come to the old color after traffic has moved, in milliseconds. */
  drainMs: number;
}

/** The idle database has everything and takes writes; the writers of the live one wait. */
export interface Handover {
  /** @throws Refusal when the writers do not wait any longer */
  confirm(): Promise<void>;
  /** After traffic has moved. */
  complete(): Promise<void>;
  /** When it has not: the writers go on where they waited. */
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
  settle(pair: DatabasePair, options: SeparateOptions): Promise<void>;
  /** Whether there is nothing that `settle` could do. Changes nothing. */
  isSettled(pair: DatabasePair, options: SeparateOptions): Promise<boolean>;
}

export const separate: Record<SeparateStrategy, SeparateDatabases> = { perColor, replica };
