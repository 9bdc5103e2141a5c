import express, { type Express } from "express";
import { createServer, type Server } from "node:http";
import { z } from "zod";
import type { Drain } from "./drain";
import { errorHandler, notFound } from "./errors";
import type { Log } from "./log";

/** As long as a release may ask for: whoever asks by mistake has done no more harm than that. */
const order = z.strictObject(
  { seconds: z.number().min(0).max(3600) },
  { error: 'the body must be {"seconds": N}, as application/json' },
);

/**
 * Where a release asks the pod to drain. To be bound to the loopback address: no user and no other
 * pod comes there, the API server's port-forward does.
 */
export function createDrainServer(drain: Drain, log: Log): Server {
  // Who has not asked by then does not mean to.
  return createServer(
    { requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 5000 },
    createDrainApp(drain, log),
  );
}

function createDrainApp(drain: Drain, log: Log): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app
    .route("/drain")
    .get((_request, response) => void response.json(drain.state))
    // Of no other type: a web page may send those, to a port that somebody has forwarded to a browser's
    // machine.
    .post(express.json({ limit: "1kb", type: "application/json" }), (request, response) => {
      const { seconds } = order.parse(request.body);
      if (seconds === 0) drain.end();
      else drain.begin(seconds);
      response.json(drain.state);
    })
    .all(
      (_request, response) =>
        void response
          .status(405)
          .set("allow", "GET, POST")
          .json({ error: "method_not_allowed", message: "Use GET or POST" }),
    );
  app.use(notFound);
  app.use(errorHandler(log));
  return app;
}
