import { z } from "zod";
import { colors } from "../app/color.js";
import { throughCluster } from "../relay/throughCluster.js";
import { step } from "./declared.js";

const nothing = z.object({});
const applied = z.array(z.string());
const formatApplied = (ids: string[]) =>
  ids.length === 0 ? "nothing was to apply" : `applied ${ids.join(", ")}`;
const outcome = z.object({ outcome: z.string() });
const formatOutcome = ({ outcome: text }: z.output<typeof outcome>) => text;
const formatTests = (count: number) => `${count} tests passed`;

/**
 * Every step of a release, in the order in which they run: all that components, plan, commands and pages know
 * of one. Its name and its resource's are in everybody's state (docs/decisions/024-built-once.md).
 */
export const steps = {
  liveLock: step(async () => (await import("../releases/liveLock.js")).liveLock, {
    resource: "live-lock",
    outputs: z.object({ release: z.string(), namespaceUid: z.string() }),
  }),
  capacityGate: step(async () => (await import("../capacity/gate.js")).capacityGate, {
    resource: "capacity",
    outputs: nothing,
    gate: { title: "room for both colors", result: () => "there is" },
  }),
  routerGate: step(async () => (await import("../doctor/ingress.js")).routerGate, {
    resource: "router",
    outputs: nothing,
  }),
  databaseAccount: step(
    throughCluster(async () => (await import("../postgres/account.js")).databaseAccount),
    {
      resource: "database",
      outputs: nothing,
      secrets: ["adminUrl", "password"],
    },
  ),
  liveGuard: step(async () => (await import("../releases/liveGuard.js")).liveGuard, {
    resource: "live-guard",
    outputs: z.object({ guard: z.string() }),
  }),
  migrations: step(
    throughCluster(async () => (await import("../migrations/step.js")).migrations),
    {
      resource: "migrations",
      outputs: z.object({
        schemaVersion: z.string(),
        applied,
        waiting: z.array(z.string()),
        since: z.string(),
      }),
      gate: {
        title: "migrations",
        // A plan tells each of them.
        planned: () => undefined,
        result: (outputs) => `schema ${outputs.schemaVersion}, ${formatApplied(outputs.applied)}`,
      },
    },
  ),
  databaseSync: step(async () => (await import("../replication/databaseSync.js")).databaseSync, {
    resource: "database-sync",
    outputs: nothing,
  }),
  gateBeforeRollout: step(async () => (await import("../gates/ownGates.js")).gateBeforeRollout, {
    resource: "before-rollout",
    runs: "named",
    outputs: outcome,
    gate: { title: "before the rollout", result: formatOutcome },
  }),
  migrationCommand: step(async () => (await import("../migrations/command.js")).migrationCommand, {
    resource: "migration-command",
    runs: "color",
    outputs: outcome,
    gate: { title: "migration command", result: formatOutcome },
  }),
  preflight: step(
    throughCluster(async () => (await import("../gates/preflight.js")).preflight),
    {
      resource: "preflight",
      outputs: z.object({ passedTests: z.number() }),
      gate: { title: "preflight pod", result: ({ passedTests }) => formatTests(passedTests) },
    },
  ),
  colorSize: step(async () => (await import("../capacity/colorSize.js")).colorSize, {
    resource: "size",
    runs: "color",
    outputs: z.object({ asked: z.number() }),
  }),
  rollout: step(async () => (await import("../gates/rollout.js")).rollout, {
    resource: "rollout",
    runs: "color",
    outputs: z.object({ readyReplicas: z.number() }),
    gate: { title: "rollout", result: ({ readyReplicas }) => `${readyReplicas} pods ready` },
  }),
  workerRollout: step(async () => (await import("../gates/workerRollout.js")).workerRollout, {
    resource: "workers",
    runs: "color",
    outputs: z.object({ readyWorkers: z.number() }),
    gate: { title: "workers", result: ({ readyWorkers }) => `${readyWorkers} ready` },
  }),
  schemaGate: step(
    throughCluster(async () => (await import("../gates/schemaGate.js")).schemaGate),
    {
      resource: "schema",
      runs: "color",
      outputs: z.object({ needs: z.string(), knows: z.string() }),
      gate: {
        title: "schema gate",
        result: ({ needs, knows }) => `the version needs ${needs}, and knows ${knows}`,
      },
    },
  ),
  smokeGate: step(async () => (await import("../gates/smoke.js")).smokeGate, {
    resource: "smoke",
    runs: "color",
    outputs: z.object({ passedTests: z.number() }),
    gate: {
      title: "smoke gate",
      result: ({ passedTests }) =>
        passedTests === 0 ? "not run: these pods had just served traffic" : formatTests(passedTests),
    },
  }),
  gateBeforeSwitch: step(async () => (await import("../gates/ownGates.js")).gateBeforeSwitch, {
    resource: "before-switch",
    runs: "named",
    outputs: outcome,
    gate: { title: "before the switch", result: formatOutcome },
  }),
  switchGate: step(async () => (await import("../gates/switchGate.js")).switchGate, {
    resource: "switch-gate",
    outputs: z.object({ switchId: z.string() }),
    gate: { title: "gate of the switch", result: ({ switchId }) => `let switch ${switchId} through` },
  }),
  switchTurn: step(async () => (await import("../releases/switchTurn.js")).switchTurn, {
    resource: "switch-turn",
    outputs: z.object({ begun: z.string() }),
  }),
  workersStop: step(async () => (await import("../releases/workers.js")).workersStop, {
    resource: "workers-stop",
    outputs: outcome,
    gate: {
      title: "background work stops",
      planned: ({ isFirst, idleColor }) => (isFirst ? undefined : `background work of ${idleColor} stops`),
      result: formatOutcome,
    },
  }),
  writeFreeze: step(async () => (await import("../freeze/step.js")).writeFreeze, {
    resource: "write-freeze",
    outputs: z.object({ token: z.string() }),
    secrets: ["redisUrl"],
  }),
  databaseHandover: step(async () => (await import("../replication/databaseHandover.js")).databaseHandover, {
    resource: "database-handover",
    outputs: nothing,
  }),
  databaseReconcile: step(
    async () => (await import("../replication/databaseHandover.js")).databaseReconcile,
    {
      resource: "database-reconcile",
      outputs: nothing,
    },
  ),
  writeFreezeEnd: step(async () => (await import("../freeze/step.js")).writeFreezeEnd, {
    resource: "write-freeze-end",
    outputs: z.object({ lowered: z.boolean() }),
    secrets: ["redisUrl"],
  }),
  workersStart: step(async () => (await import("../releases/workers.js")).workersStart, {
    resource: "workers-start",
    outputs: outcome,
    gate: {
      title: "background work starts",
      planned: ({ activeColor }) => `background work of ${activeColor} starts`,
      result: formatOutcome,
    },
  }),
  analysis: step(async () => (await import("../releases/analysis.js")).analysis, {
    resource: "analysis",
    outputs: z.object({ verdict: z.string() }),
    gate: {
      title: "analysis",
      // Nothing is analyzed or drained before there is traffic.
      planned: ({ isFirst, analysisSeconds }) => (isFirst ? undefined : `analysis for ${analysisSeconds} s`),
      result: ({ verdict }) => verdict || "there was nothing to analyze",
    },
  }),
  gateAfterSwitch: step(async () => (await import("../releases/gateAfterSwitch.js")).gateAfterSwitch, {
    resource: "after-switch",
    runs: "named",
    outputs: outcome,
    gate: { title: "after the switch", result: formatOutcome },
  }),
  drain: step(async () => (await import("../drain/step.js")).drain, {
    resource: "drain",
    outputs: z.object({ drainedSeconds: z.number(), connectionsLeft: z.number() }),
    gate: {
      title: "drain",
      planned: ({ isFirst, idleColor }) => (isFirst ? undefined : `drain of ${idleColor}`),
      result: ({ drainedSeconds, connectionsLeft }) =>
        `took ${Number(drainedSeconds.toFixed(1))} s, ${connectionsLeft === 0 ? "no connection was left" : `${connectionsLeft} connections were left`}`,
    },
  }),
  switchRecord: step(
    throughCluster(async () => (await import("../migrations/switches.js")).switchRecord),
    {
      resource: "switch",
      outputs: z.object({ noted: z.boolean() }),
    },
  ),
  gateBeforeScaleDown: step(async () => (await import("../gates/ownGates.js")).gateBeforeScaleDown, {
    resource: "before-scale-down",
    runs: "named",
    outputs: outcome,
    gate: { title: "before the scale-down", result: formatOutcome },
  }),
  sizeReconcile: step(async () => (await import("../capacity/colorSize.js")).sizeReconcile, {
    resource: "size-reconcile",
    runs: "last",
    outputs: z.object({ held: z.array(z.enum(colors)) }),
  }),
  liveGuardEnd: step(async () => (await import("../releases/liveGuard.js")).liveGuardEnd, {
    resource: "live-guard-end",
    runs: "last",
    outputs: z.object({ verdict: z.string() }),
    gate: {
      title: "live color",
      planned: ({ isFirst, smokeLiveColor }) =>
        isFirst
          ? undefined
          : `live color, observed meanwhile${smokeLiveColor ? ", with its smoke tests" : " (with its smoke tests: pulumi config set smokeLiveColor true)"}`,
      result: ({ verdict }) => verdict,
    },
  }),
  contract: step(
    throughCluster(async () => (await import("../migrations/contract.js")).contract),
    {
      resource: "contract",
      runs: "last",
      outputs: z.object({ applied }),
      gate: { title: "contract migrations", result: (outputs) => formatApplied(outputs.applied) },
    },
  ),
  releaseUnlock: step(async () => (await import("../state/releaseLock.js")).releaseUnlock, {
    resource: "release-unlock",
    runs: "last",
    outputs: z.object({ ended: z.literal(true) }),
  }),
};

export type StepName = keyof typeof steps;
type StepOf<Name extends StepName> = Awaited<ReturnType<(typeof steps)[Name]["load"]>>;
export type InputsOf<Name extends StepName> = Parameters<StepOf<Name>["run"]>[0];
export type OutputsOf<Name extends StepName> = Awaited<ReturnType<StepOf<Name>["run"]>>;

/** What a step is to Pulumi, in the middle of its type and of URNs. */
export function kindOf(name: StepName): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** @param owner the app, a color of it, or what else the step belongs to */
export function resourceOf(name: StepName, owner: string): string {
  return `${owner}-${steps[name].resource}`;
}

/** The steps that decide something, in the order in which they are passed. */
export const gates = (Object.keys(steps) as StepName[]).filter((name) => steps[name].title !== undefined);
