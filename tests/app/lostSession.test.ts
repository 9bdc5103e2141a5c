import { expect } from "chai";
import { waitFor } from "../../local/system/wait";
import { App, stopAll } from "./support/app";
import { query, Services, withClient } from "./support/services";

describe("The app, whose database sessions are ended", function () {
  let services: Services;
  let database: string;
  let app: App;

  before(async () => {
    services = await Services.start();
    database = await services.createDatabase(2);
    await query(database, "INSERT INTO users (id, email) VALUES ('ada', 'ada@example.com')");
    app = await App.start({
      env: { DATABASE_URL: database, REDIS_URL: services.redisUrl, PGAPPNAME: "the app" },
    });
    await app.untilReady(true);
  });

  after(async () => {
    await stopAll();
    await services.stop();
  });

  it("has sessions for its first users before they come", async () => {
    const own = () =>
      query(
        services.adminUrl,
        "SELECT FROM pg_stat_activity WHERE application_name = 'the app' AND query = ''",
      );
    await waitFor(
      async () => ((await own()).length === 4 ? true : undefined),
      300_000,
      async () => new Error(`${(await own()).length} sessions that no request has used, and 4 were expected`),
    );
  });

  const endSessions = () =>
    query(
      services.adminUrl,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the app'",
    );
  /** Ends the session of a request while it waits for a table, and then lets go of the table. */
  const endedWhileItWaits = async (send: () => Promise<Response>): Promise<Response> =>
    withClient(database, async (client) => {
      await client.query("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
      const answer = send();
      await waitFor(
        async () =>
          (await query(services.adminUrl, "SELECT FROM pg_locks WHERE NOT granted")).length > 0
            ? true
            : undefined,
        300_000,
        () => Promise.resolve(new Error("The request does not wait")),
      );
      await endSessions();
      await client.query("COMMIT");
      return answer;
    });

  it("asks a read once more", async () => {
    const answer = await endedWhileItWaits(() => app.get("/api/users/ada"));
    expect(answer.status).to.equal(200);
    expect(await answer.json()).to.include({ id: "ada" });
  });

  it("never sends a write again: nobody knows whether it was done", async () => {
    const answer = await endedWhileItWaits(() =>
      app.post("/api/users", JSON.stringify({ id: "eve", email: "eve@example.com" })),
    );
    expect(answer.status).to.equal(500);
    expect((await app.get("/api/users/eve")).status).to.equal(404);
  });

  it("answers every read of many at once", async () => {
    const readers = Array.from({ length: 16 }, (): number[] => []);
    let ended = false;
    const reading = readers.map(async (statuses) => {
      while (!ended) statuses.push((await app.get("/api/users/ada")).status);
    });
    for (let times = 1; times <= 20; times++) {
      // A read that has met one end has its answer before the next: it is asked once more, and no more than that.
      const wanted = readers.map((statuses) => statuses.length + 2);
      await waitFor(
        () =>
          Promise.resolve(
            readers.every((statuses, index) => statuses.length >= (wanted[index] ?? 0)) ? true : undefined,
          ),
        300_000,
        () => Promise.resolve(new Error("The readers stand still")),
      );
      await endSessions();
    }
    ended = true;
    await Promise.all(reading);
    const statuses = readers.flat();
    console.log(
      `      ${statuses.length} reads, ${statuses.filter((status) => status !== 200).length} failed`,
    );
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
  });
});
