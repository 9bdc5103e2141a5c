import type { AlterTableCmd, ObjectType, RangeVar } from "libpg-query";
import type { MigrationHeader } from "../sql/header.js";
import type { HeldLock } from "./locks.js";
import type { Known } from "./known.js";
import type { RawStatement } from "../sql/parse.js";
import type { Source } from "../sql/source.js";

export type Phase = MigrationHeader["phase"];

export const allPhases: readonly Phase[] = ["expand", "backfill", "contract"];

/** While two versions are live. In contract there is one, and it no longer needs what goes. */
export const beforeContract: readonly Phase[] = ["expand", "backfill"];

export interface Match {
  /** Offset in bytes. */
  at: number;
  /** SQL to write instead, with the names of this place: one migration or several, each with its header. */
  recipe: string;
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
  /** The statements of the file after it. */
  after: () => RawStatement[];
  /** The relations of others that it locks against writes. */
  locks: HeldLock[];
  /** Whether the file has such a lock anywhere. */
  besideLiveDdl: boolean;
  /** Its text. */
  source: Source;
}

export interface Command {
  at: number;
  /** Where its text ends. */
  end: number;
  command: AlterTableCmd;
  relation: RangeVar | undefined;
  /** What is altered. */
  of: ObjectType;
  /** ALTER TABLE and the table, as they are written. */
  head: string;
  /** The command as a statement of its own. */
  sql: string;
}

export interface Rule {
  /** Stable: files name it in `-- assure`. */
  name: string;
  /** One line. */
  reason: string;
  /** In which it is refused. */
  phases: readonly Phase[];
  /** SQL that it refuses in the first of them. */
  example: string;
  /** A migration before it, without which it does not. */
  before?: string;
  find(statement: Statement): Match[];
}

/** A rule about a file rather than a statement. It cannot be assured away. */
export type FileRule = Pick<Rule, "name" | "reason"> & { recipe: string };
