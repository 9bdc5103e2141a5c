import type { AlterTableCmd, IndexStmt, Node, ObjectType, RangeVar } from "libpg-query";
import { isOn } from "../sql/tree.js";
import { constraintsOf } from "./facts.js";
import type { KnownObjects } from "./scope.js";

/** PostgreSQL's locks on a table that stop somebody. */
type Lock = "ACCESS EXCLUSIVE" | "SHARE ROW EXCLUSIVE" | "SHARE" | "ROW EXCLUSIVE" | "ROW SHARE";

/** What a rule's example does to the table, as PostgreSQL itself shows it. */
interface Effect {
  /** Held to the end of the transaction. */
  lock: Lock;
  /** SQL without which the example does nothing. */
  given?: string;
  /** What is done with all rows while it is held. */
  work?: "rewritten" | "read";
  /**
   * About how long that takes for a million rows, in seconds, on two busy cores and PostgreSQL 15, or the
   * newest where 15 has no such statement: npm run bench:lint.
   */
  seconds?: number;
  /** Otherwise every version that is supported. */
  versions?: string;
}

const stops: Record<Lock, string> = {
  "ACCESS EXCLUSIVE": "stops reads and writes",
  "SHARE ROW EXCLUSIVE": "stops writes",
  SHARE: "stops writes",
  "ROW EXCLUSIVE": "stops writes of the rows it has changed",
  "ROW SHARE": "stops writes of the rows it has locked",
};

/** By rule. One that is missing is about what the live version asks for, not about locks. */
export const effects: Readonly<Partial<Record<string, Effect>>> = {
  "rename-column": { lock: "ACCESS EXCLUSIVE" },
  "rename-table": { lock: "ACCESS EXCLUSIVE" },
  "rename-constraint": { lock: "ACCESS EXCLUSIVE" },
  "rename-trigger": { lock: "ACCESS EXCLUSIVE" },
  "drop-column": { lock: "ACCESS EXCLUSIVE" },
  "drop-table": { lock: "ACCESS EXCLUSIVE" },
  "drop-trigger": { lock: "ACCESS EXCLUSIVE" },
  "drop-policy": { lock: "ACCESS EXCLUSIVE" },
  "drop-constraint": { lock: "ACCESS EXCLUSIVE" },
  "drop-index": { lock: "ACCESS EXCLUSIVE" },
  "volatile-default": {
    lock: "ACCESS EXCLUSIVE",
    work: "rewritten",
    seconds: 10,
    versions: "a default that is the same for every row rewrote it before 11, too",
  },
  "stored-generated-column": {
    lock: "ACCESS EXCLUSIVE",
    work: "rewritten",
    seconds: 9,
    versions: "from 12 on; 18 has VIRTUAL, which rewrites nothing",
  },
  "change-generated-column": {
    lock: "ACCESS EXCLUSIVE",
    given: "ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (total * 1.19) STORED",
    work: "rewritten",
    seconds: 8,
    versions: "from 17 on",
  },
  "serial-column": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 11 },
  "domain-column": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 7 },
  "set-not-null": {
    lock: "ACCESS EXCLUSIVE",
    work: "read",
    seconds: 0.7,
    versions: "a validated CHECK is a proof from 12 on",
  },
  "drop-not-null": { lock: "ACCESS EXCLUSIVE" },
  "change-type": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 9 },
  "change-default": { lock: "ACCESS EXCLUSIVE" },
  "drop-default": { lock: "ACCESS EXCLUSIVE" },
  "drop-identity": { lock: "ACCESS EXCLUSIVE" },
  "validated-foreign-key": { lock: "SHARE ROW EXCLUSIVE", work: "read", seconds: 0.9 },
  "foreign-key-before-contract": {
    lock: "SHARE ROW EXCLUSIVE",
    versions: "on a partitioned table NOT VALID is there from 18 on",
  },
  "validated-check": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.3 },
  "check-before-contract": { lock: "ACCESS EXCLUSIVE" },
  "unique-constraint": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 2.7 },
  "primary-key-using-index": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.4 },
  "exclusion-constraint": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 260 },
  "alter-constraint": { lock: "ACCESS EXCLUSIVE" },
  "enforce-constraint": {
    lock: "ACCESS EXCLUSIVE",
    given:
      "UPDATE orders SET payer = customer; ALTER TABLE orders ALTER CONSTRAINT orders_payer_fkey NOT ENFORCED",
    work: "read",
    seconds: 0.3,
    versions: "from 18 on",
  },
  "validate-in-same-transaction": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.3 },
  "domain-scan": {
    lock: "SHARE",
    work: "read",
    seconds: 0.4,
    versions: "from 18 on, VALIDATE CONSTRAINT stops no writes",
  },
  "create-index": { lock: "SHARE", work: "read", seconds: 1.1 },
  reindex: {
    lock: "ACCESS EXCLUSIVE",
    work: "read",
    seconds: 5,
    versions: "CONCURRENTLY is there from 12 on",
  },
  "detach-partition": { lock: "ACCESS EXCLUSIVE", versions: "CONCURRENTLY is there from 14 on" },
  "create-partition": { lock: "ACCESS EXCLUSIVE" },
  "attach-partition": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.7 },
  "change-inheritance": { lock: "ACCESS EXCLUSIVE" },
  "unbounded-update": { lock: "ROW EXCLUSIVE", work: "rewritten", seconds: 50 },
  "unbounded-delete": { lock: "ROW EXCLUSIVE", work: "read", seconds: 2 },
  "unbounded-row-locks": { lock: "ROW SHARE", work: "read", seconds: 3 },
  "backfill-with-ddl": { lock: "ACCESS EXCLUSIVE" },
  "work-under-lock": { lock: "ACCESS EXCLUSIVE", work: "read", seconds: 0.1 },
  "several-tables": { lock: "ACCESS EXCLUSIVE" },
  "lock-table": { lock: "ACCESS EXCLUSIVE" },
  truncate: { lock: "ACCESS EXCLUSIVE" },
  "vacuum-full": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 3 },
  cluster: { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 5 },
  "refresh-view": { lock: "ACCESS EXCLUSIVE" },
  "rewrite-table": { lock: "ACCESS EXCLUSIVE", work: "rewritten", seconds: 1.7 },
  "set-schema": { lock: "ACCESS EXCLUSIVE" },
  "enable-rls": { lock: "ACCESS EXCLUSIVE" },
  "disable-rls": { lock: "ACCESS EXCLUSIVE" },
  "change-policy": { lock: "ACCESS EXCLUSIVE" },
  "create-rule": { lock: "ACCESS EXCLUSIVE" },
  "disable-trigger": { lock: "SHARE ROW EXCLUSIVE" },
  "change-owner": { lock: "ACCESS EXCLUSIVE" },
  "set-generated-always": { lock: "ACCESS EXCLUSIVE" },
  "replica-identity": { lock: "ACCESS EXCLUSIVE" },
};

