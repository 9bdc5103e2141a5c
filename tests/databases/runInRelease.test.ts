import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { names } from "@bluegreen/release";
import { loadController } from "../../local/stage";
import { postgresPort } from "../../local/services/postgres";
import { query } from "../../local/testing/database";
import { makeStack, smallAndQuick, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";
import { bluegreen } from "../support/bluegreen";
import { liveColor } from "../support/read";
import { prepareServers, type StageServer, type StageServers } from "../support/stageServers";

/** Told in order: each test continues where the one before ended. */
describe("A release whose database only the cluster reaches, on a real cluster", function () {
  let test: TestStack;
  let servers: StageServers;
  let server: StageServer;
  let users: Users;
  let database: string;

  before(async () => {
    servers = await prepareServers({});
    // It listens in the network of the cluster; the test itself asks by the server's own socket.
    server = await servers.start("only");
    const password = randomBytes(12).toString("hex");
    const asSuperuser = server.adminUrl.replace(/[^/]+$/, "postgres");
    await query(asSuperuser, `CREATE ROLE releases LOGIN CREATEROLE CREATEDB PASSWORD '${password}'`);
    const host = new URL(server.secret.url).hostname;
    test = await makeStack(twoVersions);
    await test.set({
      activeColor: "blue",
      blueTag: "v1",
      schemaVersion: "0001",
      databaseAddress: `${host}:${postgresPort}`,
      database: { runIn: "cluster" },
      analysis: { ...smallAndQuick.analysis, controllerImage: await loadController() },
    });
    await test.stack.setConfig({
      databaseAdminUrl: {
        value: `postgres://releases:${password}@${host}:${postgresPort}/postgres`,
        secret: true,
      },
    });
    database = names.databaseAccount(test.cluster.namespace, "chatgpt-app");
  });
  after(async () => {
    await test.remove();
    await servers.remove();
    await users.stop();
  });

  const ask = (sql: string) => query(server.adminUrl.replace(/[^/]+$/, database), sql);
  const switches = () => ask("SELECT color, version FROM schema_switches ORDER BY id");
  const hasTier = async () =>
    (await ask("SELECT FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'tier'")).length >
    0;
  const relays = async () =>
    (
      await test.cluster.core.listNamespacedPod({
        namespace: test.cluster.namespace,
        labelSelector: "bluegreen.dev/relay=chatgpt-app",
      })
    ).items.filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending");

  it("makes the account and the schema through pods, which go with their steps", async () => {
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await hasTier()).to.equal(false);
    expect(await switches()).to.deep.equal([{ color: "blue", version: "v1" }]);
    expect(await relays()).to.deep.equal([]);
    users = await startUsers(test.cluster);
  });

  it("migrates, tests and switches under users, and notes the switch", async () => {
    await test.set({ greenTag: "v2", schemaVersion: "" });
    await test.stack.up();
    expect(await hasTier()).to.equal(true);
    await test.set({ activeColor: "green" });
    await test.stack.up();
    await users.answeredBy("green");
    expect(await switches()).to.deep.equal([
      { color: "blue", version: "v1" },
      { color: "green", version: "v2" },
    ]);
    expect(await relays()).to.deep.equal([]);
  });

  it("says in status that the database is not asked, which needs nobody's attention", async () => {
    const { code, said } = await bluegreen(test, "status");
    expect(said).to.contain("database.runIn is cluster").and.not.to.contain("could not be read");
    expect(code, said).to.equal(0);
  });

  it("rolls back without a pod to wait for, and notes it with the update that follows", async () => {
    const { code, said } = await bluegreen(test, "rollback", "--yes", "--reason", "a test");
    expect(code, said).to.equal(0);
    await users.answeredBy("blue");
    expect((await switches()).at(-1)).to.deep.equal({ color: "blue", version: "v1" });
    expect(users.seen.failures).to.deep.equal([]);
  });
});
