import type {
  AlterPublicationAction,
  AlterSubscriptionType,
  AlterTSConfigType,
  DiscardMode,
  TransactionStmtKind,
  VariableSetKind,
  AlterTableType,
} from "libpg-query";

/** The rules that check a kind of statement, each in its phases; none: it is accepted in every phase. */
export type Verdict = readonly string[];

export const accepted: Verdict = [];

export const holds: Verdict = ["several-tables", "enum-value-used"];

export const searchCommands: Record<AlterTSConfigType, Verdict> = {
  ALTER_TSCONFIG_ADD_MAPPING: accepted,
  ALTER_TSCONFIG_ALTER_MAPPING_FOR_TOKEN: ["alter-object"],
  ALTER_TSCONFIG_REPLACE_DICT: ["alter-object"],
  ALTER_TSCONFIG_REPLACE_DICT_FOR_TOKEN: ["alter-object"],
  ALTER_TSCONFIG_DROP_MAPPING: ["alter-object"],
};

export const publicationCommands: Record<AlterPublicationAction, Verdict> = {
  AP_AddObjects: accepted,
  AP_DropObjects: ["alter-object"],
  AP_SetObjects: ["alter-object"],
};

const refreshed: Verdict = ["alter-object", "needs-no-transaction"];
export const subscriptionCommands: Record<AlterSubscriptionType, Verdict> = {
  ALTER_SUBSCRIPTION_OPTIONS: ["alter-object"],
  ALTER_SUBSCRIPTION_CONNECTION: ["alter-object"],
  ALTER_SUBSCRIPTION_SET_PUBLICATION: refreshed,
  ALTER_SUBSCRIPTION_ADD_PUBLICATION: refreshed,
  ALTER_SUBSCRIPTION_DROP_PUBLICATION: refreshed,
  ALTER_SUBSCRIPTION_REFRESH: refreshed,
  ALTER_SUBSCRIPTION_ENABLED: ["alter-object"],
  ALTER_SUBSCRIPTION_SKIP: ["alter-object"],
};

export const settingCommands: Record<VariableSetKind, Verdict> = {
  VAR_SET_VALUE: ["guard-setting"],
  VAR_SET_DEFAULT: ["guard-setting"],
  VAR_SET_CURRENT: ["guard-setting"],
  VAR_SET_MULTI: ["guard-setting"],
  VAR_RESET: ["guard-setting"],
  VAR_RESET_ALL: ["guard-setting"],
};

export const discards: Record<DiscardMode, Verdict> = {
  DISCARD_ALL: ["guard-setting", "needs-no-transaction"],
  DISCARD_PLANS: accepted,
  DISCARD_SEQUENCES: accepted,
  DISCARD_TEMP: accepted,
};

const control: Verdict = ["transaction-control"];
export const transactions: Record<TransactionStmtKind, Verdict> = {
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
export const domainCommands: Record<string, Verdict> = {
  T: ["change-domain"],
  N: ["change-domain"],
  O: ["domain-scan"],
  C: ["domain-scan", "change-domain"],
  X: ["change-domain"],
  V: ["domain-scan"],
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
export const tableCommands: Partial<Record<AlterTableType, Verdict>> = {
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
