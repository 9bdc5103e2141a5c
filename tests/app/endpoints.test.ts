import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expect } from "chai";
import { waitFor } from "../../local/system/wait";
import { App, stopAll } from "./support/app";
import { Connection } from "./support/connection";
import { readEvents } from "./support/events";
import { query, Services } from "./support/services";

describe("The app's endpoints", function () {
  let services: Services;
  let database: string;
  let app: App;

  before(async function () {
    services = await Services.start();
    database = await services.createDatabase(2);
    await query(
      database,
      "INSERT INTO users (id, email, name, tier) VALUES ('ada', 'ada@example.com', 'Ada', 'pro')",
    );
    app = await App.start({ env: { DATABASE_URL: database, REDIS_URL: services.redisUrl } });
    await app.untilReady(true);
  });

  after(async () => {
    await stopAll();
    await services.stop();
  });

  it("listens on IPv4 and IPv6", async () => {
    for (const address of ["127.0.0.1", "[::1]"])
      expect((await fetch(`http://${address}:${app.port}/health`)).status, address).to.equal(200);
  });

  it("names its color and version on every answer, errors too", async () => {
    for (const path of [
      "/",
      "/health",
      "/ready",
      "/metrics",
      "/mcp",
      "/widget",
      "/api/users/ada",
      "/api/users/%ZZ",
      "/nowhere",
    ]) {
      const response = await app.get(path);
      expect(response.headers.get("x-app-color"), path).to.equal("green");
      expect(response.headers.get("x-app-version"), path).to.equal("v2");
    }
  });

  it("reports version, environment, uptime and the last known checks as its health", async () => {
    const response = await app.get("/health");
    const body: unknown = await response.json();
    expect(response.status).to.equal(200);
    expect(body).to.deep.include({
      status: "healthy",
      version: "v2",
      environment: "green",
      checks: { database: true, redis: true, openai: false },
    });
    expect(body).to.have.property("uptime").that.is.a("number");
    expect(body)
      .to.have.property("timestamp")
      .that.matches(/^\d{4}-.*Z$/);
  });

  it("reports the schema it needs and the one that is applied as its readiness", async () => {
    expect(await (await app.get("/ready")).json()).to.deep.include({
      ready: true,
      schema: { needs: "0002", knows: "0002", applied: "0002" },
    });
  });

  it("describes itself and its tools to plain requests", async () => {
    const body: unknown = await (await app.get("/mcp")).json();
    expect(body).to.include({ name: "chatgpt-app", version: "v2" });
    expect(body).to.have.nested.property("tools[0].name", "get_user_info");
    expect(body).to.have.nested.property("tools[0].inputSchema.required").that.deep.equals(["userId"]);
  });

  it("opens the protocol's stream for requests that accept event streams", async () => {
    const response = await app.get("/mcp", { headers: { accept: "text/event-stream" } });
    expect(response.headers.get("content-type")).to.match(/^text\/event-stream/);
    await response.body?.cancel();
  });

  it("serves a client of the protocol: tools, a call and the widget as a resource", async () => {
    const client = new Client({ name: "test", version: "1" });
    await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", app.url)));
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).to.deep.equal(["get_user_info"]);
    const result = await client.callTool({ name: "get_user_info", arguments: { userId: "ada" } });
    expect(result["structuredContent"]).to.deep.equal({
      found: true,
      user: { id: "ada", email: "ada@example.com", name: "Ada", tier: "pro" },
    });
    const widget = await client.readResource({ uri: "ui://widget/user.html" });
    expect(widget.contents[0]).to.include({ mimeType: "text/html+skybridge" });
    await client.close();
  });

  it("answers a tool call without an Accept header, and one for a user that nobody has", async () => {
    const call = JSON.stringify({
      jsonrpc: "2.0",
      id: 7,
      method: "tools/call",
      params: { name: "get_user_info", arguments: { userId: "nobody" } },
    });
    const body: unknown = await (await app.post("/mcp", call)).json();
    expect(body).to.deep.include({ jsonrpc: "2.0", id: 7 });
    expect(body)
      .to.have.nested.property("result.structuredContent")
      .that.deep.equals({ found: false, user: null });
  });

  it("has no sessions to delete", async () => {
    const response = await app.get("/mcp", { method: "DELETE" });
    expect(response.status).to.equal(405);
    expect(response.headers.get("allow")).to.equal("GET, POST");
  });

  it("shows a person its color and version, in words and without a script", async () => {
    const response = await app.get("/");
    expect(response.status).to.equal(200);
    expect(response.headers.get("content-type")).to.equal("text/html; charset=utf-8");
    const html = await response.text();
    expect(html).to.include(">green<").and.include(">v2<").and.not.include("{{");
    expect(
      [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address]) => address),
      "nothing from elsewhere",
    ).to.deep.equal(["data:,", "widget", "mcp", "health", "ready", "metrics"]);
  });

  it("shows whatever its version is called as text", async () => {
    const other = await App.start({
      env: { DATABASE_URL: database, REDIS_URL: services.redisUrl, APP_VERSION: "v2<b>&$&\"'" },
    });
    expect(await (await other.get("/")).text())
      .to.include(">v2&lt;b&gt;&amp;$&amp;&quot;&#39;<")
      .and.not.include("<b>");
    await other.stop();
  });

  it("serves the widget", async () => {
    const response = await app.get("/widget");
    expect(response.headers.get("content-type")).to.equal("text/html; charset=utf-8");
    expect(await response.text())
      .to.include("window.openai")
      .and.to.include("text/html+skybridge");
  });

  it("creates a user once and finds it", async () => {
    const body = JSON.stringify({ id: "grace", email: "grace@example.com", name: "Grace" });
    const created = await app.post("/api/users", body);
    expect(created.status).to.equal(201);
    expect(created.headers.get("location")).to.equal("/api/users/grace");
    expect(await (await app.get("/api/users/grace")).json()).to.deep.equal({
      id: "grace",
      email: "grace@example.com",
      name: "Grace",
      tier: "free",
    });
    const again = await app.post("/api/users", body);
    expect(again.status).to.equal(409);
    expect(await again.json()).to.have.property("error", "user_exists");
  });

  it("answers 404 for a user that does not exist", async () => {
    const response = await app.get("/api/users/nobody");
    expect(response.status).to.equal(404);
    expect(await response.json()).to.deep.equal({
      error: "user_not_found",
      message: "There is no user with the id nobody",
    });
  });

  it("knows no tier in release v1, with and without the column", async () => {
    for (const applied of [1, 2] as const) {
      const url = await services.createDatabase(applied);
      await query(url, "INSERT INTO users (id, email) VALUES ('ada', 'ada@example.com')");
      const v1 = await App.start({ release: "v1", env: { DATABASE_URL: url, REDIS_URL: services.redisUrl } });
      await v1.untilReady(true);
      expect(await (await v1.get("/api/users/ada")).json()).to.deep.equal({
        id: "ada",
        email: "ada@example.com",
        name: null,
      });
      await v1.stop();
    }
  });

  it("measures requests by method, route and status, and no client can add a route", async () => {
    await app.get("/api/users/ada");
    await app.get("/api/users/nobody");
    await app.get(`/made-up-${Date.now()}`);
    const text = await (await app.get("/metrics")).text();
    expect(text).to.match(
      /http_request_duration_seconds_count\{method="GET",route="\/api\/users\/:id",status="200"\} \d+/,
    );
    expect(text).to.match(
      /http_request_duration_seconds_count\{method="GET",route="\/api\/users\/:id",status="404"\} \d+/,
    );
    expect(text).to.match(
      /http_request_duration_seconds_count\{method="GET",route="unmatched",status="404"\} \d+/,
    );
    expect(text).to.include("process_resident_memory_bytes").and.not.to.include("made-up");
  });

  it("streams numbered events with a hint when to come back, at the period asked for", async () => {
    const minutes = readEvents(await app.get("/stream?period=60000"), 3);
    const begin = performance.now();
    const events = await Promise.race([readEvents(await app.get("/stream?period=200"), 4), minutes]);
    expect(performance.now() - begin).to.be.at.least(390);
    expect(events.map(({ id }) => id)).to.deep.equal([undefined, "1", "2", "3"]);
    expect(events[0]?.retry).to.equal("1000");
    expect(events[1]?.data).to.include('"color":"green"');
  });

  it("continues after the event that a client saw last", async () => {
    const events = await readEvents(
      await app.get("/stream?period=100", { headers: { "last-event-id": "41" } }),
      2,
    );
    expect(events[1]?.id).to.equal("42");
  });

  it("ends connections and streams that reach their age, so that clients move to the live color", async () => {
    const aged = await App.start({
      env: { DATABASE_URL: database, REDIS_URL: services.redisUrl, CONNECTION_MAX_AGE_SECONDS: "2" },
    });
    const events = await readEvents(await aged.get("/stream?period=100"));
    expect(events.at(-1)).to.deep.include({ event: "end", data: '{"reason":"max_age"}' });
    expect(events.at(-1)?.retry).to.match(/^\d+$/);
    const connection = new Connection(aged);
    expect((await connection.get("/health")).connection).to.equal("keep-alive");
    const last = await waitFor(
      async () => {
        const answer = await connection.get("/health");
        return answer.connection === "close" ? answer : undefined;
      },
      300_000,
      () => Promise.resolve(new Error("The connection was never ended")),
    );
    expect(last).to.include({ status: 200, reused: true });
    await aged.stop();
  });
});
