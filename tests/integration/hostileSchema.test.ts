import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { colors, connect, otherColor, runMigrations, type Color } from "@bluegreen/release";
import { makeAccount, whyNoAccount } from "@bluegreen/release/postgres/account";
import { holdWriters } from "@bluegreen/release/replication/holdWriters";
import { handover } from "@bluegreen/release/replication/logicalReplication/handover";
import { reconcile, sync } from "@bluegreen/release/replication/logicalReplication/reconcile";
import * as logicalReplication from "@bluegreen/release/replication/logicalReplication/strategy";
import { handover as handOverReplica } from "@bluegreen/release/replication/replica/handover";
import {
  reconcile as reconcileReplica,
  sync as syncReplica,
} from "@bluegreen/release/replication/replica/reconcile";
import * as replica from "@bluegreen/release/replication/replica/strategy";
import { examineDatabases } from "@bluegreen/release/doctor/databases";
import { connected, reading } from "@bluegreen/release/postgres/appDatabase";
import { readApplied } from "@bluegreen/release/migrations/records";
import { Session } from "@bluegreen/release/postgres/session";
import { lastSwitch, recordSwitch } from "@bluegreen/release/migrations/switches";
import { secretOf, startApiServer, type ApiServer } from "../support/apiServer";
import { failureOf } from "../support/read";
import { startColorServers, type ColorDatabases, type ColorServers } from "./colorDatabases";
import { query, startDatabases, type TestDatabases } from "../../local/testing/database";
import { safely, setTraps } from "./hostileSchema";
import { makeFolder } from "./migrationFolder";
import { startReplicaPair } from "./replicaPair";

/** All that there is to be seen of a trap that somebody ran into. */
async function seized(
  server: Pick<TestDatabases, "adminUrl" | "log">,
): Promise<{ superuser: unknown; traps: string[] }> {
  const [role] = await safely(server.adminUrl, "SELECT rolsuper FROM pg_roles WHERE rolname = 'app'");
  return {
    superuser: role?.["rolsuper"],
    traps: (await server.log()).split("\n").filter((line) => line.includes("seized:")),
  };
}

const untouched = { superuser: false, traps: [] };

