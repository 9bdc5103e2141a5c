import { expect } from "chai";
import { Client } from "pg";
import { makeAccount, whyNoAccount, type Account, scramVerifier } from "@bluegreen/release/postgres/account";
import { dynamicProvider } from "@bluegreen/release/steps/provider";
import { failureOf } from "../support/read";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";

// What a role without superuser may do is another thing since 16.
for (const [version, which] of [
  ["installed", ""],
  ["newest", ", the newest"],
] as const)
  describe(`The database account, on a real PostgreSQL${which}`, function () {
    let databases: TestDatabases;
    before(async () => {
      databases = await startDatabases({}, version);
    });
    after(() => databases.stop());

    const owner = "stack acme/chatgpt-app/production in cluster 1";
    const make = (wanted: Account, by = owner) => makeAccount(wanted, by);
    const inputs = (password: string) => ({ adminUrl: databases.adminUrl, name: "chatgpt_app", password });
    const storedVerifier = async () =>
      (
        await query(databases.adminUrl, "SELECT rolpassword FROM pg_authid WHERE rolname = 'chatgpt_app'")
      )[0]?.["rolpassword"];

    /** The verifier that the stored salt gives for a password: equal means that the password logs in. */
    const verifierFor = (password: string, stored: unknown) =>
      scramVerifier(password, Buffer.from(/:(.+?)\$/.exec(String(stored))?.[1] ?? "", "base64"));

    it("is made with a database of its own, and its password never reaches the server's log", async () => {
      await query(databases.adminUrl, "ALTER ROLE postgres SET log_statement = 'all'");
      await make(inputs("first-password"));
      await query(databases.adminUrl, "ALTER ROLE postgres RESET log_statement");
      expect(await databases.log())
        .to.contain('CREATE ROLE "chatgpt_app"')
        .and.not.contain("first-password");
      const stored = await storedVerifier();
      expect(stored)
        .to.match(/^SCRAM-SHA-256\$4096:/)
        .and.equal(verifierFor("first-password", stored));
      expect(
        await query(
          databases.adminUrl,
          "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = 'chatgpt_app'",
        ),
      ).to.deep.equal([{ owner: "chatgpt_app" }]);
    });

    it("keeps its data and changes its password when run again", async () => {
      await make(inputs("first"));
      const url = new URL(databases.adminUrl);
      url.pathname = "/chatgpt_app";
      await query(url.href, "CREATE TABLE kept (id int)");
      await make(inputs("second"));
      const stored = await storedVerifier();
      expect(stored).to.equal(verifierFor("second", stored)).and.not.equal(verifierFor("first", stored));
      expect(await query(url.href, "SELECT to_regclass('kept') IS NOT NULL AS there")).to.deep.equal([
        { there: true },
      ]);
    });

    it("is lost where the server has none of it any more: that is refused, and a refresh forgets it", async () => {
      const step = dynamicProvider("databaseAccount");
      const last = {
        context: "",
        namespace: "none",
        namespacePerColor: false,
        stack: "s",
        ...inputs("first"),
      };
      const changes = async () => (await step.diff("id", last, { ...last, password: "second" })).changes;
      const found = async (of = last) => (await step.read("id", of)).id;
      await make(inputs("first"));
      expect([await changes(), await found()]).to.deep.equal([true, "id"]);
      await query(databases.adminUrl, "ALTER DATABASE chatgpt_app RENAME TO elsewhere");
      expect(await failureOf(changes()))
        .to.contain("is lost: the server at")
        .and.contain("has no database chatgpt_app");
      expect(await found()).to.equal("");
      await query(databases.adminUrl, "DROP DATABASE elsewhere");
      await query(databases.adminUrl, "DROP ROLE chatgpt_app");
      expect(await failureOf(changes()))
        .to.contain("has no role chatgpt_app")
        .and.contain("pulumi up --refresh");
      const nowhere = { ...last, adminUrl: "postgres://admin@127.0.0.1:1/postgres" };
      expect((await step.diff("id", nowhere, nowhere)).changes, "nobody knows").to.equal(false);
      expect(await found(nowhere)).to.equal("id");
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

    it("belongs to the stack and cluster that made it: no other one takes it over, with nobody connected either", async () => {
      await make(inputs("mine"));
      const before = await storedVerifier();
      for (const other of [
        "stack acme/chatgpt-app/staging in cluster 1",
        "stack acme/chatgpt-app/production in cluster 2",
      ]) {
        const refused = await failureOf(make(inputs("theirs"), other));
        expect(refused)
          .to.contain(`chatgpt_app was not taken over`)
          .and.contain(`belongs to ${owner}`)
          .and.contain(`COMMENT ON ROLE "chatgpt_app" IS '${other}'`);
      }
      expect(await storedVerifier()).to.equal(before);
      await make(inputs("mine, again"));
      expect(await storedVerifier()).to.not.equal(before);
    });

    it("takes over no role and no database that somebody has made by hand, and says how to hand one over", async () => {
      await query(databases.adminUrl, "CREATE ROLE by_hand LOGIN PASSWORD 'x'");
      const refused = await failureOf(make({ ...inputs("x"), name: "by_hand" }));
      expect(refused).to.contain("says of no stack that it has made it");
      await query(databases.adminUrl, /COMMENT ON ROLE .*'(?=; then)/.exec(refused)?.[0] ?? "");
      await make({ ...inputs("x"), name: "by_hand" });
      await query(databases.adminUrl, "CREATE DATABASE only_a_database");
      expect(await failureOf(make({ ...inputs("x"), name: "only_a_database" }))).to.contain(
        "there is a database only_a_database already, of postgres",
      );
      expect(
        await query(databases.adminUrl, "SELECT FROM pg_roles WHERE rolname = 'only_a_database'"),
      ).to.deep.equal([]);
    });

    it("has its database for itself: no other role of the server may connect, also where an earlier run did not come to that", async () => {
      await query(databases.adminUrl, "CREATE ROLE stranger LOGIN");
      const as = (user: string, database: string) =>
        databases.adminUrl.replace("postgres@", `${user}@`).replace(/postgres$/, database);
      await make({ ...inputs("x"), name: "alone" });
      expect(await failureOf(query(as("stranger", "alone"), "SELECT 1"))).to.contain(
        "permission denied for database",
      );
      await query(as("alone", "alone"), "CREATE TABLE mine ()");
      await query(databases.adminUrl, "GRANT CONNECT ON DATABASE alone TO PUBLIC");
      await make({ ...inputs("y"), name: "alone" });
      expect(await failureOf(query(as("stranger", "alone"), "SELECT 1"))).to.contain(
        "permission denied for database",
      );
    });

    describe("by a role with CREATEROLE and CREATEDB alone, as managed databases have", () => {
      const managed = (url: string) => url.replace("postgres@", "manager@");
      before(() => query(databases.adminUrl, "CREATE ROLE manager LOGIN CREATEROLE CREATEDB"));

      it("is made, changed again, and leaves its administrator no member of it", async () => {
        for (const password of ["first", "second"]) {
          await make({ adminUrl: managed(databases.adminUrl), name: "managed", password });
          const [found] = await query(
            databases.adminUrl,
            `SELECT pg_get_userbyid(datdba) AS owner, has_database_privilege('public', 'managed', 'CONNECT') AS open,
          EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = 'managed'::regrole AND m.member = 'manager'::regrole AND NOT m.admin_option) AS member, (SELECT rolpassword FROM pg_authid WHERE rolname = 'managed') AS stored FROM pg_database WHERE datname = 'managed'`,
          );
          expect(found).to.include({ owner: "managed", open: false, member: false });
          expect(found?.["stored"]).to.equal(verifierFor(password, found?.["stored"]));
        }
      });

      it("is found possible by trying, which leaves nothing behind", async () => {
        expect(await whyNoAccount(managed(databases.adminUrl))).to.equal(undefined);
        expect(await whyNoAccount(databases.adminUrl)).to.equal(undefined);
        expect(
          await query(
            databases.adminUrl,
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'bluegreen%' UNION ALL SELECT datname FROM pg_database WHERE datname LIKE 'bluegreen%'",
          ),
        ).to.deep.equal([]);
      });

      it("is found impossible, in PostgreSQL's words, where one of the two rights is missing or the server takes no writes", async () => {
        await query(
          databases.adminUrl,
          "CREATE ROLE no_roles LOGIN CREATEDB; CREATE ROLE no_databases LOGIN CREATEROLE; CREATE ROLE reader LOGIN CREATEDB CREATEROLE; ALTER ROLE reader SET default_transaction_read_only = on",
        );
        const why = (role: string) => whyNoAccount(databases.adminUrl.replace("postgres@", `${role}@`));
        expect(await why("no_roles")).to.contain("permission denied to create role");
        expect(await why("no_databases")).to.contain("permission denied to create database");
        expect(await why("reader")).to.contain("read-only transaction");
      });
    });

    it("takes names and passwords as data, whatever is in them", async () => {
      await make({ ...inputs("'; DROP ROLE postgres; --"), name: `we"ird '; --` });
      expect(
        await query(
          databases.adminUrl,
          "SELECT count(*)::int AS n FROM pg_roles WHERE rolname IN ('postgres', $1)",
          [`we"ird '; --`],
        ),
      ).to.deep.equal([{ n: 2 }]);
    });

    it("agrees with PostgreSQL's own verifier", async () => {
      await query(databases.adminUrl, "CREATE ROLE reference PASSWORD 'pässword'");
      const [row] = await query(
        databases.adminUrl,
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'reference'",
      );
      expect(verifierFor("pässword", row?.["rolpassword"])).to.equal(row?.["rolpassword"]);
    });

    it("says what to check when the server does not answer, without the password", async () => {
      const failed = await make({
        adminUrl: "postgres://admin:hunter2@127.0.0.1:1/postgres",
        name: "x",
        password: "secret",
      }).then(() => "no error", String);
      expect(failed).to.contain("databaseAdminUrl").and.contain("ECONNREFUSED").and.not.contain("hunter2");
    });
  });
