import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { Board } from "../../cli/dashboard/board";
import type { Order } from "../../cli/dashboard/jobs";
import { serveDashboard, type DashboardServer } from "../../cli/dashboard/server";
import type { DashboardEvent } from "../../pages/dashboard/state";

describe("The server of the dashboard", () => {
  const board = new Board({
    app: "chatgpt-app",
    namespace: "shop",
    stack: "production",
    clusters: [],
    gates: null,
    plan: null,
    jobs: {},
    isEnding: false,
  });
  const orders: Order[] = [];
  let refusal: string | undefined;
  let plans = 0;
  let server: DashboardServer;
  let origin: string;
  let path: string;
  let cookie = "";

  before(async () => {
    const start = (order: Order) => {
      orders.push(order);
      return refusal;
    };
    server = await serveDashboard(
      board,
      {
        start,
        plan: () => {
          plans++;
          return refusal;
        },
      },
      0,
    );
    const { headers } = await ask(server.url, {});
    ({ origin } = new URL(server.url));
    path = origin + (headers.location ?? "");
    cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  });
  after(() => {
    server.close();
  });

  const answerOf = async (url: string, { method = "GET", body = "" }: { method?: string; body?: string }) => {
    const asked = request(url, { method, headers: { cookie, ...(method !== "GET" && { origin }) } });
    asked.end(body);
    return ((await once(asked, "response")) as [IncomingMessage])[0];
  };
  const ask = async (url: string, options: { method?: string; body?: string }) => {
    const answer = await answerOf(url, options);
    return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
  };
  const order = (what: string, body: string) => ask(path + what, { method: "POST", body });

  it("gives the page, its script and its style, and lets none but these be used", async () => {
    const page = await ask(path, {});
    expect([page.status, page.headers["content-type"]]).to.deep.equal([200, "text/html; charset=utf-8"]);
    const policy = String(page.headers["content-security-policy"]);
    expect(policy)
      .to.contain("default-src 'none'")
      .and.contain("script-src 'self'")
      .and.contain("frame-ancestors 'none'")
      .and.not.contain("unsafe");
    expect(page.text).not.to.match(/<script(?![^>]* src=)|<style| on\w+=/);
    const parts = [...page.text.matchAll(/(?:src|href)="(?!data:)([^"]*)"/g)].map(([, part = ""]) => part);
    expect(parts).to.deep.equal(["style.css", "main.js"]);
    for (const part of parts) expect((await ask(path + part, {})).status, part).to.equal(200);
  });

  it("has nothing else", async () => {
    expect((await ask(`${path}other`, {})).status).to.equal(404);
    expect((await ask(`${path}../main.js`, {})).status).to.equal(404);
    expect((await ask(`${origin}/main.js`, {})).status).to.equal(404);
    expect((await ask(path, { method: "PUT" })).status).to.equal(405);
    expect((await order("other", "{}")).status).to.equal(404);
  });

  it("tells all that there is at once, and then each change", async () => {
    const stream = await answerOf(`${path}events`, {});
    const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
    const next = async (): Promise<DashboardEvent> => {
      for (;;) {
        const { value } = (await lines.next()) as { value: string };
        if (value.startsWith("data: ")) return JSON.parse(value.slice("data: ".length)) as DashboardEvent;
      }
    };
    expect(await next()).to.deep.equal({ type: "all", state: board.state });
    board.tell({ type: "gates", gates: { passed: [], readAt: "2026-01-02T03:04:05.678Z" } });
    expect(await next()).to.deep.equal({
      type: "gates",
      gates: { passed: [], readAt: "2026-01-02T03:04:05.678Z" },
    });
    stream.destroy();
  });

  it("takes orders that make sense, and says why one is refused", async () => {
    refusal = undefined;
    expect((await order("switch", '{"to":"green","why":"a release"}')).status).to.equal(202);
    expect((await order("rollback", '{"to":"blue"}')).status).to.equal(202);
    expect((await order("plan", "{}")).status).to.equal(202);
    expect([orders, plans]).to.deep.equal([
      [
        { kind: "switch", to: "green", why: "a release" },
        { kind: "rollback", to: "blue", why: "" },
      ],
      1,
    ]);
    refusal = "A switch to green is running.";
    const refused = await order("switch", '{"to":"green"}');
    expect([refused.status, refused.text]).to.deep.equal([409, "A switch to green is running.\n"]);
  });

  it("passes on nothing that makes none", async () => {
    const before = orders.length;
    for (const body of [
      "",
      "{",
      "{}",
      '{"to":"red"}',
      '{"to":"green; rm -rf /"}',
      `{"to":"green","why":"${"x".repeat(201)}"}`,
    ])
      expect((await order("switch", body)).status, body).to.equal(400);
    expect((await order("switch", JSON.stringify({ to: "green", why: "x".repeat(5000) }))).status).to.equal(
      413,
    );
    expect(orders.length).to.equal(before);
  });

  it("says it where its port is taken", async () => {
    const port = Number(new URL(server.url).port);
    const error = await serveDashboard(board, { start: () => undefined, plan: () => undefined }, port).then(
      (second) => {
        second.close();
        return "it was not";
      },
      String,
    );
    expect(error)
      .to.contain(`Port ${port} of 127.0.0.1 was refused`)
      .and.contain("EADDRINUSE")
      .and.contain("--port 0");
  });
});
