import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { Router, type Request as ExpressRequest } from "express";
import { Readable } from "node:stream";
import type { Log } from "./log";
import type { Settings } from "./settings";
import type { Streams } from "./streams";
import { createMcpServer, SERVER_NAME, toolList } from "./tools";
import type { Users } from "./users";

const MAX_BODY_BYTES = 64 * 1024;

/** The protocol's streamable HTTP transport without sessions, and the metadata for plain requests. */
export function mcpRoutes(settings: Settings, users: Users, streams: Streams, log: Log): Router {
  const router = Router();

  const createTransport = () =>
    new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true, maxRequestBodySize: MAX_BODY_BYTES });

  router.get("/mcp", async (request, response) => {
    if (request.accepts(["application/json", "text/event-stream"]) !== "text/event-stream") {
      response.json({ name: SERVER_NAME, version: settings.APP_VERSION, tools: toolList });
      return;
    }
    const transport = createTransport();
    const answer = await transport.handleRequest(new Request(urlOf(request), { headers: headersOf(request) }));
    if (!answer.ok || answer.body === null) {
      response.status(answer.status).type("application/json").send(await answer.text());
      return;
    }
    const stream = streams.open(response);
    response.once("close", () => void transport.close());
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) stream.write(text);
  });

  router.post("/mcp", async (request, response) => {
    const headers = headersOf(request);
    // The SDK asks for both types by name. The answer always is JSON, so whoever takes JSON,
    // be it by leaving the header out, can be answered.
    if (request.accepts("application/json")) headers.set("accept", "application/json, text/event-stream");
    const server = createMcpServer(settings.APP_VERSION, users, log);
    const transport = createTransport();
    await server.connect(transport);
    response.once("close", () => void server.close());
    const body = Readable.toWeb(request);
    const answer = await transport.handleRequest(new Request(urlOf(request), { method: "POST", headers, body, duplex: "half" }));
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

function headersOf(request: ExpressRequest): Headers {
  return new Headers(Object.entries(request.headersDistinct).flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value])));
}

/** The SDK wants an absolute URL; nothing depends on its host. */
function urlOf(request: ExpressRequest): URL {
  return new URL(request.originalUrl, "http://localhost");
}
