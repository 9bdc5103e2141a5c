import { parse, type Node, type PartitionCmd, type RangeVar } from "libpg-query";
import { escapeIdentifier } from "pg";
import { messageOf, UserError } from "../util/userError.js";

/** One statement of a migration file. */
export interface Statement {
  sql: string;
  /** 1 is the first line of the file. */
  line: number;
  /** What PostgreSQL's own grammar makes of it. */
  node: Node;
}

/**
 * Splits SQL into its statements, so that each is sent alone: PostgreSQL makes several statements
 * in one query one transaction.
 * @throws UserError for SQL that PostgreSQL's grammar does not know, and for transaction control
 */
export async function splitStatements(path: string, sql: string): Promise<Statement[]> {
  // The parser counts bytes of UTF-8.
  const bytes = Buffer.from(sql, "utf8");
  const { stmts = [] } = await parse(sql).catch((error: unknown) => {
    throw new UserError(
      { code: "BG-SQL-SYNTAX", what: `${path} was refused`, rule: messageOf(error), next: "correct the SQL" },
      { cause: error },
    );
  });
  return stmts.map(({ stmt, stmt_location: start = 0, stmt_len: length }) => {
    if (stmt === undefined) throw new Error(`${path}: the parser found a statement without content`);
    const line = bytes.subarray(0, start).toString("utf8").split("\n").length;
    if ("TransactionStmt" in stmt) {
      throw new UserError({
        code: "BG-MIGRATION-FILE-INVALID",
        what: `${path}:${line} was refused: transaction control`,
        rule: "the runner begins and commits, together with the record of the migration",
        next: "remove the statement; -- no-transaction applies statement by statement",
      });
    }
    return {
      sql: bytes
        .subarray(start, length === undefined ? undefined : start + length)
        .toString("utf8")
        .trim(),
      line,
      node: stmt,
    };
  });
}

/** Waits for other transactions instead of locking them out. */
export function isConcurrent({ node }: Statement): boolean {
  if ("IndexStmt" in node) return node.IndexStmt.concurrent === true;
  if ("DropStmt" in node) return node.DropStmt.concurrent === true;
  if ("RefreshMatViewStmt" in node) return node.RefreshMatViewStmt.concurrent === true;
  if ("ReindexStmt" in node)
    return (node.ReindexStmt.params ?? []).some(
      (param) => "DefElem" in param && param.DefElem.defname === "concurrently",
    );
  return partitionCmdsOf(node).some(({ concurrent }) => concurrent === true);
}

function partitionCmdsOf(node: Node): PartitionCmd[] {
  if (!("AlterTableStmt" in node)) return [];
  return (node.AlterTableStmt.cmds ?? []).flatMap((cmd) => {
    const def = "AlterTableCmd" in cmd ? cmd.AlterTableCmd.def : undefined;
    return def !== undefined && "PartitionCmd" in def ? [def.PartitionCmd] : [];
  });
}

/** Statements that PostgreSQL refuses in a transaction, or that may commit inside. */
const alone = [
  "VacuumStmt",
  "ClusterStmt",
  "ReindexStmt",
  "CreatedbStmt",
  "DropdbStmt",
  "AlterSystemStmt",
  "CreateTableSpaceStmt",
  "DropTableSpaceStmt",
  "CreateSubscriptionStmt",
  "AlterSubscriptionStmt",
  "DropSubscriptionStmt",
  "CallStmt",
  "DoStmt",
];

/** Whether the statement cannot share a transaction with the note that it was executed. */
export function standsAlone(statement: Statement): boolean {
  return isConcurrent(statement) || alone.some((kind) => kind in statement.node);
}

/** The index that a CREATE INDEX CONCURRENTLY builds. */
export interface ConcurrentIndex {
  /** Undefined when PostgreSQL is to choose one. */
  name: string | undefined;
  /** Quoted, with its schema if that is written out. */
  table: string;
}

export function concurrentIndexOf({ node }: Statement): ConcurrentIndex | undefined {
  if (!("IndexStmt" in node) || node.IndexStmt.concurrent !== true || node.IndexStmt.relation === undefined)
    return undefined;
  return { name: node.IndexStmt.idxname, table: quoted(node.IndexStmt.relation) };
}

/** What a REINDEX CONCURRENTLY rebuilds. */
export interface ConcurrentReindex {
  kind: "index" | "table" | "schema" | "database";
  /** Quoted. */
  name: string;
}

const reindexKinds = {
  REINDEX_OBJECT_INDEX: "index",
  REINDEX_OBJECT_TABLE: "table",
  REINDEX_OBJECT_SCHEMA: "schema",
  REINDEX_OBJECT_SYSTEM: undefined,
  REINDEX_OBJECT_DATABASE: "database",
} as const;

export function concurrentReindexOf(statement: Statement): ConcurrentReindex | undefined {
  const { node } = statement;
  if (!("ReindexStmt" in node) || !isConcurrent(statement)) return undefined;
  const { kind, relation, name } = node.ReindexStmt;
  const object = kind && reindexKinds[kind];
  return (
    object && { kind: object, name: relation === undefined ? escapeIdentifier(name ?? "") : quoted(relation) }
  );
}

/**
 * A partition that an ALTER TABLE … DETACH PARTITION … CONCURRENTLY takes out of its table. Both names
 * quoted.
 */
export interface ConcurrentDetach {
  table: string;
  partition: string;
}

export function concurrentDetachOf({ node }: Statement): ConcurrentDetach | undefined {
  const partition = partitionCmdsOf(node).find(({ concurrent }) => concurrent === true)?.name;
  if (!("AlterTableStmt" in node) || node.AlterTableStmt.relation === undefined || partition === undefined)
    return undefined;
  return { table: quoted(node.AlterTableStmt.relation), partition: quoted(partition) };
}

function quoted({ schemaname, relname }: RangeVar): string {
  return [schemaname, relname]
    .flatMap((part) => (part === undefined ? [] : [escapeIdentifier(part)]))
    .join(".");
}

export function dropsIndexConcurrently({ node }: Statement): boolean {
  return "DropStmt" in node && node.DropStmt.concurrent === true;
}
