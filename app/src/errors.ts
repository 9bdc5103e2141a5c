import type { ErrorRequestHandler, RequestHandler } from "express";
import { z } from "zod";
import { describeError, type Log } from "./log";
import { isReadOnly, RETRY_AFTER_SECONDS } from "./readOnly";

export const notFound: RequestHandler = (request, response) => {
  response
    .status(404)
    .json({ error: "not_found", message: `Nothing answers ${request.method} ${request.path}` });
};

/** The client's mistakes say which rule was broken; anything else says nothing, and is logged. */
export function errorHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (error instanceof z.ZodError) {
      const violations = error.issues.map((issue) => [...issue.path, issue.message].join(" "));
      response.status(400).json({ error: "invalid_request", message: violations.join("; ") });
      return;
    }
    if (isReadOnly(error)) {
      // The next try is to come on a new connection: by then that one leads to the other color.
      response.status(503).set({ "retry-after": String(RETRY_AFTER_SECONDS), connection: "close" });
      response.json({
        error: "read_only",
        message: `Nothing can be written while a release moves traffic; try again in ${RETRY_AFTER_SECONDS} seconds`,
      });
      return;
    }
    const status = clientErrorStatus(error);
    if (status !== undefined && error instanceof Error) {
      response.status(status).json({ error: "invalid_request", message: error.message });
      return;
    }
    log("error", "a request failed", {
      method: request.method,
      path: request.path,
      error: describeError(error),
    });
    // With the answer half sent there is nothing better than what express does: cut the connection.
    if (response.headersSent) next(error);
    else response.status(500).json({ error: "internal_error", message: "The request failed; it was logged" });
  };
}

/** The status of an error that express or its body parser raised about the request itself. */
function clientErrorStatus(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("status" in error)) return undefined;
  const { status } = error;
  return typeof status === "number" && status >= 400 && status < 500 ? status : undefined;
}
