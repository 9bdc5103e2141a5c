import { expect } from "chai";
import { App, stopAll } from "./support/app";
import { query, Services } from "./support/services";

describe("Malformed input", function () {
  let services: Services;
  let database: string;
  let app: App;

  before(async () => {
    services = await Services.start();
    database = await services.createDatabase(2);
    app = await App.start({ env: { DATABASE_URL: database, REDIS_URL: services.redisUrl } });
    await app.untilReady(true);
  });

  after(async () => {
    await stopAll();
    await services.stop();
  });

  it("is refused as an id, with the rule, before it gets near the database", async () => {
    for (const id of ["x'; DROP TABLE users; --", "a b", "\0", "a".repeat(129), "../health"]) {
      const response = await app.get(`/api/users/${encodeURIComponent(id)}`);
      expect(response.status, id).to.equal(400);
      expect(await response.json()).to.deep.equal({
        error: "invalid_request",
        message: "id must be 1 to 128 letters, digits or one of . _ @ : -",
      });
    }
    expect((await app.get("/api/users/%ZZ")).status).to.equal(400);
  });

  it("is data and nothing else in a name", async () => {
    const name = "Robert'); DROP TABLE users; --";
    expect(
      (await app.post("/api/users", JSON.stringify({ id: "bobby", email: "bobby@example.com", name })))
        .status,
    ).to.equal(201);
    expect(await query(database, "SELECT name FROM users WHERE id = 'bobby'")).to.deep.equal([{ name }]);
  });

  it("is answered with every rule that a new user breaks", async () => {
    const response = await app.post("/api/users", JSON.stringify({ id: "a b", email: "nobody", name: "" }));
    expect(response.status).to.equal(400);
    expect(await response.json())
      .to.have.property("message")
      .that.matches(/^id .*; email .*; name /);
  });

  it("is 400 as broken JSON and as a missing body", async () => {
    const broken = await app.post("/api/users", '{"email": ');
    expect(broken.status).to.equal(400);
    expect(broken.headers.get("content-type")).to.match(/^application\/json/);
    expect((await app.get("/api/users", { method: "POST" })).status).to.equal(400);
    const rpc = await app.post("/mcp", '{"jsonrpc": ');
    expect(rpc.status).to.equal(400);
    expect(await rpc.json()).to.have.nested.property("error.code", -32700);
  });

  it("is 413 as a huge body", async () => {
    const huge = JSON.stringify({ email: "a@example.com", name: "a".repeat(1_000_000) });
    expect((await app.post("/api/users", huge)).status).to.equal(413);
    expect((await app.post("/mcp", huge)).status).to.equal(413);
  });

  it("is an error of the protocol as an unknown method, an unknown tool and a wrong argument", async () => {
    const call = async (method: string, params: object): Promise<unknown> =>
      (await app.post("/mcp", JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }))).json();
    expect(await call("nothing/here", {})).to.have.nested.property("error.code", -32601);
    expect(await call("tools/call", { name: "drop_table", arguments: {} })).to.satisfy(isToolError);
    expect(await call("tools/call", { name: "get_user_info", arguments: { userId: "x'; --" } })).to.satisfy(
      isToolError,
    );
    expect(
      (await app.get("/mcp", { method: "POST", body: "hello", headers: { "content-type": "text/plain" } }))
        .status,
    ).to.equal(415);
  });

  it("is given up as a batch that cancels its own request, which the SDK never answers", async () => {
    const batch = [
      {
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "get_user_info", arguments: { userId: "ada" } },
      },
      { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } },
    ];
    const response = await app.post("/mcp", JSON.stringify(batch), 30_000);
    expect(response.status).to.equal(504);
  });

  it("is refused as a period out of bounds", async () => {
    for (const period of ["0", "99", "60001", "soon"]) {
      expect((await app.get(`/stream?period=${period}`)).status, period).to.equal(400);
    }
  });

  it("never was an error of the app", () => {
    expect(app.log.filter((line) => JSON.stringify(line).includes('"level":"error"'))).to.deep.equal([]);
    expect(app.stderr).to.equal("");
  });
});

function isToolError(answer: unknown): boolean {
  return /"isError":true|"error":\{"code":-32602/.test(JSON.stringify(answer));
}
