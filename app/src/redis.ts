import { Redis } from "ioredis";
import { once } from "node:events";

/** A client that fails at once while it has no connection, and gets one back by itself. */
export function openRedis(url: string): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    connectTimeout: 1000,
    commandTimeout: 1000,
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000),
  });
  // Every attempt to reconnect raises one. The probe tells about an outage, once.
  redis.on("error", () => undefined);
  return redis;
}

export async function pingRedis(redis: Redis): Promise<void> {
  // A connection that is just being made, as at the start, is worth a moment.
  if (redis.status === "connecting" || redis.status === "connect") {
    await once(redis, "ready", { signal: AbortSignal.timeout(1000) });
  }
  await redis.ping();
}
