import { createHmac, webcrypto } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { contractDueAlert, describeDeliveries, sendAlert, type Receiver } from "@bluegreen/release";
import { someAlerts } from "../support/alerts";
import { startReceiver, type HttpReceiver } from "../support/receiver";

const secret = "hunter2-hunter2-hunter2";
const routingKey = "hunter2hunter2hunter2hunter2hunt";
/** Long enough for a busy machine, and hardly a pause between two tries. */
const quick = { pauseMs: 1 };

describe("An alert", function () {
  // Of a machine with more to do.

  let first: HttpReceiver;
  let second: HttpReceiver;
  beforeEach(async () => {
    [first, second] = await Promise.all([startReceiver(), startReceiver()]);
  });
  afterEach(async () => {
    await Promise.all([first.close(), second.close()]);
  });

  const slack = (url = first.url): Receiver => ({ kind: "slack", url: `${url}/services/T0/B0/hunter2` });
  const webhook = (url = first.url): Receiver => ({ kind: "webhook", url: `${url}/hook/hunter2`, secret });
  const pagerDuty = (baseUrl = first.url): Receiver => ({ kind: "pagerDuty", routingKey, baseUrl });
  const bodies = () => first.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  /** Why an alert is not delivered, as people read it. */
  const failureWith = async (
    receiver: Receiver,
    options: Parameters<typeof sendAlert>[2] = quick,
  ): Promise<string> => {
    const deliveries = await sendAlert([receiver], someAlerts.rolledBack, options);
    const text = describeDeliveries(someAlerts.rolledBack, deliveries);
    expect(JSON.stringify(deliveries) + text).not.to.contain("hunter2");
    return text;
  };

  describe("to a webhook", () => {
    it("is JSON of what happened, with an id that is the same for the same event", async () => {
      await sendAlert([webhook()], someAlerts.rolledBack);
      await sendAlert([webhook()], { ...someAlerts.rolledBack, evidence: [] });
      await sendAlert([webhook()], { ...someAlerts.rolledBack, at: new Date("2026-03-01T03:00:01Z") });
      const [body, again, later] = bodies();
      expect(first.received[0]?.path).to.equal("/hook/hunter2");
      expect(body).to.deep.include({
        kind: "rolledBack",
        severity: "critical",
        title: "chatgpt-app: rolled back from green to blue",
        app: "chatgpt-app",
        namespace: "shop",
        from: { color: "green", image: "app:v2" },
        to: { color: "blue", image: "app:v1" },
        who: "ada",
        why: "score 12 of 10",
        at: "2026-03-01T03:00:00.000Z",
        evidence: ["3 restarts", "p99 9.1 s"],
        links: [{ text: "CI run", url: "https://ci.example.com/runs/1?a=1&b=2" }],
      });
      expect(body?.["id"])
        .to.match(/^[0-9a-f]{32}$/)
        .and.equal(again?.["id"])
        .and.not.equal(later?.["id"]);
    });

    it("is signed over its time and its body", async () => {
      await sendAlert([webhook()], someAlerts.switched);
      const { headers, body = "" } = first.received[0] ?? {};
      const timestamp = String(headers?.["x-bluegreen-timestamp"]);
      expect(Number(timestamp)).to.be.closeTo(Date.now() / 1000, 60);
      const key = await webcrypto.subtle.importKey(
        "raw",
        Buffer.from(secret),
        { name: "HMAC", hash: "SHA-256" },
        false,
        ["verify"],
      );
      const [, signature = ""] =
        /^sha256=([0-9a-f]{64})$/.exec(String(headers?.["x-bluegreen-signature"])) ?? [];
      const isSigned = (text: string) =>
        webcrypto.subtle.verify("HMAC", key, Buffer.from(signature, "hex"), Buffer.from(text));
      expect(await isSigned(`${timestamp}.${body}`)).to.equal(true);
      expect(await isSigned(`${timestamp}.${body} `)).to.equal(false);
    });
  });

  describe("to a webhook that verifies as the documentation says", () => {
    type Verify = (headers: Record<string, unknown>, body: string, secret: string) => boolean;
    let folder: string;
    let isFromBluegreen: Verify;
    before(async () => {
      const [, code = ""] = /^```js\n(.*?)^```/ms.exec(readFileSync("docs/guides/alerts.md", "utf8")) ?? [];
      folder = mkdtempSync(join(tmpdir(), "bg-verify-"));
      const file = join(folder, "verify.mjs");
      writeFileSync(file, code);
      ({ isFromBluegreen } = (await import(pathToFileURL(file).href)) as { isFromBluegreen: Verify });
    });
    after(() => {
      rmSync(folder, { recursive: true });
    });

    it("is taken as it came, and with no other body, secret or time", async () => {
      await sendAlert([webhook()], { ...someAlerts.rolledBack, why: "größer als 10" });
      const { headers = {}, body = "" } = first.received[0] ?? {};
      expect(isFromBluegreen(headers, body, secret)).to.equal(true);
      expect(isFromBluegreen(headers, body.replace("blue", "green"), secret), "another body").to.equal(false);
      expect(isFromBluegreen(headers, body, `${secret}!`), "another secret").to.equal(false);
      const timestamp = String(Number(headers["x-bluegreen-timestamp"]) + 1);
      expect(
        isFromBluegreen({ ...headers, "x-bluegreen-timestamp": timestamp }, body, secret),
        "another time",
      ).to.equal(false);
      expect(isFromBluegreen({}, body, secret), "unsigned").to.equal(false);
    });

    it("is refused when it is sent again an hour later", () => {
      const timestamp = String(Math.floor(Date.now() / 1000) - 3600);
      const signature = `sha256=${createHmac("sha256", secret).update(`${timestamp}.{}`).digest("hex")}`;
      expect(
        isFromBluegreen(
          { "x-bluegreen-timestamp": timestamp, "x-bluegreen-signature": signature },
          "{}",
          secret,
        ),
      ).to.equal(false);
    });
  });

  describe("to PagerDuty", () => {
    it("opens one incident for a version that fails, however it does", async () => {
      await sendAlert([pagerDuty()], someAlerts.rolledBack);
      await sendAlert([pagerDuty()], someAlerts.gateFailed);
      await sendAlert([pagerDuty()], {
        ...someAlerts.gateFailed,
        version: { color: "green", image: "app:v3" },
      });
      const [rolledBack, gateFailed, another] = bodies();
      expect(first.received.map(({ path }) => path)).to.deep.equal([
        "/v2/enqueue",
        "/v2/enqueue",
        "/v2/enqueue",
      ]);
      expect(rolledBack).to.deep.include({
        routing_key: routingKey,
        event_action: "trigger",
        links: [{ href: "https://ci.example.com/runs/1?a=1&b=2", text: "CI run" }],
      });
      expect(rolledBack?.["payload"]).to.deep.include({
        severity: "critical",
        source: "shop/chatgpt-app",
        component: "green",
        timestamp: "2026-03-01T03:00:00.000Z",
      });
      expect(gateFailed?.["payload"]).to.deep.include({
        severity: "error",
        summary: "chatgpt-app: the smoke gate of green has failed: score 12 of 10",
      });
      expect(rolledBack?.["dedup_key"])
        .to.match(/^shop\.chatgpt-app\.green\.[0-9a-f]{16}$/)
        .and.equal(gateFailed?.["dedup_key"])
        .and.not.equal(another?.["dedup_key"]);
    });

    it("notes a change for a switch that starts, and says nothing of contract migrations", async () => {
      expect(await sendAlert([pagerDuty()], someAlerts.started)).to.deep.equal([
        { receiver: "pagerDuty", failure: undefined },
      ]);
      expect(await sendAlert([pagerDuty()], someAlerts.contractDue)).to.deep.equal([]);
      expect(first.received.map(({ path }) => path)).to.deep.equal(["/v2/change/enqueue"]);
      expect(bodies()[0]).to.deep.include({ routing_key: routingKey }).and.not.have.property("event_action");
      expect(bodies()[0]?.["payload"]).to.deep.include({
        summary: "chatgpt-app: the switch to green has started: score 12 of 10",
      });
    });

    it("resolves, when traffic is on a version, its incident and those that are named", async () => {
      await sendAlert([pagerDuty()], someAlerts.rolledBack);
      const key = bodies()[0]?.["dedup_key"];
      await sendAlert([pagerDuty()], someAlerts.switched, {
        openIncidents: ["shop.chatgpt-app.green.0000", String(key)],
      });
      const events = first.received
        .slice(1)
        .map(({ path, body }) => ({ path, ...(JSON.parse(body) as object) }));
      expect(events.filter(({ path }) => path === "/v2/change/enqueue")).to.have.length(1);
      const resolved = ["shop.chatgpt-app.green.0000", key].map((dedup_key) => ({
        path: "/v2/enqueue",
        routing_key: routingKey,
        event_action: "resolve",
        dedup_key,
      }));
      expect(events.filter(({ path }) => path === "/v2/enqueue")).to.have.deep.members(resolved);
    });
  });

  it("goes to all receivers at the same time", async () => {
    // Each answers when both have been asked.
    const waiting: (() => void)[] = [];
    const together = (response: { end(): unknown }) => {
      waiting.push(() => response.end());
      if (waiting.length === 2) for (const answer of waiting) answer();
    };
    first.answer(together);
    second.answer(together);
    const deliveries = await sendAlert([slack(), webhook(second.url)], someAlerts.started);
    expect(describeDeliveries(someAlerts.started, deliveries)).to.equal(
      "alert started: Slack delivered, webhook delivered",
    );
  });

  it("says which receiver got it and which did not", async () => {
    second.answer(500);
    const deliveries = await sendAlert([slack(), webhook(second.url)], someAlerts.rolledBack, quick);
    expect(describeDeliveries(someAlerts.rolledBack, deliveries)).to.equal(
      "alert rolledBack: Slack delivered, webhook not (3 tries, last: HTTP 500)",
    );
    expect(second.received).to.have.length(3);
  });

  describe("to a receiver in trouble", () => {
    it("is sent again after errors of the server, with the same id", async () => {
      first.answer(500, 503, 200);
      expect(await failureWith(webhook())).to.equal("alert rolledBack: webhook delivered");
      expect(new Set(bodies().map(({ id }) => id))).to.have.property("size", 1);
      expect(first.received).to.have.length(3);
    });

    it("is sent once where another try cannot help", async () => {
      first.answer(404);
      expect(await failureWith(slack())).to.equal("alert rolledBack: Slack not (1 try: HTTP 404)");
      expect(first.received).to.have.length(1);
    });

    it("waits as long as it is asked to, by the receiver's clock", async () => {
      for (const headers of [
        { "retry-after": "1" },
        { date: "Mon, 01 Jan 2001 00:00:00 GMT", "retry-after": "Mon, 01 Jan 2001 00:00:01 GMT" },
      ]) {
        first.answer((response) => response.writeHead(429, headers).end(), 200);
        first.received.length = 0;
        expect(await failureWith(slack())).to.equal("alert rolledBack: Slack delivered");
        const [asked, again] = first.received;
        // A timer may be a little early.
        expect((again?.at ?? 0) - (asked?.at ?? 0)).to.be.at.least(900);
      }
    });

    it("does not wait longer than it all may take", async () => {
      first.answer((response) => response.writeHead(429, { "retry-after": "3600" }).end());
      expect(await failureWith(slack())).to.equal(
        "alert rolledBack: Slack not (1 try: HTTP 429, and no time for another)",
      );
    });

    it("gives up one that never answers, each time and in all", async () => {
      const never = () => undefined;
      first.answer(never);
      expect(await failureWith(webhook(), { ...quick, timeoutMs: 100 })).to.equal(
        "alert rolledBack: webhook not (3 tries, last: no answer within 0.1 s)",
      );
      expect(await failureWith(webhook(), { timeoutMs: 600_000, totalMs: 300 })).to.match(
        /^alert rolledBack: webhook not \(1 try: no answer within 0\.\d s, and no time for another\)$/,
      );
    });

    it("gives up one that nobody listens at", async () => {
      await first.close();
      expect(await failureWith(slack())).to.equal(
        "alert rolledBack: Slack not (3 tries, last: ECONNREFUSED)",
      );
    });

    it("does not read an answer that never ends", async () => {
      let ended: Promise<unknown> | undefined;
      first.answer((response) => {
        const chunk = "x".repeat(65_536);
        const write = () => {
          while (response.write(chunk));
        };
        response.on("drain", write).on("error", () => undefined);
        ended = once(response, "close");
        response.writeHead(200);
        write();
      });
      expect(await failureWith(slack())).to.equal("alert rolledBack: Slack delivered");
      await ended;
    });

    it("gives up headers that never end", async () => {
      const sockets: Socket[] = [];
      const server = createServer((socket) => {
        sockets.push(socket);
        const write = () => {
          while (socket.write(`x-more: ${"x".repeat(1000)}\r\n`));
        };
        socket.on("error", () => undefined).on("drain", write);
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\n");
          write();
        });
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const text = await failureWith(slack(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
      expect(text).to.match(/^alert rolledBack: Slack not \(3 tries, last: [A-Z_]+\)$/);
      for (const socket of sockets) socket.destroy();
      server.close();
    });

    it("does not follow it elsewhere", async () => {
      for (const status of [301, 302, 303, 307, 308]) {
        first.answer((response) => response.writeHead(status, { location: `${second.url}/elsewhere` }).end());
        expect(await failureWith(webhook())).to.equal(
          `alert rolledBack: webhook not (1 try: HTTP ${status}, and redirects are not followed)`,
        );
      }
      expect(second.received).to.deep.equal([]);
    });

    it("is not sent in the clear, with a password in the URL, or to no URL", async () => {
      for (const url of [
        "http://192.0.2.1",
        "http://localhost.example.com",
        "https://ada:hunter2@127.0.0.1",
        "ftp://127.0.0.1",
        "hunter2",
      ]) {
        expect(await failureWith(slack(url)), url).to.match(
          /^alert rolledBack: Slack not \(its URL is not https:/,
        );
      }
    });

    it("never throws, not even for an alert that cannot be written down", async () => {
      const deliveries = await sendAlert(
        [slack(), webhook(), pagerDuty()],
        { ...someAlerts.switched, at: new Date(NaN) },
        quick,
      );
      expect(describeDeliveries(someAlerts.switched, deliveries)).to.equal(
        "alert switched: Slack not (RangeError), webhook not (RangeError), PagerDuty not (RangeError)",
      );
    });
  });

  it("takes no password in a URL along, no control characters, and no more lines than a person reads", async () => {
    const evidence = [
      "connect postgres://app:hunter2@db:5432/app failed",
      "\u001b[31mred\u001b[0m\u0000 \u202Egnihtemos",
      ...Array.from({ length: 100 }, (_, index) => `line ${index} ${"x".repeat(10_000)}`),
    ];
    const links = [
      { text: "run", url: "javascript:alert(1)" },
      { text: "run", url: "https://" },
    ];
    await sendAlert([slack(), webhook(), pagerDuty()], {
      ...someAlerts.rolledBack,
      why: "redis://:hunter2@redis\nsaid no",
      evidence,
      links,
    });
    expect(first.received).to.have.length(3);
    for (const { body } of first.received)
      expect(body).not.to.match(/:hunter2@|\\u001b|\\u0000|\u202E|javascript/);
    const [body] = bodies().filter((each) => "kind" in each);
    const lines = body?.["evidence"] as string[];
    expect(lines.slice(0, 2)).to.deep.equal([
      "connect postgres://app:[secret]@db:5432/app failed",
      "red gnihtemos",
    ]);
    expect(lines).to.have.length(51).and.include("… 52 more lines");
    expect(body).to.deep.include({ why: "redis://:[secret]@redis said no", links: [] });
    for (const line of lines) expect(line.length).to.be.at.most(500);
  });
});

describe("Contract migrations are due", () => {
  const waiting = ["0005"];
  const ref = {
    app: "chatgpt-app",
    namespace: "shop",
    live: { color: "green", image: "app:v2" } as const,
    switchedAt: new Date("2026-03-01T00:00:00Z"),
    waiting,
    afterHours: 24,
    who: "the analysis controller",
  };

  it("when the hours since the switch are over, not before, and only where some wait", () => {
    expect(contractDueAlert(ref, new Date("2026-03-01T23:59:59Z"))).to.equal(undefined);
    expect(contractDueAlert({ ...ref, waiting: [] }, new Date("2026-03-03T00:00:00Z"))).to.equal(undefined);
    const due = contractDueAlert(ref, new Date("2026-03-02T00:00:00Z"));
    expect(due).to.deep.include({
      kind: "contractDue",
      migrations: ["0005"],
      at: new Date("2026-03-02T00:00:00Z"),
    });
    expect(due?.evidence.join("\n")).to.contain("pulumi config set contractMigration 0005 && pulumi up");
    expect(contractDueAlert(ref, new Date("2026-03-03T00:00:00Z")), "the same, however late").to.deep.equal(
      due,
    );
  });
});
