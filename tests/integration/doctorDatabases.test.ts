import { expect } from "chai";
import { colors, connect, type Color } from "@bluegreen/release";
import { examineDatabases } from "@bluegreen/release/doctor/databases";
import type { Finding } from "@bluegreen/release/util/finding";
import { secretOf, startApiServer, type ApiServer } from "../support/apiServer";
import { startColorServers, type ColorDatabases, type ColorServers } from "./colorDatabases";

describe("Doctor's tries in databases, on two real PostgreSQL servers", function () {
  let servers: ColorServers;
  let databases: ColorDatabases;
  let api: ApiServer;
  let kubeconfig: string | undefined;
  before(async () => {
    servers = await startColorServers();
    api = await startApiServer();
    kubeconfig = process.env["KUBECONFIG"];
    process.env["KUBECONFIG"] = api.kubeconfig;
  });
  after(async () => {
    process.env["KUBECONFIG"] = kubeconfig;
    await api.close();
    await servers.stop();
  });
  beforeEach(async () => {
    databases = await servers.fresh(
      "CREATE TABLE things (id int PRIMARY KEY); ALTER TABLE things OWNER TO app; GRANT CREATE ON SCHEMA public TO app",
    );
  });

  const examined = (part: (color: Color) => Record<string, string> = () => ({})): Promise<Finding[]> => {
    for (const color of colors) {
      const { adminUrl, peerUrl } = databases.pair(color).live;
      api.objects.set(
        `secrets/db-credentials-${color}`,
        secretOf({
          url: databases.appUrl(color),
          "admin-url": adminUrl,
          "peer-url": peerUrl,
          ...part(color),
        }),
      );
    }
    const database = {
      strategy: "logicalReplication" as const,
      runIn: "update" as const,
      allowDataLoss: false,
      timeoutSeconds: 1,
      rebuildCommand: [],
      rebuildTimeoutSeconds: 60,
    };
    return examineDatabases(connect({ context: "test", namespace: "shop", namespacePerColor: false }), {
      database,
      databaseSecret: "db-credentials",
      databaseAccount: undefined,
      namespacePerColor: false,
      migrationsDir: "migrations",
      schemaVersion: undefined,
      contractMigration: undefined,
    });
  };
  const brokenOf = (findings: Finding[]) =>
    findings.flatMap(({ state, says }) => (state === "well" ? [] : [says]));

  it("find what there has to be, also in a database that takes no writes, and leave nothing behind", async () => {
    await databases.on(
      "green",
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$",
    );
    const findings = await examined();
    expect(brokenOf(findings)).to.deep.equal([]);
    expect(findings.filter(({ says }) => says.includes("may follow it"))).to.have.length(2);
    for (const color of colors)
      expect(
        await databases.on(
          color,
          "SELECT subname::text AS name FROM pg_subscription UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'bluegreen%' UNION ALL SELECT slot_name FROM pg_replication_slots",
        ),
      ).to.deep.equal([]);
  });

  it("find a peer that may not replicate, or does not get in, in PostgreSQL's words and without its password", async () => {
    const findings = brokenOf(
      await examined((color) => ({
        "peer-url":
          color === "blue"
            ? databases.appUrl("blue")
            : databases.pair("green").live.peerUrl.replace("peer:", "peer:wr0ng-"),
      })),
    );
    expect(findings).to.have.length(2);
    expect(findings[0]).to.match(
      /db-credentials-blue, peer-url: the server of green may not follow it: .*replication role|.*REPLICATION/i,
    );
    expect(findings[1])
      .to.contain("db-credentials-green, peer-url: the server of blue may not follow it")
      .and.contain("password authentication failed");
    expect(findings.join()).to.not.contain("wr0ng");
    expect((await servers.blue.log()) + (await servers.green.log())).to.not.contain("wr0ng");
  });

  it("find a role that may make no table, and one with more rights than whoever may", async () => {
    await databases.on("blue", "REVOKE CREATE ON SCHEMA public FROM app");
    const findings = brokenOf(
      await examined((color) => (color === "green" ? { url: databases.pair("green").live.adminUrl } : {})),
    );
    expect(findings).to.have.length(2);
    expect(findings[0]).to.contain(
      "may not create tables in its schema: permission denied for schema public",
    );
    expect(findings[1]).to.contain(
      "postgres has more rights than app, who may create functions in its schema public",
    );
  });
});
