import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import type { Step } from "../step.js";
import { endRelease } from "./releaseLock.js";

export type ReleaseUnlockInputs = ClusterRef & {
  app: string;
  /** From the lock that began it. */
  release: string;
};

export type ReleaseUnlockOutputs = { ended: true };

/** The last thing of a release: another update may begin. It runs when the lock has run, and not otherwise. */
export const releaseUnlock: Step<ReleaseUnlockInputs, ReleaseUnlockOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded: (last, inputs) => Promise.resolve(last.release !== inputs.release),

  async run(inputs) {
    await endRelease(connect(inputs), inputs.app, inputs.release);
    return { ended: true };
  },
};
