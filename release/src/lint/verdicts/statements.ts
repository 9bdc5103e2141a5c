import type { ObjectType } from "libpg-query";
import type { NodeKind } from "../../sql/tree.js";
import { accepted, holds, type Verdict } from "./commands.js";

/** A statement of PostgreSQL's grammar, by the name of its node. */
type StatementKind = Extract<NodeKind, `${string}Stmt`>;

export type Split =
  | "AlterTableStmt"
  | "DropStmt"
  | "RenameStmt"
  | "AlterObjectSchemaStmt"
  | "AlterOwnerStmt"
  | "DefineStmt"
  | "AlterDomainStmt"
  | "AlterTSConfigurationStmt"
  | "AlterPublicationStmt"
  | "AlterSubscriptionStmt"
  | "VariableSetStmt"
  | "DiscardStmt"
  | "TransactionStmt";

/** Parts of other statements and of PL/pgSQL: no statement of a file begins with one. */
type Inner = "PLAssignStmt" | "RawStmt" | "ReplicaIdentityStmt" | "ReturnStmt" | "SetOperationStmt";

const reads: Verdict = [
  "work-under-lock",
  "unbounded-row-locks",
  "enum-value-used",
  "guard-setting",
  "unbounded-update",
  "unbounded-delete",
  "backfill-with-ddl",
  "restart-sequence",
];

/** Kinds with one verdict. The compiler refuses a kind of a newer grammar that is missing here. */
export const whole: Record<Exclude<StatementKind, Split | Inner>, Verdict> = {
  AlterCollationStmt: accepted,
  AlterDatabaseRefreshCollStmt: accepted,
  AlterDatabaseSetStmt: ["alter-database"],
  AlterDatabaseStmt: ["alter-database", "needs-no-transaction"],
  // About objects that are yet to come.
  AlterDefaultPrivilegesStmt: accepted,
  AlterEnumStmt: ["rename-enum-value"],
  AlterEventTrigStmt: ["alter-object"],
  AlterExtensionContentsStmt: ["alter-object"],
  AlterExtensionStmt: ["alter-object"],
  AlterFdwStmt: ["alter-object"],
  AlterForeignServerStmt: ["alter-object"],
  AlterFunctionStmt: ["alter-object"],
  AlterObjectDependsStmt: accepted,
  AlterOpFamilyStmt: ["alter-object"],
  AlterOperatorStmt: ["alter-object"],
  AlterPolicyStmt: ["change-policy", ...holds],
  AlterRoleSetStmt: ["alter-role"],
  AlterRoleStmt: ["alter-role", "revoke"],
  AlterSeqStmt: ["alter-sequence", "restart-sequence"],
  AlterStatsStmt: accepted,
  AlterSystemStmt: ["alter-database", "needs-no-transaction"],
  AlterTSDictionaryStmt: ["alter-object"],
  AlterTableMoveAllStmt: ["rewrite-table"],
  AlterTableSpaceOptionsStmt: ["alter-database"],
  AlterTypeStmt: ["alter-object"],
  AlterUserMappingStmt: ["alter-object"],
  CallStmt: ["do-block"],
  CheckPointStmt: accepted,
  ClosePortalStmt: accepted,
  ClusterStmt: ["cluster", "needs-no-transaction"],
  CommentStmt: accepted,
  CompositeTypeStmt: accepted,
  ConstraintsSetStmt: accepted,
  CopyStmt: ["do-block", ...reads],
  CreateAmStmt: accepted,
  CreateCastStmt: accepted,
  CreateConversionStmt: accepted,
  CreateDomainStmt: accepted,
  CreateEnumStmt: accepted,
  CreateEventTrigStmt: accepted,
  CreateExtensionStmt: accepted,
  CreateFdwStmt: accepted,
  CreateForeignServerStmt: accepted,
  CreateForeignTableStmt: accepted,
  CreateFunctionStmt: accepted,
  CreateOpClassStmt: accepted,
  CreateOpFamilyStmt: accepted,
  CreatePLangStmt: accepted,
  CreatePolicyStmt: ["change-policy", ...holds],
  CreatePublicationStmt: accepted,
  CreateRangeStmt: accepted,
  CreateRoleStmt: accepted,
  CreateSchemaStmt: accepted,
  CreateSeqStmt: accepted,
  CreateStatsStmt: accepted,
  CreateStmt: ["create-partition", "json-column", ...holds],
  CreateSubscriptionStmt: ["needs-no-transaction"],
  CreateTableAsStmt: [...reads, ...holds],
  CreateTableSpaceStmt: ["needs-no-transaction"],
  CreateTransformStmt: accepted,
  // It acts on rows that are yet to come, as the trigger of a dual write has to.
  CreateTrigStmt: holds,
  CreateUserMappingStmt: accepted,
  CreatedbStmt: ["needs-no-transaction"],
  DeallocateStmt: accepted,
  DeclareCursorStmt: reads,
  DeleteStmt: ["unbounded-delete", ...reads],
  DoStmt: ["do-block"],
  DropOwnedStmt: ["drop-owned"],
  DropRoleStmt: ["drop-role"],
  DropSubscriptionStmt: ["drop-role", "needs-no-transaction"],
  DropTableSpaceStmt: ["drop-database", "needs-no-transaction"],
  DropUserMappingStmt: ["drop-role"],
  DropdbStmt: ["drop-database", "needs-no-transaction"],
  // The rest of what it runs was checked where it was prepared.
  ExecuteStmt: ["work-under-lock"],
  ExplainStmt: reads,
  FetchStmt: ["work-under-lock"],
  GrantRoleStmt: ["revoke"],
  GrantStmt: ["revoke"],
  ImportForeignSchemaStmt: accepted,
  IndexStmt: [
    "create-index",
    "unique-before-contract",
    "not-on-partitioned",
    "needs-no-transaction",
    ...holds,
  ],
  InsertStmt: reads,
  ListenStmt: accepted,
  LoadStmt: ["do-block"],
  LockStmt: ["lock-table", ...holds],
  MergeStmt: reads,
  NotifyStmt: accepted,
  PrepareStmt: reads,
  ReassignOwnedStmt: ["change-owner"],
  RefreshMatViewStmt: ["refresh-view", ...reads],
  ReindexStmt: ["reindex", "needs-no-transaction", ...holds],
  RuleStmt: ["create-rule", ...holds],
  SecLabelStmt: accepted,
  SelectStmt: reads,
  TruncateStmt: ["truncate", ...holds],
  UnlistenStmt: accepted,
  UpdateStmt: reads,
  VacuumStmt: ["vacuum-full", "needs-no-transaction", "work-under-lock"],
  VariableShowStmt: accepted,
  ViewStmt: holds,
};

