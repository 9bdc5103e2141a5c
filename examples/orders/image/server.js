/** Takes orders. Its migrations run before it starts, by a command of their own: it changes no schema. */
const { createServer } = require("node:http");
const { json } = require("node:stream/consumers");
const { Pool } = require("pg");
const { insert, select, valuesOf } = require("./order");

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
// The next query has another connection.
pool.on("error", ({ message }) => console.error(`the database has ended a connection: ${message}`));

/** Requests by their status, for the analysis. */
const counts = new Map();

async function answer(request) {
  const { method, url } = request;
  if (url === "/version") return [200, { version: process.env.APP_VERSION }];
  if (method === "POST" && url === "/orders") {
    const order = await json(request);
    await pool.query(insert, valuesOf(order));
    return [201, order];
  }
  if (!url.startsWith("/orders/")) return [404, {}];
  const { rows } = await pool.query(select, [url.slice("/orders/".length)]);
  return rows.length === 0 ? [404, {}] : [200, rows[0]];
}

function metrics() {
  const lines = [...counts].map(([status, count]) => `http_requests_total{status="${status}"} ${count}\n`);
  return `# TYPE http_requests_total counter\n${lines.join("")}`;
}

const server = createServer(async (request, response) => {
  if (request.url === "/healthz") return response.end("ok");
  if (request.url === "/metrics") return response.end(metrics());
  if (request.url === "/readyz") {
    const isWell = await pool.query("SELECT 1").then(
      () => true,
      () => false,
    );
    return response.writeHead(isWell ? 200 : 503).end();
  }
  const [status, body] = await answer(request).catch(({ message }) => {
    console.error(`${request.method} ${request.url}: ${message}`);
    return [500, { error: "internal" }];
  });
  counts.set(status, (counts.get(status) ?? 0) + 1);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});

server.listen(8080);
process.on("SIGTERM", () => server.close(() => pool.end()));
