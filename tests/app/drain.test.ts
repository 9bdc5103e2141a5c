import { expect } from "chai";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { waitFor } from "../../local/system/wait";
import { App, stopAll } from "./support/app";
import { Connection } from "./support/connection";
import { readEvents } from "./support/events";
import { Services } from "./support/services";

interface State {
  draining: boolean;
  connections: number;
  streams: number;
  requests: number;
}

describe("A drain", function () {
  let services: Services;
  let app: App;

  before(async () => {
    services = await Services.start();
    const database = await services.createDatabase(2);
    app = await App.start({ env: { DATABASE_URL: database, REDIS_URL: services.redisUrl } });
    await app.untilReady(true);
  });
  afterEach(() => drain({ seconds: 0 }));
  after(async () => {
    await stopAll();
    await services.stop();
  });

  const ask = (init: RequestInit = {}, path = "/drain"): Promise<Response> =>
    fetch(`http://127.0.0.1:${app.drainPort}${path}`, { signal: AbortSignal.timeout(20_000), ...init });
  const order = (body: string, type = "application/json"): Promise<Response> =>
    ask({ method: "POST", body, headers: { "content-type": type } });
  const drain = async (body: { seconds: number }): Promise<State> =>
    (await order(JSON.stringify(body))).json() as Promise<State>;
  const state = async (): Promise<State> => (await ask()).json() as Promise<State>;

  const untilState = (wanted: (now: State) => boolean): Promise<State> =>
    waitFor(
      async () => {
        const now = await state();
        return wanted(now) ? now : undefined;
      },
      300_000,
      async () => new Error(`The state was not reached; it is ${JSON.stringify(await state())}`),
    );

  /** Sends as it is, and leaves the connection open. */
  const send = async (part: string): Promise<Socket> => {
    const socket = connect(app.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(part);
    return socket;
  };

  it("tells clients with their next answer to leave, serves new ones and stays ready", async () => {
    const connection = new Connection(app);
    expect(await connection.get("/api/users/nobody")).to.include({ connection: "keep-alive" });
    expect(await drain({ seconds: 60 })).to.include({ draining: true });
    expect(await connection.get("/api/users/nobody")).to.include({
      status: 404,
      connection: "close",
      reused: true,
    });
    expect(await new Connection(app).get("/api/users/nobody")).to.include({
      status: 404,
      connection: "close",
    });
    expect((await app.get("/ready")).status).to.equal(200);
  });

  it("tells a client who is waiting for an answer, too", async () => {
    const head =
      "POST /api/users HTTP/1.1\r\nhost: app\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n";
    const socket = await send(head);
    await untilState(({ requests }) => requests === 1);
    await drain({ seconds: 60 });
    socket.write("{}");
    const answer = await text(socket);
    expect(answer)
      .to.match(/^HTTP\/1.1 400 /)
      .and.match(/connection: close/i);
  });

  it("ends streams one after the other, each with a last event and a hint when to come back", async () => {
    const opened = await Promise.all(
      Array.from({ length: 40 }, (_each, index) =>
        index % 2 === 0
          ? app.get("/stream?period=100", { signal: null })
          : app.get("/mcp", { headers: { accept: "text/event-stream" }, signal: null }),
      ),
    );
    expect(await state()).to.include({ streams: 40 });
    await drain({ seconds: 12 });
    const ended = opened.map(async (response) => {
      const last = (await readEvents(response)).at(-1);
      expect(last).to.include({ event: "end", data: '{"reason":"draining"}' });
      expect(Number(last?.retry)).to.be.within(500, 1500);
    });
    await Promise.race(ended);
    expect((await state()).streams, "when the first has ended").to.be.greaterThan(0);
    await Promise.all(ended);
    expect(
      await untilState(({ streams }) => streams === 0),
      "all, before the second half is over",
    ).to.include({ draining: true });
  });

  it("takes the connection of a stream with it, so that its client comes back by a new one", async () => {
    const socket = await send("GET /stream HTTP/1.1\r\nhost: app\r\n\r\n");
    const received = text(socket);
    await untilState(({ streams }) => streams === 1);
    await drain({ seconds: 1 });
    expect(await received)
      .to.match(/connection: close/i)
      .and.match(/event: end[^]*\r\n0\r\n\r\n$/);
  });

  it("ends a stream that is opened meanwhile, too", async () => {
    await drain({ seconds: 10 });
    expect((await readEvents(await app.get("/stream"))).at(-1)).to.include({
      event: "end",
      data: '{"reason":"draining"}',
    });
    expect(await state()).to.include({ draining: true });
  });

  it("closes connections that nobody uses in its last third, and not before", async () => {
    const connection = new Connection(app);
    await connection.get("/api/users/nobody");
    const unused = await send("");
    const begin = performance.now();
    await drain({ seconds: 3 });
    await Promise.all([connection.closed(), once(unused, "close")]);
    expect(performance.now() - begin).to.be.greaterThan(1950);
    expect(await untilState(({ connections }) => connections === 0)).to.include({ requests: 0 });
  });

  it("cuts no request of which a part has arrived", async () => {
    const head = "GET /api/users/nobody HTTP/1.1\r\nhost: app\r\n";
    const [half, body] = await Promise.all([
      send(head),
      send(
        "POST /api/users HTTP/1.1\r\nhost: app\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{",
      ),
    ]);
    const answers = Promise.all([text(half), text(body)]);
    await drain({ seconds: 1 });
    await untilState(({ draining }) => !draining);
    expect(await state()).to.include({ connections: 2 });
    half.write("connection: close\r\n\r\n");
    body.end("}");
    const [answer, refusal] = await answers;
    expect(answer).to.match(/^HTTP\/1.1 404 /);
    expect(refusal).to.match(/^HTTP\/1.1 400 /);
  });

  it("ends by itself, and at once when it is told to: clients may stay then", async () => {
    const response = await app.get("/stream?period=100", { signal: null });
    await drain({ seconds: 3600 });
    expect(await drain({ seconds: 0 })).to.include({ draining: false, streams: 1 });
    expect(await new Connection(app).get("/api/users/nobody")).to.include({ connection: "keep-alive" });
    await drain({ seconds: 0.2 });
    await untilState(({ draining }) => !draining);
    expect(await new Connection(app).get("/api/users/nobody")).to.include({ connection: "keep-alive" });
    expect((await readEvents(response)).at(-1)).to.include({ event: "end" });
  });

  it("counts no connection that only probes have used", async () => {
    // What the tests before have left.
    await drain({ seconds: 0.5 });
    await untilState(({ draining, connections }) => !draining && connections === 0);
    const probe = new Connection(app);
    await probe.get("/ready");
    expect(await state()).to.include({ connections: 0 });
    await probe.get("/api/users/nobody");
    expect(await state()).to.include({ connections: 1 });
    await probe.get("/ready");
    expect(await state(), "whoever has asked for more stays counted").to.include({ connections: 1 });
  });

  it("is refused in any form that is not the contract's", async () => {
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      '"3"',
      "{}",
      '{"seconds":"3"}',
      '{"seconds":-1}',
      '{"seconds":3601}',
      '{"seconds":1e999}',
      '{"seconds":null}',
      '{"seconds":3,"force":true}',
      "[".repeat(900),
    ]) {
      const response = await order(body);
      expect(response.status, body).to.equal(400);
      expect(await response.json(), body).to.include({ error: "invalid_request" });
    }
    expect((await order(`{"seconds":3${" ".repeat(2_000_000)}}`)).status).to.equal(413);
    expect((await order('{"seconds":3}', "text/plain")).status, "as a web page may send it").to.equal(400);
    expect((await ask({ method: "DELETE" })).status).to.equal(405);
    expect((await ask({}, "/api/users/ada")).status).to.equal(404);
    expect(await state()).to.include({ draining: false });
    expect(app.log.filter((line) => JSON.stringify(line).includes('"level":"error"'))).to.deep.equal([]);
  });

  it("can be asked for at the loopback address alone, and not at the users' port", async () => {
    const elsewhere = connect(app.drainPort, "127.0.0.2");
    const [error] = (await once(elsewhere, "error")) as [NodeJS.ErrnoException];
    expect(error.code).to.equal("ECONNREFUSED");
    expect((await app.post("/drain", '{"seconds":3}')).status).to.equal(404);
  });
});