/** The lock, who waits, for how long, and where; undefined for a rule that is not about locks. */
export function effectOf(rule: string): string | undefined {
  const effect = effects[rule];
  if (effect === undefined) return undefined;
  const { lock, work, seconds, versions } = effect;
  const whole =
    work === undefined
      ? "to the end of the transaction"
      : `until all rows are ${work}${seconds === undefined ? "" : `, about ${seconds} s for a million`}`;
  return `${lock} lock, which ${stops[lock]}, ${whole}; ${versions === undefined ? "all PostgreSQL versions" : `PostgreSQL: ${versions}`}`;
}

/** A lock against the writes of others, held to the end of the transaction. */
export interface HeldLock {
  relation: string;
  /** By DDL on the relation, which has to wait for all who use it. */
  isAltered: boolean;
}

/** PostgreSQL's number of SHARE, the weakest lock that stops writes. */
export const shareLock = 5;

/** Commands of ALTER TABLE that writers do not wait for. */
const letsWritersOn = new Set([
  "AT_ValidateConstraint",
  "AT_SetStatistics",
  "AT_SetOptions",
  "AT_ResetOptions",
  "AT_SetRelOptions",
  "AT_ResetRelOptions",
  "AT_ClusterOn",
  "AT_DropCluster",
  "AT_AttachPartition",
]);

const tables = new Set<ObjectType>(["OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"]);
const ofTables = new Set<ObjectType>(["OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"]);
const renamedWithTable = new Set<ObjectType>([
  ...tables,
  "OBJECT_COLUMN",
  "OBJECT_TABCONSTRAINT",
  "OBJECT_TRIGGER",
  "OBJECT_POLICY",
  "OBJECT_RULE",
]);

