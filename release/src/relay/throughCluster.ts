import type { ClusterRef } from "../kubernetes/cluster.js";
import { onRoute, withoutAsking } from "../postgres/route.js";
import type { PlainRecord, Step } from "../util/step.js";
import type { RelayInputs } from "./relays.js";

/** Inputs of a step that asks a database; without a relay it does so from the machine that runs it. */
export type Relayed = { relay?: RelayInputs };

/**
 * A step whose connections to databases go through a pod, where its inputs say so. Only its run makes one: what
 * also runs in a preview, perhaps with rights to read alone, asks no database then.
 */
export function throughCluster<Inputs extends PlainRecord & ClusterRef, Outputs extends PlainRecord>(
  load: () => Promise<Step<Inputs, Outputs>>,
): () => Promise<Step<Inputs & Relayed, Outputs>> {
  return async () => {
    const step = await load();
    const through = <T>({ relay }: Relayed, work: () => Promise<T>) =>
      relay === undefined ? work() : withoutAsking(work);
    return {
      check: (inputs, last, say) => through(inputs, () => step.check(inputs, last, say)),
      isNeeded: (last, inputs) => through(inputs, () => step.isNeeded(last, inputs)),
      isGone: (last) => through(last, async () => (await step.isGone?.(last)) === true),
      async run(inputs, say, last) {
        const { relay } = inputs;
        if (relay === undefined) return step.run(inputs, say, last);
        // The registry is loaded by the program, too, which needs no client of Kubernetes.
        const [{ connect }, { Relays }] = await Promise.all([
          import("../kubernetes/cluster.js"),
          import("./relays.js"),
        ]);
        const relays = new Relays(connect(inputs), relay, say);
        try {
          return await onRoute(relays, () => step.run(inputs, say, last));
        } finally {
          await relays.close();
        }
      },
    };
  };
}