describe("An app's role that sets traps in its schema, for whoever has more rights", function () {
  for (const [version, which] of [
    ["installed", ""],
    ["newest", ", the newest PostgreSQL"],
  ] as const)
    describe(`with one database${which}`, () => {
      let server: TestDatabases;
      let api: ApiServer;
      let kubeconfig: string | undefined;
      before(async () => {
        server = await startDatabases({}, version);
        api = await startApiServer();
        kubeconfig = process.env["KUBECONFIG"];
        process.env["KUBECONFIG"] = api.kubeconfig;
        await query(server.adminUrl, "CREATE ROLE app LOGIN; ALTER DATABASE postgres OWNER TO app");
        await setTraps({ url: server.adminUrl.replace("postgres@", "app@"), role: "app", first: true });
      });
      after(async () => {
        process.env["KUBECONFIG"] = kubeconfig;
        await api.close();
        await server.stop();
      });

      const asApp = (url: string) => url.replace("postgres@", "app@");

      it("catches nobody who does know them: the traps work", async () => {
        const other = await startDatabases({}, version);
        try {
          await query(other.adminUrl, "CREATE ROLE app LOGIN; ALTER DATABASE postgres OWNER TO app");
          await setTraps({ url: asApp(other.adminUrl), role: "app", first: false });
          await query(
            other.adminUrl,
            "SELECT format('%I.%I', nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace",
          );
          expect(await seized(other)).to.have.property("superuser", true);
        } finally {
          await other.stop();
        }
      });

      it("gets nothing from the account that is made, nor from doctor's tries", async () => {
        await makeAccount({ adminUrl: server.adminUrl, name: "made", password: "first" }, "stack in cluster");
        await makeAccount(
          { adminUrl: server.adminUrl, name: "made", password: "second" },
          "stack in cluster",
        );
        expect(
          await failureOf(
            makeAccount({ adminUrl: server.adminUrl, name: "made", password: "third" }, "another"),
          ),
        ).to.contain("was not taken over");
        expect(await whyNoAccount(server.adminUrl)).to.equal(undefined);
        for (const [strategy, values] of [
          ["shared", { url: asApp(server.adminUrl) }],
          ["logicalReplication", { url: asApp(server.adminUrl), "admin-url": server.adminUrl }],
          ["streamingReplica", { url: server.adminUrl, "admin-url": server.adminUrl }],
        ] as const) {
          for (const name of ["db-credentials", "db-credentials-blue", "db-credentials-green"])
            api.objects.set(`secrets/${name}`, secretOf(values));
          const database = {
            strategy,
            runIn: "update" as const,
            allowDataLoss: false,
            timeoutSeconds: 1,
            rebuildCommand: [],
            rebuildTimeoutSeconds: 60,
          };
          const findings = await examineDatabases(
            connect({ context: "test", namespace: "shop", namespacePerColor: false }),
            {
              database,
              databaseSecret: "db-credentials",
              databaseAccount: { adminUrl: server.adminUrl, address: "db:5432" },
              namespacePerColor: false,
              migrationsDir: "migrations",
              schemaVersion: undefined,
              contractMigration: undefined,
            },
          );
          expect(findings[0]).to.deep.include({
            state: "well",
            says: "databaseAdminUrl: postgres may make role and database",
          });
        }
        expect(await seized(server)).to.deep.equal(untouched);
      });

      it("gets nothing from reads and runs of the release as the app's role, which has no more rights", async () => {
        const migrations = await makeFolder();
        try {
          await migrations.write(
            "0001_things.sql",
            "-- phase: expand\nCREATE TABLE things (id int PRIMARY KEY)",
          );
          expect((await migrations.run(asApp(server.adminUrl))).applied).to.deep.equal(["0001"]);
        } finally {
          await migrations.remove();
        }
        await connected(asApp(server.adminUrl), (db) =>
          recordSwitch(db, { color: "blue", version: "v1", template: "t" }),
        );
        expect(await reading(asApp(server.adminUrl), lastSwitch)).to.include({ color: "blue" });
        expect(await seized(server)).to.deep.equal(untouched);
      });

      it("makes the release refuse to work in its schema as a superuser, before anything is asked there", async () => {
        const { adminUrl } = server;
        for (const work of [
          () => reading(adminUrl, readApplied),
          () => connected(adminUrl, readApplied),
          () => runMigrations(adminUrl, { folder: ".", migrations: [] }),
        ]) {
          expect(await failureOf(work()))
            .to.contain("postgres has more rights than app, who may create functions in its schema public")
            .and.contain("direct-url");
        }
        const session = await Session.open(adminUrl);
        await session.reset(1000);
        expect(await failureOf(session.useOwnNames())).to.contain("has more rights than app");
        await session.close();
        expect(await seized(server)).to.deep.equal(untouched);
      });

      it("gets nothing from who makes its writers wait", async () => {
        const held = await holdWriters(server.adminUrl, { say: () => undefined, budgetMs: 20_000 });
        await held.confirm();
        await held.release();
        expect(await seized(server)).to.deep.equal(untouched);
      });
    });

  describe("with a database for each color", () => {
    let servers: ColorServers;
    before(async () => {
      servers = await startColorServers();
    });
    after(() => servers.stop());

    const options = {
      say: () => undefined,
      budgetMs: 20_000,
      allowDataLoss: false,
      rebuildCommand: [],
      rebuildBudgetMs: 20_000,
      drainMs: 0,
    };
    const schema = `CREATE TABLE things (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name text); CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE moods (mood mood PRIMARY KEY);
      CREATE TYPE trap AS (number int);
      CREATE TABLE schema_migrations (id text PRIMARY KEY, name text, applied_at timestamptz DEFAULT now(), extra trap);`;
    /** What whoever reads all of a row as JSON runs into. */
    const castTrap = `CREATE FUNCTION trap_json(trap) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN '1'; END $$; CREATE CAST (trap AS json) WITH FUNCTION trap_json; INSERT INTO schema_migrations VALUES ('0001', 'things', now(), ROW(1))`;
    const owned = `ALTER TABLE things OWNER TO app; ALTER TABLE moods OWNER TO app; ALTER TYPE mood OWNER TO app; ALTER TYPE trap OWNER TO app; ALTER TABLE schema_migrations OWNER TO app`;

    const trapped = async (first: boolean): Promise<ColorDatabases> => {
      const databases = await servers.fresh(schema);
      for (const color of colors) {
        await databases.on(
          color,
          `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO app', current_database()); END $$; ${owned}`,
        );
        await setTraps({ url: databases.appUrl(color), role: "app", first });
        await safely(
          databases.appUrl(color),
          castTrap
            .replaceAll("trap_json", "public.trap_json")
            .replaceAll("(trap", "(public.trap")
            .replaceAll("INTO schema", "INTO public.schema"),
        );
      }
      await safely(
        databases.appUrl("blue"),
        "INSERT INTO public.things (name) SELECT 'thing' FROM generate_series(1, 10)",
      );
      return databases;
    };
    const unseized = async () => {
      for (const color of colors) expect(await seized(servers[color]), color).to.deep.equal(untouched);
    };

    for (const first of [false, true]) {
      it(`gets nothing from a whole release there and back${first ? ", also where its schema comes before PostgreSQL's own" : ""}`, async () => {
        const databases = await trapped(first);
        let live: Color = "blue";
        await sync(databases.pair(live), options);
        await unseized();
        for (let round = 0; round < 2; round++) {
          expect(await logicalReplication.whyNoHandover(databases.pair(live), options)).to.equal(undefined);
          const handed = await handover(databases.pair(live), options);
          await handed.confirm();
          await handed.complete();
          live = otherColor(live);
          await reconcile(databases.pair(live), options);
          await sync(databases.pair(live), options);
          await logicalReplication.isReconciled(databases.pair(live));
        }
        const canceled = await handover(databases.pair(live), options);
        await canceled.cancel();
        await safely(databases.appUrl(live), "INSERT INTO public.things (name) VALUES ('continues')");
        await unseized();
      });
    }
  });

  describe("with a database for each color, in what comes along with a table", () => {
    it("gets nothing from the workers that replicate it: triggers, indexes and checks run without a superuser's rights", async () => {
      const servers = await startColorServers();
      try {
        const databases = await servers.fresh(
          "CREATE SCHEMA more; CREATE TABLE more.things (id bigint PRIMARY KEY, name text); ALTER TABLE more.things OWNER TO app; ALTER TABLE more.things ENABLE ROW LEVEL SECURITY",
        );
        const options = { say: () => undefined, budgetMs: 20_000 };
        for (const color of colors) {
          await databases.on(
            color,
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO app', current_database()); END $$; GRANT ALL ON SCHEMA more TO app",
          );
          await setTraps({ url: databases.appUrl(color), role: "app", first: false });
          await safely(
            databases.appUrl(color),
            `CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN NEW; END $$;
             CREATE FUNCTION public.indexed(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.seize(); RETURN $1; END $$;
             CREATE TRIGGER always BEFORE INSERT OR UPDATE ON more.things FOR EACH ROW EXECUTE FUNCTION public.trap(); ALTER TABLE more.things ENABLE ALWAYS TRIGGER always;
             CREATE INDEX ON more.things (public.indexed(name)); ALTER TABLE more.things ADD CHECK (public.seize()); CREATE POLICY everything ON more.things USING (true)`,
          );
        }
        await safely(
          databases.appUrl("blue"),
          "INSERT INTO more.things SELECT n, 'first' FROM generate_series(1, 10) n",
        );
        await sync(databases.pair("blue"), options);
        await safely(
          databases.appUrl("blue"),
          "INSERT INTO more.things SELECT n, 'later' FROM generate_series(11, 20) n; UPDATE more.things SET name = 'changed' WHERE id = 1; DELETE FROM more.things WHERE id = 2",
        );
        const handed = await handover(databases.pair("blue"), options);
        await handed.complete();
        await safely(
          databases.appUrl("green"),
          "INSERT INTO more.things VALUES (21, 'on green'); TRUNCATE more.things; INSERT INTO more.things VALUES (22, 'on green')",
        );
        const back = await handover(databases.pair("green"), options);
        await back.complete();
        expect(await safely(databases.appUrl("blue"), "SELECT id::int FROM more.things")).to.deep.equal([
          { id: 22 },
        ]);
        for (const color of colors) expect(await seized(servers[color]), color).to.deep.equal(untouched);
      } finally {
        await servers.stop();
      }
    });
  });

  describe("with a primary and its standby", () => {
    it("gets nothing from a release, in any database of the server", async () => {
      const servers = await startReplicaPair();
      try {
        await query(servers.url("blue"), "CREATE ROLE app LOGIN");
        await query(servers.url("blue"), "CREATE DATABASE apps OWNER app");
        await query(servers.url("blue"), "ALTER DATABASE postgres OWNER TO app");
        for (const database of ["postgres", "apps"])
          await setTraps({
            url: servers
              .url("blue")
              .replace("postgres@", "app@")
              .replace(/postgres$/, database),
            role: "app",
            first: true,
          });
        const options = {
          say: () => undefined,
          budgetMs: 20_000,
          allowDataLoss: false,
          rebuildCommand: [],
          rebuildBudgetMs: 20_000,
          drainMs: 0,
        };
        const pair = servers.live("blue");
        await syncReplica(pair, options);
        expect(await replica.whyNoHandover(pair, options)).to.equal(undefined);
        const handed = await handOverReplica(pair, { ...options, rebuildCommand: ["false"] });
        await handed.confirm();
        await handed.complete();
        expect(await reconcileReplica(servers.live("green"), { say: options.say })).to.have.property(
          "followed",
          false,
        );
        await replica.isReconciled(servers.live("green"), options);
        for (const color of colors) {
          const log = () => readFile(join(servers.folder(color), "log"), "utf8");
          expect(await seized({ adminUrl: servers.url(color), log }), color).to.deep.equal(untouched);
        }
      } finally {
        await servers.remove();
      }
    });
  });
});
