import type {
  AlterPublicationAction,
  AlterSubscriptionType,
  AlterTableType,
  AlterTSConfigType,
  DiscardMode,
  Node,
  ObjectType,
  TransactionStmtKind,
  VariableSetKind,
} from "libpg-query";
import type { NodeKind } from "../sql/tree.js";

/** The rules that judge a kind of statement, each in its phases; none: it is accepted in every phase. */
export type Verdict = readonly string[];

const accepted: Verdict = [];

/** A statement of PostgreSQL's grammar, by the name of its node. */
type StatementKind = Extract<NodeKind, `${string}Stmt`>;

type Split =
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
const holds: Verdict = ["several-tables", "enum-value-used"];

/** Kinds that are judged as one. The compiler refuses a kind of a newer grammar that is missing here. */
const whole: Record<Exclude<StatementKind, Split | Inner>, Verdict> = {
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
  // The rest of what it runs was judged where it was prepared.
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

const added: Verdict = [
  "not-on-partitioned",
  "validated-foreign-key",
  "foreign-key-before-contract",
  "validated-check",
  "check-before-contract",
  "unique-constraint",
  "primary-key-using-index",
  "exclusion-constraint",
];

/**
 * Commands of ALTER TABLE, and of what else has relations. Those that PostgreSQL makes for itself are
 * missing: the grammar has no words for them.
 */
const tableCommands: Partial<Record<AlterTableType, Verdict>> = {
  AT_AddColumn: [
    "add-not-null-column",
    "volatile-default",
    "stored-generated-column",
    "serial-column",
    "domain-column",
    "json-column",
    "change-composite-type",
    ...added,
  ],
  AT_ColumnDefault: ["change-default", "drop-default"],
  AT_DropNotNull: ["drop-not-null"],
  AT_SetNotNull: ["set-not-null"],
  AT_SetExpression: ["change-generated-column"],
  AT_DropExpression: ["drop-identity"],
  AT_SetStatistics: accepted,
  AT_SetOptions: accepted,
  AT_ResetOptions: accepted,
  AT_SetStorage: accepted,
  AT_SetCompression: accepted,
  AT_DropColumn: ["drop-column"],
  AT_AddConstraint: [...added, "set-not-null"],
  AT_AlterConstraint: ["alter-constraint", "enforce-constraint"],
  AT_ValidateConstraint: ["validate-in-same-transaction"],
  AT_DropConstraint: ["drop-constraint"],
  AT_AlterColumnType: ["change-type", "json-column"],
  AT_AlterColumnGenericOptions: ["alter-object"],
  AT_ChangeOwner: ["change-owner"],
  AT_ClusterOn: accepted,
  AT_DropCluster: accepted,
  AT_SetLogged: ["rewrite-table"],
  AT_SetUnLogged: ["rewrite-table"],
  AT_DropOids: accepted,
  AT_SetAccessMethod: ["rewrite-table"],
  AT_SetTableSpace: ["rewrite-table"],
  AT_SetRelOptions: ["alter-object"],
  AT_ResetRelOptions: ["alter-object"],
  AT_EnableTrig: accepted,
  AT_EnableAlwaysTrig: accepted,
  AT_EnableReplicaTrig: ["disable-trigger"],
  AT_DisableTrig: ["disable-trigger"],
  AT_EnableTrigAll: accepted,
  AT_DisableTrigAll: ["disable-trigger"],
  AT_EnableTrigUser: accepted,
  AT_DisableTrigUser: ["disable-trigger"],
  AT_EnableRule: accepted,
  AT_EnableAlwaysRule: accepted,
  AT_EnableReplicaRule: ["disable-trigger"],
  AT_DisableRule: ["disable-trigger"],
  AT_AddInherit: ["change-inheritance"],
  AT_DropInherit: ["change-inheritance"],
  AT_AddOf: accepted,
  AT_DropOf: accepted,
  AT_ReplicaIdentity: ["replica-identity"],
  AT_EnableRowSecurity: ["enable-rls"],
  AT_DisableRowSecurity: ["disable-rls"],
  AT_ForceRowSecurity: ["enable-rls"],
  AT_NoForceRowSecurity: ["disable-rls"],
  AT_GenericOptions: ["alter-object"],
  AT_AttachPartition: ["attach-partition"],
  AT_DetachPartition: ["detach-partition", "needs-no-transaction"],
  AT_DetachPartitionFinalize: accepted,
  AT_AddIdentity: ["set-generated-always"],
  AT_SetIdentity: ["set-generated-always", "restart-sequence", "alter-sequence"],
  AT_DropIdentity: ["drop-identity"],
};

type ByObject = Partial<Record<ObjectType, Verdict>>;

const same = (verdict: Verdict, ...types: ObjectType[]): ByObject =>
  Object.fromEntries(types.map((type) => [type, verdict]));

const routines: ObjectType[] = ["OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"];
const searchObjects: ObjectType[] = [
  "OBJECT_TSCONFIGURATION",
  "OBJECT_TSDICTIONARY",
  "OBJECT_TSPARSER",
  "OBJECT_TSTEMPLATE",
];

const drops: ByObject = {
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

const renames: ByObject = {
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

const schemaObjects: ObjectType[] = [
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

const ownedObjects: ObjectType[] = [
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

const definitions: ObjectType[] = [
  "OBJECT_AGGREGATE",
  "OBJECT_COLLATION",
  "OBJECT_OPERATOR",
  "OBJECT_TYPE",
  ...searchObjects,
];

const searchCommands: Record<AlterTSConfigType, Verdict> = {
  ALTER_TSCONFIG_ADD_MAPPING: accepted,
  ALTER_TSCONFIG_ALTER_MAPPING_FOR_TOKEN: ["alter-object"],
  ALTER_TSCONFIG_REPLACE_DICT: ["alter-object"],
  ALTER_TSCONFIG_REPLACE_DICT_FOR_TOKEN: ["alter-object"],
  ALTER_TSCONFIG_DROP_MAPPING: ["alter-object"],
};

const publicationCommands: Record<AlterPublicationAction, Verdict> = {
  AP_AddObjects: accepted,
  AP_DropObjects: ["alter-object"],
  AP_SetObjects: ["alter-object"],
};

const refreshed: Verdict = ["alter-object", "needs-no-transaction"];
const subscriptionCommands: Record<AlterSubscriptionType, Verdict> = {
  ALTER_SUBSCRIPTION_OPTIONS: ["alter-object"],
  ALTER_SUBSCRIPTION_CONNECTION: ["alter-object"],
  ALTER_SUBSCRIPTION_SET_PUBLICATION: refreshed,
  ALTER_SUBSCRIPTION_ADD_PUBLICATION: refreshed,
  ALTER_SUBSCRIPTION_DROP_PUBLICATION: refreshed,
  ALTER_SUBSCRIPTION_REFRESH: refreshed,
  ALTER_SUBSCRIPTION_ENABLED: ["alter-object"],
  ALTER_SUBSCRIPTION_SKIP: ["alter-object"],
};

const settingCommands: Record<VariableSetKind, Verdict> = {
  VAR_SET_VALUE: ["guard-setting"],
  VAR_SET_DEFAULT: ["guard-setting"],
  VAR_SET_CURRENT: ["guard-setting"],
  VAR_SET_MULTI: ["guard-setting"],
  VAR_RESET: ["guard-setting"],
  VAR_RESET_ALL: ["guard-setting"],
};

const discards: Record<DiscardMode, Verdict> = {
  DISCARD_ALL: ["guard-setting", "needs-no-transaction"],
  DISCARD_PLANS: accepted,
  DISCARD_SEQUENCES: accepted,
  DISCARD_TEMP: accepted,
};

const control: Verdict = ["transaction-control"];
const transactions: Record<TransactionStmtKind, Verdict> = {
  TRANS_STMT_BEGIN: control,
  TRANS_STMT_START: control,
  TRANS_STMT_COMMIT: control,
  TRANS_STMT_ROLLBACK: control,
  TRANS_STMT_SAVEPOINT: control,
  TRANS_STMT_RELEASE: control,
  TRANS_STMT_ROLLBACK_TO: control,
  TRANS_STMT_PREPARE: control,
  TRANS_STMT_COMMIT_PREPARED: control,
  TRANS_STMT_ROLLBACK_PREPARED: control,
};

/**
 * By the letters of PostgreSQL's own node: default, NOT NULL dropped and set, constraint added, dropped and
 * validated.
 */
const domainCommands: Record<string, Verdict> = {
  T: ["change-domain"],
  N: ["change-domain"],
  O: ["domain-scan"],
  C: ["domain-scan", "change-domain"],
  X: ["change-domain"],
  V: ["domain-scan"],
};

const split: Record<Split, Partial<Record<string, Verdict>>> = {
  AlterTableStmt: Object.fromEntries(
    Object.entries(tableCommands).map(([command, rules]) => [
      command,
      [...rules, "several-tables", "enum-value-used"],
    ]),
  ),
  DropStmt: drops,
  RenameStmt: Object.fromEntries(
    Object.entries(renames).map(([type, rules]) => [type, [...rules, "several-tables"]]),
  ),
  AlterObjectSchemaStmt: same(["set-schema", "several-tables"], ...schemaObjects),
  AlterOwnerStmt: same(["change-owner"], ...ownedObjects),
  DefineStmt: same(accepted, ...definitions),
  AlterDomainStmt: domainCommands,
  AlterTSConfigurationStmt: searchCommands,
  AlterPublicationStmt: publicationCommands,
  AlterSubscriptionStmt: subscriptionCommands,
  VariableSetStmt: settingCommands,
  DiscardStmt: discards,
  TransactionStmt: transactions,
};

/** Every kind that is listed: a statement's, or a statement's and that of its command or object. */
export const verdicts: ReadonlyMap<string, Verdict> = new Map([
  ...Object.entries<Verdict>(whole),
  ...Object.entries(split).flatMap(([kind, parts]) =>
    Object.entries(parts).flatMap(([part, rules]): [string, Verdict][] =>
      rules === undefined ? [] : [[`${kind} ${part}`, rules]],
    ),
  ),
]);

/** Those of the kinds that nobody has judged. */
export function unlisted(kinds: string[]): string[] {
  return kinds.filter((kind) => !verdicts.has(kind));
}

/** The kinds of a statement: one, or one for each command of an ALTER TABLE. */
export function kindsOf(node: Node): string[] {
  const [statement = ""] = Object.keys(node);
  if ("AlterTableStmt" in node)
    return (node.AlterTableStmt.cmds ?? []).map(
      (each) => `${statement} ${"AlterTableCmd" in each ? (each.AlterTableCmd.subtype ?? "") : ""}`,
    );
  const part = partOf(node);
  return [part === undefined ? statement : `${statement} ${part}`];
}

function partOf(node: Node): string | undefined {
  if ("DropStmt" in node) return node.DropStmt.removeType ?? "";
  if ("RenameStmt" in node) return node.RenameStmt.renameType ?? "";
  if ("AlterObjectSchemaStmt" in node) return node.AlterObjectSchemaStmt.objectType ?? "";
  if ("AlterOwnerStmt" in node) return node.AlterOwnerStmt.objectType ?? "";
  if ("DefineStmt" in node) return node.DefineStmt.kind ?? "";
  if ("AlterDomainStmt" in node) return node.AlterDomainStmt.subtype ?? "";
  if ("AlterTSConfigurationStmt" in node) return node.AlterTSConfigurationStmt.kind ?? "";
  if ("AlterPublicationStmt" in node) return node.AlterPublicationStmt.action ?? "";
  if ("AlterSubscriptionStmt" in node) return node.AlterSubscriptionStmt.kind ?? "";
  if ("VariableSetStmt" in node) return node.VariableSetStmt.kind ?? "";
  if ("DiscardStmt" in node) return node.DiscardStmt.target ?? "";
  return "TransactionStmt" in node ? (node.TransactionStmt.kind ?? "") : undefined;
}