type ByObject = Partial<Record<ObjectType, Verdict>>;

export const same = (verdict: Verdict, ...types: ObjectType[]): ByObject =>
  Object.fromEntries(types.map((type) => [type, verdict]));

const routines: ObjectType[] = ["OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"];
const searchObjects: ObjectType[] = [
  "OBJECT_TSCONFIGURATION",
  "OBJECT_TSDICTIONARY",
  "OBJECT_TSPARSER",
  "OBJECT_TSTEMPLATE",
];

export const drops: ByObject = {
  ...same(["drop-table", ...holds], "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"),
  ...same(["drop-view"], "OBJECT_VIEW", "OBJECT_MATVIEW"),
  ...same(["drop-function"], ...routines),
  ...same(["drop-type"], "OBJECT_TYPE", "OBJECT_DOMAIN"),
  ...same(["drop-trigger", ...holds], "OBJECT_TRIGGER", "OBJECT_RULE"),
  OBJECT_SCHEMA: ["drop-schema"],
  OBJECT_SEQUENCE: ["drop-sequence"],
  OBJECT_POLICY: ["drop-policy", ...holds],
  OBJECT_INDEX: ["drop-index", "drop-live-index", "not-on-partitioned", "needs-no-transaction"],
  ...same(
    ["drop-object"],
    "OBJECT_ACCESS_METHOD",
    "OBJECT_CAST",
    "OBJECT_COLLATION",
    "OBJECT_CONVERSION",
    "OBJECT_EVENT_TRIGGER",
    "OBJECT_EXTENSION",
    "OBJECT_FDW",
    "OBJECT_FOREIGN_SERVER",
  ),
  ...same(
    ["drop-object"],
    "OBJECT_LANGUAGE",
    "OBJECT_OPCLASS",
    "OBJECT_OPERATOR",
    "OBJECT_OPFAMILY",
    "OBJECT_PUBLICATION",
    "OBJECT_STATISTIC_EXT",
    "OBJECT_TRANSFORM",
    ...searchObjects,
  ),
};

