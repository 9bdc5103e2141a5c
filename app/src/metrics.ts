import type { RequestHandler } from "express";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Streams } from "./streams";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** nginx's number for a client that left before its answer. */
const CLIENT_CLOSED_REQUEST = 499;

export interface Metrics {
  observe: RequestHandler;
  expose: RequestHandler;
}

export function createMetrics(streams: Streams): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request to the end of its answer; event streams are not in it",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  new Gauge({
    name: "event_streams_open",
    help: "Event streams that are open now",
    registers: [registry],
    collect() {
      this.set(streams.size);
    },
  });

  return {
    observe: (request, response, next) => {
      const stop = duration.startTimer();
      response.once("close", () => {
        // A stream lasts as long as its client likes: as a duration it would read as a slow answer.
        if (response.get("content-type")?.startsWith("text/event-stream")) return;
        stop({
          // Only names the app itself chose become labels, so that no client can add time series.
          method: METHODS.has(request.method) ? request.method : "other",
          route: routeOf(request.route),
          status: response.writableFinished ? response.statusCode : CLIENT_CLOSED_REQUEST,
        });
      });
      next();
    },
    expose: async (_request, response) => {
      response.type(registry.contentType).send(await registry.metrics());
    },
  };
}

/** The pattern of the route that answered, such as `/api/users/:id`. */
function routeOf(route: unknown): string {
  const path = typeof route === "object" && route !== null && "path" in route ? route.path : undefined;
  return typeof path === "string" ? path : "unmatched";
}
