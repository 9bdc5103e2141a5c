import { setTimeout as delay } from "node:timers/promises";
import type { Color } from "../color.js";
import { isSwitchPending } from "../gates/switchPending.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { readLiveColor, sayingWhatIsLive } from "../live.js";
import { ownerOf } from "../owner.js";
import { messageOf, Refusal, type RefusalParts } from "../refusal.js";
import type { Say, Step } from "../step.js";
import { fenceKey, isFenceUp, lowerFence, raiseFence, type HeldFence } from "./flag.js";
import { RedisError, withRedis } from "./redis.js";

export type FenceInputs = ClusterRef & {
  app: string;
  /** Whose pods are asked: the stack, with organization and project. */
  stack: string;
  /** The one that traffic is to go to. */
  color: Color;
  /** Redis as this process reaches it. Never shown. */
  redisUrl: string;
  /** The fence ends by itself after this many seconds, whatever happens to the release. */
  seconds: number;
  /** How long requests that were let through before the fence may take to be done. */
  settleMs: number;
};

/** `token` lowers the fence again; empty when no traffic was to be moved. */
export type FenceOutputs = { token: string };

/** Asks the app for no writes, right before traffic moves. */
export const fence: Step<FenceInputs, FenceOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded: (_last, inputs) => isSwitchPending(inputs),

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const live = await readLiveColor(cluster, inputs.app);
      if (live === undefined || live === inputs.color) return { token: "" };
      return { token: await raise(inputs, await ownerOf(cluster, inputs.stack), live, say) };
    });
  },
};

/**
 * @param holder who raises it: two stacks of one name, in two clusters, have one key
 * @throws Refusal unless the fence is up, and was for the settle time
 */
export async function raise({ stack, app, color, redisUrl, seconds, settleMs }: FenceInputs, holder: string, live: Color, say: Say): Promise<string> {
  const key = fenceKey(stack, app);
  const flag = { key, holder, reason: `a release moves traffic from ${live} to ${color}`, ttlMs: seconds * 1000 };
  const what = "The read-only fence was not raised, and traffic did not move";
  try {
    return await withRedis(redisUrl, async (redis) => {
      const raised = await raiseFence(redis, flag);
      if (typeof raised !== "string") throw new Refusal({ what, ...heldBy(key, raised) });
      say(`the read-only fence of ${app} is up, for ${seconds} s at most`);
      // Nobody counts the requests that had passed before: time is all there is to wait for.
      await delay(settleMs);
      if (await isFenceUp(redis, key, raised)) return raised;
      throw new Refusal({ what, rule: `it was gone after ${settleMs} ms: Redis has lost it, or another release has taken it over`, next: "pulumi up; if it happens again, look at Redis' maxmemory-policy: it must not evict the flag" });
    });
  } catch (error) {
    if (!(error instanceof RedisError)) throw error;
    throw new Refusal({
      what,
      rule: `Redis cannot be asked: ${error.message}`,
      next: "check Redis, and readOnlyFence.redisUrl (Redis as this program reaches it), then pulumi up; to switch without the fence: pulumi config set --path readOnlyFence.seconds 0",
    });
  }
}

function heldBy(key: string, { msLeft }: HeldFence): Omit<RefusalParts, "what"> {
  if (msLeft < 0) return { rule: `somebody else has set ${key}, without an end`, next: `find out who; redis-cli DEL ${key}, then pulumi up` };
  return { rule: `the release of a stack of the same name in another cluster has ${key}, in this Redis; it ends by itself within ${Math.ceil(msLeft / 1000)} s`, next: "wait for that release, then pulumi up" };
}

export type FenceEndInputs = {
  app: string;
  /** Whose pods were asked. */
  stack: string;
  /** Redis as this process reaches it. Never shown. */
  redisUrl: string;
  /** Of the fence that this release has raised; empty when it has raised none. */
  token: string;
};

export type FenceEndOutputs = { lowered: boolean };

/** Lets the app write again, after traffic has moved. The fence of another release stays. */
export const fenceEnd: Step<FenceEndInputs, FenceEndOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded: (last, inputs) => Promise.resolve(last.token !== inputs.token),

  async run({ stack, app, redisUrl, token }, say) {
    if (token === "") return { lowered: false };
    try {
      return { lowered: await withRedis(redisUrl, (redis) => lowerFence(redis, fenceKey(stack, app), token)) };
    } catch (error) {
      // Traffic has moved: an update that failed now would say the opposite.
      say(`the read-only fence of ${app} was not lowered (${messageOf(error)}); it ends by itself`);
      return { lowered: false };
    }
  },
};
