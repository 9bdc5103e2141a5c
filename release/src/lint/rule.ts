import type { AlterTableCmd, RangeVar } from "libpg-query";
import type { MigrationHeader } from "../migrations/header.js";
import type { Known } from "./known.js";
import type { RawStatement } from "./parse.js";

export type Phase = MigrationHeader["phase"];

export const allPhases: readonly Phase[] = ["expand", "backfill", "contract"];

/** While two versions are live. In contract there is one, and it no longer needs what goes. */
export const beforeContract: readonly Phase[] = ["expand", "backfill"];

/** What a recipe names. A rule gives what it knows, the documentation the words themselves. */
export interface Subject {
  table: string;
  column: string;
  /** Of an index, a constraint, a view, a function, … */
  name: string;
  newName: string;
  type: string;
  other: string;
}

export interface Match {
  /** Offset in bytes. */
  at: number;
  subject?: Partial<Subject>;
}

export interface Statement extends RawStatement {
  /** Of an ALTER TABLE, each with its own place in the file. */
  commands: Command[];
  /** What the statements before this one have made. */
  known: Known;
  /** Of the file. */
  phase: Phase;
  /** Whether it shares its transaction with the rest of the file. */
  inTransaction: boolean;
  /** How many statements of the file come before it, SET not counted. */
  before: number;
  /** Whether the file changes the shape of a relation that it has not made itself. */
  besideLiveDdl: boolean;
}

export interface Command {
  at: number;
  command: AlterTableCmd;
  relation: RangeVar | undefined;
}

export interface Rule {
  /** Stable: files name it in `-- assure`. */
  name: string;
  /** One line. */
  reason: string;
  /** In which it is refused. */
  phases: readonly Phase[];
  /** What to write instead. */
  recipe(subject: Subject): string;
  find(statement: Statement): Match[];
}

/** A rule about a file rather than a statement. It cannot be assured away. */
export type FileRule = Pick<Rule, "name" | "reason"> & { recipe: string };
