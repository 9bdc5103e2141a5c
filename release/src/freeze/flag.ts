import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";

/**
 * What the app reads before it writes: its pods have it as BLUEGREEN_READ_ONLY_KEY. Of one stack alone, so that a
 * release of another one does not hold up its writes where both share a Redis, whatever their namespaces are
 * called.
 * @param stack with organization and project
 */
export function freezeKey(stack: string, app: string): string {
  return `bluegreen:read-only:${stack}/${app}`;
}

export interface WriteFreeze {
  key: string;
  /**
   * Who raises it: the stack, and its cluster. The same one may raise it again, after a release of its that
   * was killed.
   */
  holder: string;
  /** For people who find the flag. */
  reason: string;
  /** It ends by itself after this many milliseconds. */
  ttlMs: number;
}

/** What is there instead: the write freeze of another stack. */
export interface HeldFreeze {
  /** Negative when somebody has set it without an end. */
  msLeft: number;
}

/** Redis runs a script as a whole: nobody comes in between reading and setting. */
const raiseScript = `
local there = redis.call('GET', KEYS[1])
if there then
  local read, flag = pcall(cjson.decode, there)
  if not (read and type(flag) == 'table' and flag.holder == ARGV[3]) then return redis.call('PTTL', KEYS[1]) end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 'raised'`;

const lowerScript = `
local there = redis.call('GET', KEYS[1])
if there and string.find(there, ARGV[1], 1, true) then return redis.call('DEL', KEYS[1]) end
return 0`;

/** Sets the flag, never without an end. @returns the token that lowers it again */
export async function setFreeze(
  redis: Redis,
  { key, holder, reason, ttlMs }: WriteFreeze,
): Promise<string | HeldFreeze> {
  const token = randomUUID();
  const value = JSON.stringify({ since: new Date().toISOString(), reason, holder, token });
  const answer = await redis.eval(raiseScript, 1, key, value, ttlMs, holder);
  return answer === "raised" ? token : { msLeft: Number(answer) };
}

/** Whether the write freeze of a token is still up. */
export async function isFreezeSet(redis: Redis, key: string, token: string): Promise<boolean> {
  return (await redis.get(key))?.includes(token) === true;
}

/** Takes the write freeze of a token away, and no other. @returns whether it was there */
export async function endFreeze(redis: Redis, key: string, token: string): Promise<boolean> {
  return (await redis.eval(lowerScript, 1, key, token)) === 1;
}
