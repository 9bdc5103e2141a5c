import { expect } from "chai";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { waitFor } from "../../local/system/wait";
import { App, stopAll } from "./support/app";
import { migrate, query, Services, withClient } from "./support/services";

/** timeoutSeconds of the readiness probe: an answer that takes longer is no answer. */
const PROBE_LIMIT_MS = 3000;
/**
 * When the app gives up its check of a database that hangs: an answer that waited for it would take as long.
 */
const CHECK_LIMIT_MS = 1000;

describe("Readiness", function () {
  let services: Services;
  let database: string;

  before(async () => {
    services = await Services.start();
    database = await services.createDatabase(2);
  });

  afterEach(stopAll);
  after(() => services.stop());

  const start = (env: Record<string, string> = {}): Promise<App> =>
    App.start({ env: { DATABASE_URL: database, REDIS_URL: services.redisUrl, ...env } });

  it("serves health before the database is there, and is ready as soon as it is", async () => {
    await services.stopPostgres();
    const app = await start();
    expect(await app.untilReady(false)).to.include({ ready: false, reason: "database_unavailable" });
    expect((await app.get("/health")).status).to.equal(200);
    await services.startPostgres();
    expect(await app.untilReady(true)).to.include({ ready: true });
  });

  it("survives a restart of the database: unready meanwhile, alive all the time, then serving again", async () => {
    const app = await start();
    await app.untilReady(true);
    expect((await app.get("/api/users/nobody")).status).to.equal(404);

    await services.stopPostgres();
    expect(await app.untilReady(false)).to.include({ reason: "database_unavailable" });
    const health = await app.get("/health");
    expect(health.status).to.equal(200);
    expect(await health.json()).to.deep.include({
      status: "degraded",
      checks: { database: false, redis: true, openai: false },
    });

    await services.startPostgres();
    await app.untilReady(true);
    expect((await app.get("/api/users/nobody")).status).to.equal(404);
    expect(await (await app.get("/health")).json()).to.have.property("status", "healthy");
  });

  it("answers in time while the database hangs, and liveness does not wait for it", async () => {
    const app = await start();
    await app.untilReady(true);
    await withClient(database, async (client) => {
      await client.query("BEGIN; LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE");
      // The quickest of some: a moment in which this machine stands still is not the app's.
      const took: number[] = [];
      for (let probe = 0; probe < 3; probe += 1) {
        const begin = performance.now();
        expect(await (await app.get("/ready")).json()).to.include({ reason: "database_unavailable" });
        took.push(performance.now() - begin);
      }
      expect(Math.min(...took)).to.be.lessThan(PROBE_LIMIT_MS);
      const answers = 20;
      const begin = performance.now();
      for (let answer = 0; answer < answers; answer += 1)
        expect((await app.get("/health")).status).to.equal(200);
      expect(performance.now() - begin).to.be.lessThan((answers * CHECK_LIMIT_MS) / 2);
      await client.query("ROLLBACK");
    });
    await app.untilReady(true);
  });

  it("stays ready while requests wait for every connection of their pool", async () => {
    const app = await start();
    await app.untilReady(true);
    await withClient(database, async (client) => {
      await client.query("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
      const waiting = Array.from({ length: 20 }, () => app.get("/api/users/nobody"));
      await waitFor(
        async () => {
          const rows = await query(
            services.adminUrl,
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
          );
          return rows.length >= 8 ? true : undefined;
        },
        300_000,
        () => Promise.resolve(new Error("The requests did not use up the pool")),
      );
      expect((await app.get("/ready")).status).to.equal(200);
      await client.query("ROLLBACK");
      const statuses = (await Promise.all(waiting)).map((response) => response.status);
      expect(new Set(statuses)).to.deep.equal(new Set([404]));
    });
  });

  it("waits for the schema that its release needs", async () => {
    const older = await services.createDatabase(1);
    const app = await start({ DATABASE_URL: older });
    expect(await app.untilReady(false)).to.deep.include({
      reason: "schema_too_old",
      schema: { needs: "0002", knows: "0002", applied: "0001" },
    });
    await migrate(older, "0002_add_user_tier.sql");
    expect(await app.untilReady(true)).to.deep.include({
      schema: { needs: "0002", knows: "0002", applied: "0002" },
    });
  });

  it("is ready as release v1 on the schema of v2", async () => {
    const app = await App.start({
      release: "v1",
      env: { DATABASE_URL: database, REDIS_URL: services.redisUrl },
    });
    expect(await app.untilReady(true)).to.deep.include({
      schema: { needs: "0001", knows: "0001", applied: "0002" },
    });
  });

  it("takes a database without any migration for one that is too old", async () => {
    for (const url of [await services.createDatabase(0), services.adminUrl]) {
      const app = await start({ DATABASE_URL: url });
      expect(await app.untilReady(false)).to.deep.include({
        reason: "schema_too_old",
        schema: { needs: "0002", knows: "0002", applied: null },
      });
    }
  });

  it("is unready without Redis and ready again with it", async () => {
    const app = await start();
    await app.untilReady(true);
    await services.stopRedis();
    expect(await app.untilReady(false)).to.deep.include({
      reason: "redis_unavailable",
      checks: { database: true, redis: false, openai: false },
    });
    await services.startRedis();
    await app.untilReady(true);
  });

  describe("of the third-party API", () => {
    let api: Server;
    let status: number;
    let requests: (string | undefined)[];
    let env: Record<string, string>;

    before(async () => {
      api = createServer((request, response) => {
        requests.push(request.headers.authorization);
        response.writeHead(status).end("{}");
      }).listen(0, "127.0.0.1");
      await once(api, "listening");
      const address = api.address();
      if (address === null || typeof address === "string") throw new Error("The API of the test has no port");
      env = { OPENAI_BASE_URL: `http://127.0.0.1:${address.port}/v1` };
    });

    beforeEach(() => {
      status = 200;
      requests = [];
    });

    after(() => api.close());

    it("is not asked for unless it is configured", async () => {
      status = 500;
      const app = await start(env);
      expect(await app.untilReady(true)).to.have.nested.property("checks.openai", false);
    });

    it("makes the app unready when it is configured", async () => {
      status = 500;
      const app = await start({ ...env, READY_CHECKS_OPENAI: "true" });
      expect(await app.untilReady(false)).to.include({ reason: "openai_unavailable" });
    });

    it("is asked once with the key and remembered, whatever the number of probes", async () => {
      const app = await start({ ...env, READY_CHECKS_OPENAI: "true" });
      expect(await app.untilReady(true)).to.have.nested.property("checks.openai", true);
      for (let probe = 0; probe < 10; probe += 1) await app.get("/ready");
      expect(requests).to.deep.equal(["Bearer sk-test-key"]);
    });
  });
});
