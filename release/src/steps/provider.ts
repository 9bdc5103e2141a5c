import { sharingReads, type Reads } from "../kubernetes/sharedReads.js";
import { untilActedOnHarm } from "../state/harm.js";
import { messageOf, UserError } from "../util/userError.js";
import { shown } from "../util/shown.js";
import type { PlainRecord, Step } from "../util/step.js";
import { steps, type StepName } from "./registry.js";

export { steps };

/** What Pulumi's process for dynamic resources asks of one. */
export interface DynamicProvider {
  check(
    last: PlainRecord | undefined,
    inputs: PlainRecord,
  ): Promise<{ inputs: PlainRecord; failures: { property: string; reason: string }[] }>;
  diff(id: string, last: PlainRecord, inputs: PlainRecord): Promise<{ changes: boolean }>;
  create(inputs: PlainRecord): Promise<{ id: string; outs: PlainRecord }>;
  update(id: string, last: PlainRecord, inputs: PlainRecord): Promise<{ outs: PlainRecord }>;
  /** To Pulumi an empty id says that there is no such thing any more. */
  read(id: string, last: PlainRecord): Promise<{ id: string; props: PlainRecord }>;
}

/**
 * A step of the release as a dynamic provider. Whatever it says, it says for people: Pulumi shows it as it
 * is.
 */
export function dynamicProvider(name: StepName): DynamicProvider {
  const load = steps[name].load as () => Promise<Step<PlainRecord, PlainRecord>>;
  // What a provider prints is shown in the update's output, as it comes.
  const say = (line: string) => {
    console.log(shown(line));
  };
  const step = async <T>(work: (loaded: Step<PlainRecord, PlainRecord>) => Promise<T>): Promise<T> => {
    const loaded = await load();
    try {
      return await work(loaded);
    } catch (error) {
      await untilActedOnHarm();
      const said = error instanceof UserError ? error : new Error(messageOf(error), { cause: error });
      // Pulumi's process prints it beside the sentence.
      said.stack = "";
      throw said;
    }
  };
  // Pulumi asks for the difference right after the check.
  let checkedBy: Reads = new Map();
  const outs = async (inputs: PlainRecord, last: PlainRecord) => ({
    ...inputs,
    ...(await step((each) => each.run(inputs, say, last))),
  });
  return {
    check: async (last, inputs) => {
      const reads: Reads = new Map();
      const violations = await step((each) => sharingReads(reads, () => each.check(inputs, last ?? {}, say)));
      checkedBy = reads;
      return {
        inputs,
        failures: violations.map(({ property, reason }) => ({ property, reason: shown(reason) })),
      };
    },
    diff: async (_id, last, inputs) => {
      const reads = checkedBy;
      checkedBy = new Map();
      return { changes: await step((each) => sharingReads(reads, () => each.isNeeded(last, inputs))) };
    },
    create: async (inputs) => ({ id: name, outs: await outs(inputs, {}) }),
    update: async (_id, last, inputs) => ({ outs: await outs(inputs, last) }),
    read: async (id, last) => ({
      id: (await step(async (each) => each.isGone?.(last))) === true ? "" : id,
      props: last,
    }),
  };
}
