import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { Router, text, type Request as ExpressRequest } from "express";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "./log";
import type { Settings } from "./settings";
import type { Streams } from "./streams";
import { createMcpServer, SERVER_NAME, toolList } from "./tools";
import type { Users } from "./users";

/** More than the database may take for a tool, less than the grace time of a shutdown. */
const DEADLINE_MS = 10_000;

/** The protocol's streamable HTTP transport without sessions, and the metadata for plain requests. */
export function mcpRoutes(settings: Settings, users: Users, streams: Streams, log: Log): Router {
  const router = Router();

  router.get("/mcp", async (request, response) => {
    if (request.accepts(["application/json", "text/event-stream"]) !== "text/event-stream") {
      response.json({ name: SERVER_NAME, version: settings.APP_VERSION, tools: toolList });
      return;
    }
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    const answer = await transport.handleRequest(
      new Request(urlOf(request), { headers: headersOf(request) }),
    );
    if (!answer.ok || answer.body === null) {
      response
        .status(answer.status)
        .type("application/json")
        .send(await answer.text());
      return;
    }
    const stream = streams.open(response);
    response.once("close", () => void transport.close());
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) stream.write(part);
  });

  router.post("/mcp", text({ type: () => true, limit: "64kb" }), async (request, response) => {
    const headers = headersOf(request);
    // The SDK asks for both types by name. The answer always is JSON, so whoever takes JSON,
    // be it by leaving the header out, can be answered.
    if (request.accepts("application/json")) headers.set("accept", "application/json, text/event-stream");
    const server = createMcpServer(settings.APP_VERSION, users, log);
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    await server.connect(transport);
    response.once("close", () => void server.close());
    const body: unknown = request.body;
    const answer = await withinDeadline(
      transport.handleRequest(
        new Request(urlOf(request), { method: "POST", headers, body: typeof body === "string" ? body : "" }),
      ),
    );
    response.status(answer.status);
    const type = answer.headers.get("content-type");
    if (type === null) response.end();
    else response.type(type).send(await answer.text());
  });

  router.all("/mcp", (_request, response) => {
    const error = { code: -32000, message: "Method not allowed: there are no sessions, use GET or POST" };
    response.status(405).set("allow", "GET, POST").json({ jsonrpc: "2.0", error, id: null });
  });

  return router;
}

/**
 * The SDK never answers a batch that cancels one of its own requests. A request like that must
 * not stay open for ever: it would also hold up the shutdown.
 */
async function withinDeadline(answer: Promise<Response>): Promise<Response> {
  const over = new AbortController();
  const late = delay(DEADLINE_MS, undefined, { signal: over.signal }).then(() => {
    const error = { code: -32000, message: `There was no answer within ${DEADLINE_MS / 1000} s` };
    return Response.json({ jsonrpc: "2.0", error, id: null }, { status: 504 });
  });
  // Rejected when it is aborted below, which by then nobody waits for.
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    over.abort();
  }
}

function headersOf(request: ExpressRequest): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(request.headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  return headers;
}

/** The SDK wants an absolute URL; nothing depends on its host. */
function urlOf(request: ExpressRequest): URL {
  return new URL(request.originalUrl, "http://localhost");
}
