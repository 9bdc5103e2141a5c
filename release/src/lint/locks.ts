import type { AlterTableCmd, IndexStmt, Node, ObjectType, RangeVar } from "libpg-query";
import { isOn } from "../sql/tree.js";
import { constraintsOf } from "./facts.js";
import type { KnownObjects } from "./scope.js";

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
