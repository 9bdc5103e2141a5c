import type { RequestHandler } from "express";
import { SCHEMA } from "./build";
import type { SchemaState } from "./database";
import type { Probe } from "./probe";
import type { Settings } from "./settings";

/** What clusters ask for, users do not. */
export const PROBE_PATHS: ReadonlySet<string> = new Set(["/health", "/ready", "/metrics"]);

export interface Probes {
  database: Probe<SchemaState>;
  redis: Probe<void>;
  openai: Probe<void>;
}

/**
 * Liveness: says that the process answers and nothing else, so that an outage of the database
 * does not restart every pod. The checks are the last known ones; no request waits for them.
 */
export function health(settings: Settings, probes: Probes): RequestHandler {
  return (_request, response) => {
    const checks = {
      database: probes.database.last.ok,
      redis: probes.redis.last.ok,
      openai: probes.openai.last.ok,
    };
    response.json({
      status: checks.database && checks.redis ? "healthy" : "degraded",
      timestamp: new Date().toISOString(),
      version: settings.APP_VERSION,
      environment: settings.ENVIRONMENT,
      checks,
      uptime: process.uptime(),
    });
  };
}

export type NotReady =
  "shutting_down" | "database_unavailable" | "schema_too_old" | "redis_unavailable" | "openai_unavailable";

/** Readiness: whether this process can serve requests now. 503 names the first thing that is missing. */
export function readiness(
  settings: Settings,
  probes: Probes,
  lifecycle: { readonly stopping: boolean },
): RequestHandler {
  return async (_request, response) => {
    const [database, redis] = await Promise.all([probes.database.refresh(), probes.redis.refresh()]);
    const checks = { database: database.ok, redis: redis.ok, openai: probes.openai.last.ok };

    const missing = (): NotReady | undefined => {
      if (lifecycle.stopping) return "shutting_down";
      if (!database.ok) return "database_unavailable";
      if (!database.value.compatible) return "schema_too_old";
      if (!redis.ok) return "redis_unavailable";
      if (settings.READY_CHECKS_OPENAI === "true" && !checks.openai) return "openai_unavailable";
      return undefined;
    };

    const reason = missing();
    response.status(reason === undefined ? 200 : 503).json({
      ready: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      timestamp: new Date().toISOString(),
      version: settings.APP_VERSION,
      environment: settings.ENVIRONMENT,
      checks,
      // Said in any state: a release asks which schema this build can live with.
      schema: { ...SCHEMA, applied: database.ok ? database.value.applied : null },
    });
  };
}
