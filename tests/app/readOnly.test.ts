import { expect } from "chai";
import { writeFreezeEnd, type WriteFreezeInputs } from "@bluegreen/release";
import { raise } from "@bluegreen/release/freeze/step";
import { waitFor } from "../../local/system/wait";
import { App, stopAll } from "./support/app";
import { query, Services, withClient } from "./support/services";

describe("The app, asked not to write", function () {
  let services: Services;
  let database: string;
  let app: App;

  before(async () => {
    services = await Services.start();
    database = await services.createDatabase(2);
    await query(database, "INSERT INTO users (id, email) VALUES ('ada', 'ada@example.com')");
    app = await start(database);
  });

  after(async () => {
    await stopAll();
    await services.stop();
  });

  const start = async (url: string): Promise<App> => {
    const started = await App.start({ env: { DATABASE_URL: url, REDIS_URL: services.redisUrl } });
    await started.untilReady(true);
    return started;
  };
  const inputs = (part: Partial<WriteFreezeInputs> = {}): WriteFreezeInputs => ({
    context: "",
    namespace: "test",
    namespacePerColor: false,
    app: "chatgpt-app",
    stack: "test",
    color: "green",
    redisUrl: services.redisUrl,
    seconds: 30,
    gracePeriodMs: 0,
    ...part,
  });
  const setFreeze = (part?: Partial<WriteFreezeInputs>) =>
    raise(inputs(part), "stack test", "blue", () => undefined);
  const endFreeze = (token: string) =>
    writeFreezeEnd.run(
      { stack: "test", app: "chatgpt-app", redisUrl: services.redisUrl, token },
      () => undefined,
    );
  let made = 0;
  const write = (to = app) =>
    to.post("/api/users", JSON.stringify({ id: `user-${++made}`, email: "user@example.com" }));
  const expectRefusal = async (response: Response) => {
    expect(response.status).to.equal(503);
    expect(response.headers.get("retry-after")).to.equal("2");
    // The next try then comes on a new connection, which can reach the other color.
    expect(response.headers.get("connection")).to.equal("close");
    expect(await response.json()).to.deep.equal({
      error: "read_only",
      message: "Nothing can be written while a release moves traffic; try again in 2 seconds",
    });
  };

  it("refuses writes as long as a release's write freeze is up, and continues reading", async () => {
    expect((await write()).status).to.equal(201);
    const token = await setFreeze();
    await expectRefusal(await write());
    expect((await app.get("/api/users/ada")).status).to.equal(200);
    expect((await app.get("/ready")).status).to.equal(200);
    await endFreeze(token);
    expect((await write()).status).to.equal(201);
    expect(await query(database, "SELECT count(*)::int AS n FROM users")).to.deep.equal([{ n: 3 }]);
  });

  it("says what is wrong with a request before it asks whether it may write", async () => {
    const token = await setFreeze();
    expect((await app.post("/api/users", "{}")).status).to.equal(400);
    await endFreeze(token);
  });

  it("writes again in time after a release that died", async () => {
    await setFreeze({ seconds: 4 });
    await expectRefusal(await write());
    await waitFor(
      async () => ((await write()).status === 201 ? true : undefined),
      300_000,
      () => Promise.resolve(new Error("The app stayed read-only")),
    );
  });

  it("loses no write that passed before the write freeze: it is done within the grace period", async () => {
    const slow = await withClient(database, async (client) => {
      await client.query("BEGIN; LOCK TABLE users IN SHARE MODE");
      const writing = write();
      await waitFor(
        async () =>
          (
            await query(
              database,
              "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
            )
          ).length > 0
            ? true
            : undefined,
        300_000,
        () => Promise.resolve(new Error("The write did not begin")),
      );
      const raising = setFreeze({ gracePeriodMs: 1000 });
      await client.query("COMMIT");
      expect((await writing).status).to.equal(201);
      return raising;
    });
    await expectRefusal(await write());
    await endFreeze(slow);
  });

  it("gives the same answer when the database itself takes no writes, whatever Redis says", async () => {
    const readOnly = await services.createDatabase(2);
    await query(
      services.adminUrl,
      `ALTER DATABASE ${new URL(readOnly).pathname.slice(1)} SET default_transaction_read_only = on`,
    );
    const other = await start(readOnly);
    await expectRefusal(await write(other));
    expect((await other.get("/api/users/nobody")).status).to.equal(404);
    expect(other.output).not.to.contain("a request failed");
  });

  it("writes when Redis cannot be asked", async () => {
    await services.stopRedis();
    expect((await write()).status).to.equal(201);
    await services.startRedis();
  });
});
