import { messageOf, Refusal } from "./refusal.js";
import { shown } from "./shown.js";
import type { PlainRecord, Step } from "./step.js";

/** The steps of a release that run at update time. Each is loaded when it is asked for: one that needs no database does not wait for its client. */
const steps = {
  capacityGate: async () => (await import("./capacity/gate.js")).capacityGate,
  colorSize: async () => (await import("./size/colorSize.js")).colorSize,
  contract: async () => (await import("./migrations/contract.js")).contract,
  databaseAccount: async () => (await import("./database/account.js")).databaseAccount,
  databaseHandover: async () => (await import("./database/databaseHandover.js")).databaseHandover,
  databaseSettle: async () => (await import("./database/databaseSettle.js")).databaseSettle,
  databaseSync: async () => (await import("./database/databaseSync.js")).databaseSync,
  drain: async () => (await import("./drain/step.js")).drain,
  fence: async () => (await import("./fence/step.js")).fence,
  fenceEnd: async () => (await import("./fence/step.js")).fenceEnd,
  liveLock: async () => (await import("./liveLock.js")).liveLock,
  migrations: async () => (await import("./migrations/step.js")).migrations,
  releaseUnlock: async () => (await import("./lock/releaseUnlock.js")).releaseUnlock,
  rollout: async () => (await import("./gates/rollout.js")).rollout,
  schemaGate: async () => (await import("./compatibility/schemaGate.js")).schemaGate,
  sizeSettle: async () => (await import("./size/sizeSettle.js")).sizeSettle,
  smokeGate: async () => (await import("./gates/smoke.js")).smokeGate,
  switchGate: async () => (await import("./releases/switchGate.js")).switchGate,
  switchRecord: async () => (await import("./migrations/switchRecord.js")).switchRecord,
  switchTurn: async () => (await import("./releases/switchTurn.js")).switchTurn,
  trial: async () => (await import("./gates/trial.js")).trial,
  watch: async () => (await import("./releases/watch.js")).watch,
};

export type StepName = keyof typeof steps;

/** What Pulumi's process for dynamic resources asks of one. */
export interface DynamicProvider {
  check(last: PlainRecord | undefined, inputs: PlainRecord): Promise<{ inputs: PlainRecord; failures: { property: string; reason: string }[] }>;
  diff(id: string, last: PlainRecord, inputs: PlainRecord): Promise<{ changes: boolean }>;
  create(inputs: PlainRecord): Promise<{ id: string; outs: PlainRecord }>;
  update(id: string, last: PlainRecord, inputs: PlainRecord): Promise<{ outs: PlainRecord }>;
}

/** A step of the release as a dynamic provider. Whatever it says, it says for people: Pulumi shows it as it is. */
export function dynamicProvider(name: StepName): DynamicProvider {
  const load = steps[name] as () => Promise<Step<PlainRecord, PlainRecord>>;
  // What a provider prints is shown in the update's output, as it comes.
  const say = (line: string) => {
    console.log(shown(line));
  };
  const step = async <T>(work: (loaded: Step<PlainRecord, PlainRecord>) => Promise<T>): Promise<T> => {
    const loaded = await load();
    try {
      return await work(loaded);
    } catch (error) {
      throw error instanceof Refusal ? error : new Error(messageOf(error), { cause: error });
    }
  };
  const outs = async (inputs: PlainRecord) => ({ ...inputs, ...(await step((each) => each.run(inputs, say))) });
  return {
    check: async (last, inputs) => ({ inputs, failures: (await step((each) => each.check(inputs, last ?? {}, say))).map(({ property, reason }) => ({ property, reason: shown(reason) })) }),
    diff: async (_id, last, inputs) => ({ changes: await step((each) => each.isNeeded(last, inputs)) }),
    create: async (inputs) => ({ id: name, outs: await outs(inputs) }),
    update: async (_id, _last, inputs) => ({ outs: await outs(inputs) }),
  };
}
