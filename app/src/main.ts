import { createServer } from "node:http";
import { createApp } from "./app";
import { FAULT, SCHEMA } from "./build";
import { Connections } from "./connections";
import { openPool, openProbePool, readSchema } from "./database";
import { Drain } from "./drain";
import { createDrainServer } from "./drainPort";
import { startFault } from "./faults";
import { Lifecycle } from "./lifecycle";
import { createLog, describeError } from "./log";
import { checkOpenAi } from "./openai";
import { Probe } from "./probe";
import { WriteFreeze } from "./readOnly";
import { openRedis, pingRedis } from "./redis";
import { readSettings, secretsOf, type Settings } from "./settings";
import { Streams } from "./streams";
import { Users } from "./users";

const log = createLog(
  { color: process.env["ENVIRONMENT"] ?? "unknown", version: process.env["APP_VERSION"] ?? "unknown" },
  secretsOf(process.env),
);

// Left to Node, these would be printed as they are: over several lines, with whatever they carry.
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error: unknown) => {
    log("error", "the process ends: an error was not handled", { error: describeError(error) });
    process.exit(1);
  });
}

start(readSettings(process.env));

function start(settings: Settings): void {
  const pool = openPool(settings.DATABASE_URL, log);
  const probePool = openProbePool(settings.DATABASE_URL, log);
  const redis = openRedis(settings.REDIS_URL);
  const probes = {
    database: new Probe("database", () => readSchema(probePool), log),
    redis: new Probe("redis", () => pingRedis(redis), log),
    openai: new Probe("openai", () => checkOpenAi(settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY), log),
  };
  probes.database.keepFresh(5000);
  probes.redis.keepFresh(5000);
  probes.openai.keepFresh(30_000);

  const streams = new Streams(settings.CONNECTION_MAX_AGE_SECONDS);
  const connections = new Connections();
  const drain = new Drain(connections, streams, log);
  const lifecycle = new Lifecycle(settings, connections, streams, drain, log);
  const app = createApp({
    settings,
    log,
    probes,
    users: new Users(pool),
    freeze: new WriteFreeze(redis, settings.BLUEGREEN_READ_ONLY_KEY),
    streams,
    connections,
    lifecycle,
  });
  // Longer than the 60 s that load balancers keep idle connections: the side that sends the
  // requests has to be the one that closes, or a request meets a connection just closed.
  const server = createServer({ keepAliveTimeout: 65_000 }, app);
  server.on("connection", connections.track);
  server.listen(settings.PORT, () => {
    log("info", "listening", { address: server.address(), schema: SCHEMA, fault: FAULT });
  });

  const drainServer = createDrainServer(drain, log);
  drainServer.listen(settings.BLUEGREEN_DRAIN_PORT, "127.0.0.1", () => {
    log("info", "listening for drains", { drainAddress: drainServer.address() });
  });

  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  startFault(log);

  function stop(): void {
    void lifecycle.shutdown(server, async () => {
      redis.disconnect();
      await Promise.all([pool.end(), probePool.end()]);
    });
  }
}
