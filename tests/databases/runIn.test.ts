import { randomBytes } from "node:crypto";
import { chown, copyFile, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { listMigrations, poll } from "@bluegreen/release";
import { podSecurity } from "@bluegreen/release/app/color";
import { BatchV1Api, type V1Pod } from "@bluegreen/release/kubernetes/client";
import { postgresAccount, postgresFolders } from "../../local/services/postgres";
import { loadController } from "../../local/stage";
import { findProcesses } from "../../local/system/processes";
import { query } from "../../local/testing/database";
import { makeFolder, type MigrationFolder } from "../integration/migrationFolder";
import { startStep, type RunningStep } from "../provider/stepProvider";
import { makeCertificate, type CertificateFiles } from "../support/certificate";
import { failureOf } from "../support/read";
import { prepareServers, type StageServer, type StageServers } from "../support/stageServers";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

/** The server listens in the network of the cluster, where this process is not. */
describe("Migrations of a database that only the cluster reaches", function () {
  let test: TestNamespace;
  let servers: StageServers;
  let server: StageServer;
  let migrations: MigrationFolder;
  let image: string;
  let jobs: BatchV1Api;
  let step: RunningStep;
  let mark: string;

  before(async () => {
    [test, servers, image] = await Promise.all([makeNamespace(), prepareServers({}), loadController()]);
    const { cluster, namespace } = test;
    jobs = cluster.config.makeApiClient(BatchV1Api);
    await cluster.core.replaceNamespace({
      name: namespace,
      body: { metadata: { name: namespace, labels: podSecurity } },
    });
    server = await servers.start("only");
    await servers.makeDatabase(server);
    const { url } = server.secret;
    await cluster.core.createNamespacedSecret({
      namespace,
      body: { metadata: { name: "db-credentials" }, stringData: { url } },
    });
  });
  after(async () => {
    await test.remove();
    await servers.remove();
  });
  beforeEach(async () => {
    await ask("DROP OWNED BY app");
    await ask("GRANT ALL ON SCHEMA public TO app");
    migrations = await makeFolder();
    mark = `MARK=${randomBytes(6).toString("hex")}`;
    step = await startStep("migrations", { KUBECONFIG: test.stage.kubeconfig, MARK: mark.slice(5) });
    await migrations.write(
      "0001_users.sql",
      "-- phase: expand\nCREATE TABLE users (id bigint PRIMARY KEY, done int NOT NULL DEFAULT 0);\nINSERT INTO users SELECT n FROM generate_series(1, 3000) n;\nCREATE TABLE waits (id int PRIMARY KEY);\nANALYZE users",
    );
  });
  afterEach(async () => {
    await step.close();
    await migrations.remove();
  });

  const ask = (sql: string) => query(server.adminUrl, sql);
  const inputs = () => ({
    ...test.where,
    activeColor: "blue",
    strategy: "shared",
    databaseSecret: "db-credentials",
    templates: { blue: "aaa", green: null },
    folder: migrations.folder,
    migrations: listMigrations(migrations.folder),
    relay: {
      app: test.where.app,
      namespace: test.namespace,
      image,
      imagePullSecrets: [],
      labels: {},
      annotations: {},
    },
  });
  const relayPods = async (): Promise<V1Pod[]> =>
    (
      await test.cluster.core.listNamespacedPod({
        namespace: test.namespace,
        labelSelector: "bluegreen.dev/relay=chatgpt-app",
      })
    ).items;
  const runningPods = async () => (await relayPods()).filter(({ status }) => status?.phase === "Running");
  const working = async () =>
    (await ask("SELECT pid FROM pg_stat_activity WHERE query LIKE 'UPDATE users%' AND state = 'active'"))
      .length > 0;
  const locks = () => ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'");
  const until = (check: () => Promise<boolean>) =>
    poll(async () => ((await check()) ? true : undefined), { timeoutMs: 300_000 });
  /** Its second batch waits for as long as there is a row in `waits`. @returns what the update fails with */
  const untilInTheMiddle = async () => {
    expect(await step.create(inputs())).to.deep.include({ applied: ["0001"] });
    await ask("INSERT INTO waits VALUES (1)");
    await migrations.write(
      "0002_fill.sql",
      "-- phase: backfill\n-- batch: users by id\nUPDATE users SET done = done + 1 WHERE id BETWEEN :first AND :last AND (id <> 1500 OR (SELECT pg_sleep(600) FROM waits) IS NULL)",
    );
    const failing = failureOf(step.create(inputs()));
    await Promise.race([
      until(working),
      failing.then((message) => {
        throw new Error(`it did not come to the second batch: ${message}`);
      }),
    ]);
    return { failing };
  };
  const resume = async () => {
    expect(await ask("SELECT rows_done::int FROM schema_backfills")).to.deep.equal([{ rows_done: 1000 }]);
    await ask("DELETE FROM waits");
    expect(await step.create(inputs())).to.deep.include({ applied: ["0002"], schemaVersion: "0002" });
    expect(await ask("SELECT done, count(*)::int AS count FROM users GROUP BY 1")).to.deep.equal([
      { done: 1, count: 3000 },
    ]);
  };

  it("ask nobody and make nothing in a preview, which checks the files", async () => {
    expect(await step.check(inputs())).to.deep.equal([]);
    await step.shows("The database was not asked: database.runIn is cluster");
    expect(await step.changes(inputs(), inputs())).to.equal("none");
    expect(await step.read(inputs())).not.to.equal(undefined);
    await migrations.write("0002_drop.sql", "-- phase: expand\nDROP TABLE users");
    expect(await step.check(inputs())).to.have.length(1);
    expect(await step.changes({ ...inputs(), migrations: [] }, inputs())).to.equal("some");
    expect((await jobs.listNamespacedJob({ namespace: test.namespace })).items).to.deep.equal([]);
  });

  it("run through a pod, which goes with them", async () => {
    expect(await step.create(inputs())).to.deep.include({ applied: ["0001"], schemaVersion: "0001" });
    await step.shows("0001_users: applied");
    expect(await ask("SELECT count(*)::int AS count FROM users")).to.deep.equal([{ count: 3000 }]);
    expect(await relayPods()).to.deep.equal([]);
    expect((await jobs.listNamespacedJob({ namespace: test.namespace })).items).to.deep.equal([]);
  });

  it("speak TLS to the server through it, and to no other server", async () => {
    const { url } = server.secret;
    const make = async () => makeCertificate(await mkdtemp(join(server.dir, "tls-")), new URL(url).hostname);
    const [theirs, others] = [await make(), await make()];
    const { data } = postgresFolders(server.dir);
    const { uid, gid } = await postgresAccount();
    for (const [from, name] of [
      [theirs.key, "server.key"],
      [theirs.certificate, "server.crt"],
    ] as const) {
      await copyFile(from, join(data, name));
      await chown(join(data, name), uid, gid);
    }
    await ask("ALTER SYSTEM SET ssl = on");
    await ask("SELECT pg_reload_conf()");
    await until(async () => (await ask("SHOW ssl")).some(({ ssl }) => ssl === "on"));
    await migrations.write(
      "0002_tls.sql",
      "-- phase: expand\nCREATE TABLE tls AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    const trusting = ({ certificate }: CertificateFiles) =>
      test.cluster.core.replaceNamespacedSecret({
        name: "db-credentials",
        namespace: test.namespace,
        body: {
          metadata: { name: "db-credentials" },
          stringData: {
            url: `${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`,
          },
        },
      });
    await trusting(others);
    expect(await failureOf(step.create(inputs()))).to.match(/self-signed|unable to verify/);
    await trusting(theirs);
    expect(await step.create(inputs())).to.deep.include({ applied: ["0001", "0002"] });
    expect(await ask("SELECT ssl FROM tls")).to.deep.equal([{ ssl: true }]);
  });

  it("fail when that pod is deleted in the middle of a statement, which ends, and the next run continues", async () => {
    const { failing } = await untilInTheMiddle();
    for (const { metadata } of await runningPods())
      await test.cluster.core.deleteNamespacedPod({
        namespace: test.namespace,
        name: metadata?.name ?? "",
        gracePeriodSeconds: 1,
      });
    expect(await failing)
      .to.contain("Migration 0002_fill")
      .and.contain("the connection to the database broke");
    await until(async () => !(await working()) && (await locks()).length === 0);
    await resume();
  });

  it("leave nothing behind when the update is killed: the statement ends, then the pod, and the next run continues", async () => {
    const { failing } = await untilInTheMiddle();
    const [provider = 0] = await findProcesses((_args, environment) => environment.includes(mark));
    process.kill(provider, "SIGKILL");
    await failing;
    await until(async () => !(await working()) && (await locks()).length === 0);
    await until(async () => (await runningPods()).length === 0);
    await step.close();
    step = await startStep("migrations", { KUBECONFIG: test.stage.kubeconfig });
    await resume();
  });
});