/** Which relations of others a statement locks against writes. */
export function locksOf(node: Node, known: KnownObjects): HeldLock[] {
  // LOCK of a view locks the tables that it shows.
  const isOwn = (relation: RangeVar) =>
    "LockStmt" in node ? known.isFreshData(relation) : known.isFreshRelation(relation);
  const on = (isAltered: boolean, ...relations: (RangeVar | undefined)[]): HeldLock[] =>
    relations.flatMap((relation) =>
      relation === undefined || isOwn(relation)
        ? []
        : [{ relation: known.scope.relation(relation), isAltered }],
    );

  if ("AlterTableStmt" in node) {
    const { relation, cmds = [], objtype = "OBJECT_TABLE" } = node.AlterTableStmt;
    if (!tables.has(objtype) && objtype !== "OBJECT_VIEW" && objtype !== "OBJECT_MATVIEW") return [];
    const commands = cmds.flatMap((each) => ("AlterTableCmd" in each ? [each.AlterTableCmd] : []));
    const own = commands.some(
      (command) => !letsWritersOn.has(command.subtype ?? "") && !isConcurrentDetach(command),
    )
      ? on(tables.has(objtype), relation)
      : [];
    return [...own, ...commands.flatMap(({ def }) => on(false, ...alsoLocked(def)))];
  }
  if ("CreateStmt" in node) {
    const { tableElts = [], inhRelations = [], partbound, relation } = node.CreateStmt;
    const referenced = tableElts
      .flatMap(alsoLocked)
      .filter((target) => known.scope.relation(target) !== known.scope.relation(relation));
    return [
      ...on(false, ...referenced),
      ...on(true, ...(partbound === undefined ? [] : rangeVars(inhRelations))),
    ];
  }
  if ("IndexStmt" in node)
    return node.IndexStmt.concurrent === true || comesWithTable(node.IndexStmt, known)
      ? []
      : on(true, node.IndexStmt.relation);
  if ("RenameStmt" in node)
    return renamedWithTable.has(node.RenameStmt.renameType ?? "OBJECT_INDEX")
      ? on(true, node.RenameStmt.relation)
      : [];
  if ("AlterObjectSchemaStmt" in node) return on(true, node.AlterObjectSchemaStmt.relation);
  if ("CreateTrigStmt" in node) return on(true, node.CreateTrigStmt.relation);
  if ("CreatePolicyStmt" in node) return on(true, node.CreatePolicyStmt.table);
  if ("AlterPolicyStmt" in node) return on(true, node.AlterPolicyStmt.table);
  if ("RuleStmt" in node) return on(true, node.RuleStmt.relation);
  if ("ViewStmt" in node) return node.ViewStmt.replace === true ? on(false, node.ViewStmt.view) : [];
  if ("LockStmt" in node)
    return (node.LockStmt.mode ?? 8) >= shareLock ? on(true, ...rangeVars(node.LockStmt.relations)) : [];
  if ("TruncateStmt" in node) return on(true, ...rangeVars(node.TruncateStmt.relations));
  if ("RefreshMatViewStmt" in node)
    return node.RefreshMatViewStmt.concurrent === true ? [] : on(false, node.RefreshMatViewStmt.relation);
  if ("ReindexStmt" in node)
    return isOn(node.ReindexStmt.params, "concurrently") ? [] : on(true, node.ReindexStmt.relation);
  if ("DropStmt" in node) {
    const { removeType = "OBJECT_TABLE", objects = [], concurrent } = node.DropStmt;
    const names = objects
      .filter((object) => !known.isFresh(removeType, object))
      .map((object) => known.scope.object(removeType, object));
    if (removeType === "OBJECT_INDEX")
      return concurrent === true
        ? []
        : names.map((name) => ({ relation: known.index(name)?.table ?? name, isAltered: false }));
    if (ofTables.has(removeType))
      return names.map((name) => ({ relation: name.split(" ")[0] ?? "", isAltered: true }));
    // Nobody uses a table that may be dropped.
    return tables.has(removeType) || removeType === "OBJECT_VIEW" || removeType === "OBJECT_MATVIEW"
      ? names.map((relation) => ({ relation, isAltered: false }))
      : [];
  }
  return [];
}

/** IF NOT EXISTS twice: whatever run made the table made its index. */
export function comesWithTable({ relation, if_not_exists }: IndexStmt, known: KnownObjects): boolean {
  return if_not_exists === true && known.isMaybeFreshRelation(relation);
}

function isConcurrentDetach({ subtype, def }: AlterTableCmd): boolean {
  return (
    subtype === "AT_DetachPartition" &&
    def !== undefined &&
    "PartitionCmd" in def &&
    def.PartitionCmd.concurrent === true
  );
}

/** A foreign key locks the other table, too, and ATTACH the partition. */
function alsoLocked(definition: Node | undefined): RangeVar[] {
  if (definition === undefined) return [];
  if ("PartitionCmd" in definition)
    return definition.PartitionCmd.name === undefined || definition.PartitionCmd.bound === undefined
      ? []
      : [definition.PartitionCmd.name];
  const constraints =
    "ColumnDef" in definition ? constraintsOf(definition.ColumnDef.constraints) : constraintsOf([definition]);
  return constraints.flatMap(({ pktable }) => (pktable === undefined ? [] : [pktable]));
}

export function rangeVars(nodes: object[] | undefined): RangeVar[] {
  return (nodes ?? []).flatMap((node) =>
    "RangeVar" in node && isRelation(node.RangeVar) ? [node.RangeVar] : [],
  );
}

function isRelation(value: unknown): value is RangeVar {
  return typeof value === "object" && value !== null && "relname" in value;
}