export const renames: ByObject = {
  OBJECT_COLUMN: ["rename-column"],
  ...same(["rename-table"], "OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"),
  OBJECT_SCHEMA: ["rename-schema"],
  ...same(["rename-view"], "OBJECT_VIEW", "OBJECT_MATVIEW"),
  ...same(["rename-function"], ...routines),
  ...same(["rename-type"], "OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_ATTRIBUTE"),
  OBJECT_SEQUENCE: ["rename-sequence"],
  ...same(["rename-constraint"], "OBJECT_TABCONSTRAINT", "OBJECT_DOMCONSTRAINT"),
  ...same(["rename-trigger"], "OBJECT_TRIGGER", "OBJECT_RULE"),
  // No SQL of an app names them, and their names decide nothing.
  ...same(accepted, "OBJECT_INDEX", "OBJECT_POLICY", "OBJECT_STATISTIC_EXT"),
  ...same(
    ["rename-object"],
    "OBJECT_ROLE",
    "OBJECT_COLLATION",
    "OBJECT_CONVERSION",
    "OBJECT_DATABASE",
    "OBJECT_EVENT_TRIGGER",
    "OBJECT_FDW",
    "OBJECT_FOREIGN_SERVER",
    "OBJECT_LANGUAGE",
  ),
  ...same(
    ["rename-object"],
    "OBJECT_OPCLASS",
    "OBJECT_OPFAMILY",
    "OBJECT_PUBLICATION",
    "OBJECT_SUBSCRIPTION",
    "OBJECT_TABLESPACE",
    ...searchObjects,
  ),
};

export const schemaObjects: ObjectType[] = [
  "OBJECT_TABLE",
  "OBJECT_FOREIGN_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_SEQUENCE",
  ...routines,
  "OBJECT_TYPE",
  "OBJECT_DOMAIN",
  "OBJECT_COLLATION",
  "OBJECT_CONVERSION",
  "OBJECT_EXTENSION",
  "OBJECT_OPERATOR",
  "OBJECT_OPCLASS",
  "OBJECT_OPFAMILY",
  "OBJECT_STATISTIC_EXT",
  ...searchObjects,
];

export const ownedObjects: ObjectType[] = [
  ...routines,
  ...([
    "OBJECT_TYPE",
    "OBJECT_DOMAIN",
    "OBJECT_COLLATION",
    "OBJECT_CONVERSION",
    "OBJECT_OPERATOR",
    "OBJECT_OPCLASS",
    "OBJECT_OPFAMILY",
    "OBJECT_STATISTIC_EXT",
    "OBJECT_TSCONFIGURATION",
    "OBJECT_TSDICTIONARY",
  ] satisfies ObjectType[]),
  ...([
    "OBJECT_DATABASE",
    "OBJECT_EVENT_TRIGGER",
    "OBJECT_FDW",
    "OBJECT_FOREIGN_SERVER",
    "OBJECT_LANGUAGE",
    "OBJECT_LARGEOBJECT",
    "OBJECT_PUBLICATION",
    "OBJECT_SUBSCRIPTION",
    "OBJECT_SCHEMA",
    "OBJECT_TABLESPACE",
  ] satisfies ObjectType[]),
];

export const definitions: ObjectType[] = [
  "OBJECT_AGGREGATE",
  "OBJECT_COLLATION",
  "OBJECT_OPERATOR",
  "OBJECT_TYPE",
  ...searchObjects,
];
