export { colors, isColor, otherColor, type Color } from "./color.js";
export { describeLive, readLiveColor } from "./live.js";
export { names, templateAnnotation } from "./names.js";
export { Refusal, messageOf } from "./refusal.js";
export { DeadlineError, poll, type PollOptions } from "./poll.js";
export { connect, type Cluster, type ClusterRef } from "./kubernetes/cluster.js";
export { orUndefined } from "./kubernetes/orUndefined.js";
export { forwardPod, type Forwarded } from "./kubernetes/portForward.js";
export { readyPodsBehind, type ReadyPod } from "./gates/endpoints.js";
export { listMigrations, type Migration } from "./migrations/files.js";
export { runMigrations, type MigrationResult, type MigrationRun } from "./migrations/runner.js";
export type { Plain, PlainRecord, Step, Violation } from "./step.js";
export { parseSettings, settingKeys, type Settings, type ColorSettings, type ProbeTimings } from "./settings/settings.js";

export { databaseAccount, type DatabaseAccountInputs, type DatabaseAccountOutputs } from "./database/account.js";
export { liveLock, type LiveLockInputs, type LiveLockOutputs } from "./liveLock.js";
export { migrations, type MigrationsInputs, type MigrationsOutputs } from "./migrations/step.js";
export { rollout, whatIsPending, type RolloutInputs, type RolloutOutputs } from "./gates/rollout.js";
export { refuseFailure, smokeGate, type SmokeInputs, type SmokeOutputs } from "./gates/smoke.js";
