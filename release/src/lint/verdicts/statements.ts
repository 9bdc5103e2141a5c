import type { NodeKind } from "../../sql/tree.js";
import { accepted, holds, type Verdict } from "./verdict.js";

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
