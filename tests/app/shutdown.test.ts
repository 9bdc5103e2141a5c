import { expect } from "chai";
import { once } from "node:events";
import { connect } from "node:net";
import { waitFor } from "../../local/system/wait";
import { App, stopAll } from "./support/app";
import { Connection } from "./support/connection";
import { readEvents } from "./support/events";
import { query, Services, withClient } from "./support/services";

describe("Shutdown", function () {
  let services: Services;
  let database: string;

  before(async () => {
    services = await Services.start();
    database = await services.createDatabase(2);
  });

  afterEach(stopAll);
  after(() => services.stop());

  const start = async (env: Record<string, string>): Promise<App> => {
    const app = await App.start({ env: { DATABASE_URL: database, REDIS_URL: services.redisUrl, ...env } });
    await app.untilReady(true);
    return app;
  };

  /** Runs `during` while one request of the app waits for the database; the request continues after it. */
  const withOpenRequest = async (app: App, connection: Connection, during: () => Promise<void>) =>
    withClient(database, async (client) => {
      await client.query("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
      const answer = connection.get("/api/users/nobody").catch((error: unknown) => error);
      await waitFor(
        async () =>
          (await query(services.adminUrl, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
            .length > 0
            ? true
            : undefined,
        300_000,
        () => Promise.resolve(new Error(`The request did not reach the database: ${app.output}`)),
      );
      await during();
      await client.query("ROLLBACK");
      return answer;
    });

  it("turns unready at once, serves on for the drain time, and tells clients to leave", async () => {
    const app = await start({ DRAIN_SECONDS: "5" });
    const connection = new Connection(app);
    expect((await connection.get("/health")).connection).to.equal("keep-alive");
    const begin = performance.now();
    app.signal("SIGTERM");

    expect(await app.untilReady(false)).to.include({ reason: "shutting_down" });
    expect(await connection.get("/api/users/nobody")).to.include({
      status: 404,
      connection: "close",
      reused: true,
    });
    // A connection of its own: new clients still come while the endpoint is being removed.
    expect(await new Connection(app).get("/health")).to.include({ status: 200, connection: "close" });

    expect(await app.exited).to.deep.equal({ code: 0, signal: null });
    expect(performance.now() - begin).to.be.at.least(5000);
  });

  it("closes idle keep-alive connections when the drain time is over", async () => {
    const app = await start({ DRAIN_SECONDS: "0.5" });
    const connection = new Connection(app);
    await connection.get("/health");
    const begin = performance.now();
    app.signal("SIGTERM");
    await connection.closed();
    expect(performance.now() - begin).to.be.at.least(450);
    // Held up by it, the process would be forced to end, which is an error.
    expect(await app.exited).to.deep.equal({ code: 0, signal: null });
  });

  it("closes a connection that never sent a request", async () => {
    const app = await start({});
    const socket = connect(app.port, "127.0.0.1");
    await once(socket, "connect");
    // A request after it on another connection: by then the app has taken the first one.
    await new Connection(app).get("/health");
    const closed = once(socket.resume(), "close");
    // Held up by it, the process would be forced to end, which is an error.
    expect(await app.stop()).to.deep.equal({ code: 0, signal: null });
    await closed;
  });

  it("finishes a request that is open, on a connection that it then closes", async () => {
    const app = await start({ DRAIN_SECONDS: "0" });
    const connection = new Connection(app);
    const answer = await withOpenRequest(app, connection, async () => {
      app.signal("SIGTERM");
      await waitFor(
        () =>
          app.get("/health").then(
            () => undefined,
            () => true,
          ),
        300_000,
        () => Promise.resolve(new Error("The app still takes connections")),
      );
    });
    expect(answer).to.include({ status: 404, connection: "close" });
    expect(await app.exited).to.deep.equal({ code: 0, signal: null });
  });

  it("ends streams with a last event and a hint when to come back", async () => {
    const app = await start({});
    const streams = await Promise.all([
      app.get("/stream?period=100"),
      app.get("/mcp", { headers: { accept: "text/event-stream" } }),
    ]);
    const events = streams.map((response) => readEvents(response));
    expect(await app.stop()).to.deep.equal({ code: 0, signal: null });
    for (const received of await Promise.all(events)) {
      const last = received.at(-1);
      expect(last).to.include({ event: "end", data: '{"reason":"shutting_down"}' });
      expect(Number(last?.retry)).to.be.within(500, 1500);
    }
  });

  it("is forced, with an error, when a request is still open after the grace time", async () => {
    const app = await start({ SHUTDOWN_GRACE_SECONDS: "1" });
    const begin = performance.now();
    await withOpenRequest(app, new Connection(app), async () => {
      app.signal("SIGTERM");
      expect(await app.exited).to.deep.equal({ code: 1, signal: null });
    });
    expect(performance.now() - begin).to.be.at.least(1000);
    expect(app.log.at(-1)).to.deep.include({ level: "error", openRequests: 1, graceSeconds: 1 });
  });

  it("takes no notice of a second signal", async () => {
    const app = await start({ DRAIN_SECONDS: "3" });
    app.signal("SIGTERM");
    await app.untilReady(false);
    app.signal("SIGTERM");
    expect(await app.exited).to.deep.equal({ code: 0, signal: null });
  });
});
