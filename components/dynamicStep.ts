import * as pulumi from "@pulumi/pulumi";
import type { Step } from "@bluegreen/release";
import type { PlainRecord } from "@bluegreen/release/step";

/** The steps of @bluegreen/release that run at update time. */
export type StepName = "capacityGate" | "colorSize" | "contract" | "databaseAccount" | "databaseHandover" | "databaseSettle" | "databaseSync" | "drain" | "fence" | "fenceEnd" | "liveLock" | "migrations" | "releaseUnlock" | "rollout" | "schemaGate" | "sizeSettle" | "smokeGate" | "switchGate" | "switchRecord" | "switchTurn" | "trial" | "watch";

/**
 * A step of the release as a dynamic provider. Pulumi stores this code as text in the state of
 * every resource, and a changed text is a diff: so it stays these few lines, and whatever can
 * change lives in the package that they load.
 */
export function dynamicStep(step: StepName): pulumi.dynamic.ResourceProvider {
  const load = (): Step<PlainRecord, PlainRecord> => (require("@bluegreen/release") as Record<StepName, Step<PlainRecord, PlainRecord>>)[step];
  // What a provider prints is shown in the update's output, as it comes.
  const say = (line: string) => {
    console.log(line);
  };
  return {
    check: async (last: PlainRecord | undefined, inputs: PlainRecord) => ({ inputs, failures: await load().check(inputs, last ?? {}, say) }),
    diff: async (_id: string, last: PlainRecord, inputs: PlainRecord) => ({ changes: await load().isNeeded(last, inputs) }),
    create: async (inputs: PlainRecord) => ({ id: step, outs: { ...inputs, ...(await load().run(inputs, say)) } }),
    update: async (_id: string, _last: PlainRecord, inputs: PlainRecord) => ({ outs: { ...inputs, ...(await load().run(inputs, say)) } }),
  };
}

/** Inputs of a step, as a Pulumi program gives them: any of them may come from another resource. */
export type StepArgs<Inputs> = { [K in keyof Inputs]: pulumi.Input<Inputs[K]> };
