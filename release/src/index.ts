export { alerting } from "./alerts/raise.js";
export { type Alert, type AlertKind, type Link, type Severity, type Version } from "./alerts/alert.js";
export { linksToRun } from "./alerts/alert.js";
export { contractDueAlert, type ContractsWaiting } from "./alerts/alert.js";
export { raiseAlert, tellAll } from "./alerts/raise.js";
export { readReceivers } from "./alerts/receivers.js";
export {
  describeDeliveries,
  sendAlert,
  type Delivery,
  type Receiver,
  type SendOptions,
} from "./alerts/send.js";
export { colors, isColor, otherColor, type Color } from "./app/color.js";
export { namespaceOf, colorNamespacesOf, namespacesOf, type ColorNamespaces } from "./app/color.js";
export { describeLive, noActiveService, readLiveColor } from "./traffic/live.js";
export { schemaGate, type SchemaGateInputs } from "./gates/schemaGate.js";
export { names, approvalAnnotation, switchAnnotation, templateAnnotation } from "./app/names.js";
export { UserError, messageOf } from "./util/userError.js";
export { DeadlineError, poll, type PollOptions } from "./util/poll.js";
export { connect, type Cluster, type ClusterRef } from "./kubernetes/cluster.js";
export { takeLease, type LeaseAnswer, type LeaseOptions } from "./kubernetes/lease.js";
export type { HeldLease } from "./kubernetes/heldLease.js";
export { orUndefined } from "./kubernetes/requests.js";
export { forwardPod, type Forwarded } from "./kubernetes/portForward.js";
export { serverTime } from "./kubernetes/requests.js";
export { holderName } from "./util/who.js";
export { readyPodsBehind, type ReadyPod } from "./kubernetes/pods.js";
export type { BatchFunction, BatchRange } from "./migrations/backfill.js";
export { listContracts, listMigrations, type Migration } from "./migrations/files.js";
export { parseHeader, type Assurance, type Batch, type MigrationHeader, type Phase } from "./sql/header.js";
export { planMigrations, type PlannedMigration } from "./migrations/plan.js";
export {
  formatApplied,
  formatProgress,
  worthSaying,
  type AppliedMigration,
  type BackfillProgress,
} from "./migrations/work.js";
export { runMigrations, type MigrationResult, type MigrationRun } from "./migrations/runner.js";
export type { Plain, PlainRecord, Step, Violation } from "./util/step.js";
export { parseSettings, type Settings, type ColorSettings, type ProbeTimings } from "./config/settings.js";
export { settingKeys } from "./config/schema.js";
export { freezeKey } from "./freeze/flag.js";
export { writeFreezeEnd, type WriteFreezeInputs } from "./freeze/step.js";
export type { LiveLockInputs } from "./releases/liveLock.js";
export { rollout, whatIsPending, type RolloutInputs } from "./gates/rollout.js";
export { analysis } from "./releases/analysis.js";
export type { PreflightInputs } from "./gates/preflight.js";
export { refuseFailure, smokeGate, type SmokeInputs } from "./gates/smoke.js";
