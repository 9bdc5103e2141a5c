import type {
  AlterPublicationAction,
  AlterSubscriptionType,
  AlterTSConfigType,
  DiscardMode,
  TransactionStmtKind,
  VariableSetKind,
} from "libpg-query";
import { accepted, type Verdict } from "./verdict.js";

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
