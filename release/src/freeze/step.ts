import { setTimeout as delay } from "node:timers/promises";
import type { Color } from "../app/color.js";
import { isSwitchPending } from "../traffic/move.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { ownerOf } from "../kubernetes/owner.js";
import { messageOf, UserError, type UserErrorParts } from "../util/userError.js";
import type { Say, Step } from "../util/step.js";
import { freezeKey, isFreezeSet, endFreeze, setFreeze, type HeldFreeze } from "./flag.js";
import { Redis } from "ioredis";

export type WriteFreezeInputs = ClusterRef & {
  app: string;
  /** Whose pods are asked: the stack, with organization and project. */
  stack: string;
  /** The one that traffic is to go to. */
  color: Color;
  /** Redis as this process reaches it. Never shown. */
  redisUrl: string;
  /** The write freeze ends by itself after this many seconds, whatever happens to the release. */
  seconds: number;
  /** How long requests that were let through before the write freeze may take to be done. */
  gracePeriodMs: number;
};

/** `token` lowers the write freeze again; empty when no traffic was to be moved. */
export type WriteFreezeOutputs = { token: string };

/** Asks the app for no writes, right before traffic moves. */
export const writeFreeze: Step<WriteFreezeInputs, WriteFreezeOutputs> = {
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
 * @throws UserError unless the write freeze is up, and was for the grace period
 */
export async function raise(
  { stack, app, color, redisUrl, seconds, gracePeriodMs }: WriteFreezeInputs,
  holder: string,
  live: Color,
  say: Say,
): Promise<string> {
  const key = freezeKey(stack, app);
  const flag = {
    key,
    holder,
    reason: `a release moves traffic from ${live} to ${color}`,
    ttlMs: seconds * 1000,
  };
  const what = "The write freeze was not set, and traffic did not move";
  try {
    return await withRedis(redisUrl, async (redis) => {
      const raised = await setFreeze(redis, flag);
      if (typeof raised !== "string")
        throw new UserError({ code: "BG-WRITE-FREEZE-HELD", what, ...heldBy(key, raised) });
      say(`the write freeze of ${app} is set, for ${seconds} s at most`);
      // Nobody counts the requests that had passed before: time is all there is to wait for.
      await delay(gracePeriodMs);
      if (await isFreezeSet(redis, key, raised)) return raised;
      throw new UserError({
        code: "BG-WRITE-FREEZE-LOST",
        what,
        rule: `it was gone after ${gracePeriodMs} ms: Redis has lost it, or another release has taken it over`,
        next: "pulumi up; if it happens again, check Redis' maxmemory-policy: it must not evict the flag",
      });
    });
  } catch (error) {
    if (!(error instanceof RedisError)) throw error;
    throw new UserError({
      code: "BG-REDIS-UNREACHABLE",
      what,
      rule: `Redis cannot be asked: ${error.message}`,
      next: "check Redis, and writeFreeze.redisUrl (Redis as this program reaches it), then pulumi up; to switch without the write freeze: pulumi config set --path writeFreeze.maxSeconds 0",
    });
  }
}

function heldBy(key: string, { msLeft }: HeldFreeze): Omit<UserErrorParts, "what" | "code"> {
  if (msLeft < 0)
    return {
      rule: `somebody else has set ${key}, without an end`,
      next: `find out who; redis-cli DEL ${key}, then pulumi up`,
    };
  return {
    rule: `the release of a stack of the same name in another cluster has ${key}, in this Redis; it ends by itself within ${Math.ceil(msLeft / 1000)} s`,
    next: "wait for that release, then pulumi up",
  };
}

export type WriteFreezeEndInputs = {
  app: string;
  /** Whose pods were asked. */
  stack: string;
  /** Redis as this process reaches it. Never shown. */
  redisUrl: string;
  /** Of the write freeze that this release has raised; empty when it has raised none. */
  token: string;
};

export type WriteFreezeEndOutputs = { lowered: boolean };

/** Lets the app write again, after traffic has moved. The write freeze of another release stays. */
export const writeFreezeEnd: Step<WriteFreezeEndInputs, WriteFreezeEndOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded: (last, inputs) => Promise.resolve(last.token !== inputs.token),

  async run({ stack, app, redisUrl, token }, say) {
    if (token === "") return { lowered: false };
    try {
      return {
        lowered: await withRedis(redisUrl, (redis) => endFreeze(redis, freezeKey(stack, app), token)),
      };
    } catch (error) {
      // Traffic has moved: an update that failed now would say the opposite.
      say(`the write freeze of ${app} was not ended (${messageOf(error)}); it ends by itself`);
      return { lowered: false };
    }
  },
};

/**
 * Redis could not be asked. Says why and never where, not even in a cause: an address may carry a password.
 */
class RedisError extends Error {}

const waitMs = 3000;

/**
 * Work on a connection of its own, which is closed at the end.
 * @throws RedisError for whatever goes wrong but a UserError of the work itself
 */
async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: waitMs,
    commandTimeout: waitMs,
    enableOfflineQueue: false,
    retryStrategy: () => null,
  });
  let connectionError: unknown;
  redis.on("error", (error: unknown) => (connectionError = error));
  try {
    await redis.connect();
    return await work(redis);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new RedisError(reasonOf(connectionError ?? error));
  } finally {
    redis.disconnect();
  }
}

/** Errors of the network name the address beside their code. */
function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : messageOf(error);
}
