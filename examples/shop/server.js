/** Any HTTP app: its port and paths are not those of the reference app, and it knows nothing of colors. */
const { createServer } = require("node:http");

const version = process.env.APP_VERSION ?? "unknown";

const server = createServer((request, response) => {
  if (request.url === "/healthz" || request.url === "/readyz") return response.end("ok");
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ shop: "open", version }));
});

server.listen(8080);
process.on("SIGTERM", () => server.close());
