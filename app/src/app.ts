import express, { type Express } from "express";
import { userRoutes } from "./api";
import { FAULT } from "./build";
import type { Connections } from "./connections";
import { errorHandler, notFound } from "./errors";
import { faultyRequests } from "./faults";
import { health, readiness, type Probes } from "./health";
import type { Lifecycle } from "./lifecycle";
import type { Log } from "./log";
import { mcpRoutes } from "./mcp";
import { createMetrics } from "./metrics";
import { page } from "./page";
import type { WriteFreeze } from "./readOnly";
import type { Settings } from "./settings";
import type { Streams } from "./streams";
import { ticks } from "./ticks";
import type { Users } from "./users";
import widget from "./widget.html";

export interface Parts {
  settings: Settings;
  log: Log;
  probes: Probes;
  users: Users;
  freeze: WriteFreeze;
  streams: Streams;
  connections: Connections;
  lifecycle: Lifecycle;
}

export function createApp({
  settings,
  log,
  probes,
  users,
  freeze,
  streams,
  connections,
  lifecycle,
}: Parts): Express {
  const metrics = createMetrics(streams);
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");

  app.use((_request, response, next) => {
    response.set({
      "x-app-color": settings.ENVIRONMENT,
      "x-app-version": settings.APP_VERSION,
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    });
    next();
  });
  app.use(connections.observe, lifecycle.leave, metrics.observe);
  if (FAULT !== "none") app.use(faultyRequests(log));

  app.get("/health", health(settings, probes));
  app.get("/ready", readiness(settings, probes, lifecycle));
  app.get("/metrics", metrics.expose);
  app.get("/", page(settings));
  app.get("/widget", (_request, response) => void response.type("html").send(widget));
  app.get("/stream", ticks(settings, streams));
  app.use(userRoutes(users, freeze));
  app.use(mcpRoutes(settings, users, streams, log));

  app.use(notFound);
  app.use(errorHandler(log));
  return app;
}
