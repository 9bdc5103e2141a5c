import { Redis } from "ioredis";
import { messageOf, Refusal } from "../refusal.js";

/** Redis could not be asked. Says why and never where, not even in a cause: an address may carry a password. */
export class RedisError extends Error {}

const waitMs = 3000;

/**
 * Work on a connection of its own, which is closed at the end.
 * @throws RedisError for whatever goes wrong but a Refusal of the work itself
 */
export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: waitMs, commandTimeout: waitMs, enableOfflineQueue: false, retryStrategy: () => null });
  let connectionError: unknown;
  redis.on("error", (error: unknown) => (connectionError = error));
  try {
    await redis.connect();
    return await work(redis);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new RedisError(reasonOf(connectionError ?? error));
  } finally {
    redis.disconnect();
  }
}

/** Errors of the network name the address beside their code. */
function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : messageOf(error);
}
