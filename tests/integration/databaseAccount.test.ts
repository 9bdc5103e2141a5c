import { expect } from "chai";
import { Client } from "pg";
import { databaseAccount, type DatabaseAccountInputs } from "@bluegreen/release";
import { scramVerifier } from "@bluegreen/release/database/scram";
import { query, startDatabases, type TestDatabases } from "./database";

describe("The database account, on a real PostgreSQL", () => {
  let databases: TestDatabases;
  before(async () => {
    databases = await startDatabases();
  });
  after(() => databases.stop());

  const make = (wanted: DatabaseAccountInputs) => databaseAccount.run(wanted, () => undefined);
  const inputs = (password: string) => ({ adminUrl: databases.adminUrl, name: "chatgpt_app", password });
  const storedVerifier = async () => (await query(databases.adminUrl, "SELECT rolpassword FROM pg_authid WHERE rolname = 'chatgpt_app'"))[0]?.["rolpassword"];

  /** The verifier that the stored salt gives for a password: equal means that the password logs in. */
  const verifierFor = (password: string, stored: unknown) => scramVerifier(password, Buffer.from(/:(.+?)\$/.exec(String(stored))?.[1] ?? "", "base64"));

  it("is made with a database of its own, and its password never reaches the server's log", async () => {
    await query(databases.adminUrl, "ALTER ROLE postgres SET log_statement = 'all'");
    await make(inputs("first-password"));
    await query(databases.adminUrl, "ALTER ROLE postgres RESET log_statement");
    expect(await databases.log()).to.contain('CREATE ROLE "chatgpt_app"').and.not.contain("first-password");
    const stored = await storedVerifier();
    expect(stored).to.match(/^SCRAM-SHA-256\$4096:/).and.equal(verifierFor("first-password", stored));
    expect(await query(databases.adminUrl, "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = 'chatgpt_app'")).to.deep.equal([{ owner: "chatgpt_app" }]);
  });

  it("keeps its data and changes its password when run again", async () => {
    await make(inputs("first"));
    const url = new URL(databases.adminUrl);
    url.pathname = "/chatgpt_app";
    await query(url.href, "CREATE TABLE kept (id int)");
    await make(inputs("second"));
    const stored = await storedVerifier();
    expect(stored).to.equal(verifierFor("second", stored)).and.not.equal(verifierFor("first", stored));
    expect(await query(url.href, "SELECT to_regclass('kept') IS NOT NULL AS there")).to.deep.equal([{ there: true }]);
  });

  it("does not change a password under the pods that use it", async () => {
    await make(inputs("running"));
    const url = new URL(databases.adminUrl);
    url.username = "chatgpt_app";
    url.pathname = "/chatgpt_app";
    const pod = new Client({ connectionString: url.href });
    await pod.connect();
    try {
      const failed = await make(inputs("other")).then(() => "no error", String);
      expect(failed).to.contain("was not changed: it has 1 open sessions").and.contain("pg_stat_activity");
    } finally {
      await pod.end();
    }
    const stored = await storedVerifier();
    expect(stored).to.equal(verifierFor("running", stored));
  });

  it("takes names and passwords as data, whatever is in them", async () => {
    await make({ ...inputs("'; DROP ROLE postgres; --"), name: `we"ird '; --` });
    expect(await query(databases.adminUrl, "SELECT count(*)::int AS n FROM pg_roles WHERE rolname IN ('postgres', $1)", [`we"ird '; --`])).to.deep.equal([{ n: 2 }]);
  });

  it("agrees with PostgreSQL's own verifier", async () => {
    await query(databases.adminUrl, "CREATE ROLE reference PASSWORD 'pässword'");
    const [row] = await query(databases.adminUrl, "SELECT rolpassword FROM pg_authid WHERE rolname = 'reference'");
    expect(verifierFor("pässword", row?.["rolpassword"])).to.equal(row?.["rolpassword"]);
  });

  it("says what to check when the server does not answer, without the password", async () => {
    const failed = await make({ adminUrl: "postgres://admin:hunter2@127.0.0.1:1/postgres", name: "x", password: "secret" }).then(() => "no error", String);
    expect(failed).to.contain("databaseAdminUrl").and.contain("ECONNREFUSED").and.not.contain("hunter2");
  });
});
