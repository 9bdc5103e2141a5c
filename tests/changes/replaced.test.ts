import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { names, orUndefined, poll } from "@bluegreen/release";
import { query } from "../../local/testing/database";
import { bluegreen } from "../support/bluegreen";
import { failureOf } from "../support/read";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";
import { startWriters } from "../support/writers";

/**
 * What an app was released to is gone, and something else has its name. Told in order: each test continues
 * where the one before ended.
 */
describe("A cluster or a database that was replaced under a stack, on a real cluster", function () {
  let test: TestStack;
  /** Role and database of the account. */
  let account: string;
  let data: { users: string[]; migrations: unknown[]; url: string };
  before(async () => {
    test = await makeStack(twoVersions);
    account = names.databaseAccount(test.cluster.namespace, "chatgpt-app");
    // The namespace is protected, as in production.
    await test.set({ activeColor: "blue", blueTag: "v1", greenTag: "v2", deletionProtection: true });
    await test.stack.up();
    const writers = await startWriters(test.cluster, "kept");
    await writers.more(5);
    await writers.stop();
    data = await whatIsKept();
  });
  after(() => test.remove());

  const admin = (sql: string) => query(test.stage.postgres.adminUrl, sql);
  const inDatabase = (sql: string) => {
    const url = new URL(test.stage.postgres.adminUrl);
    url.pathname = `/${account}`;
    return query(url.href, sql);
  };
  const namespaceUid = async () =>
    (await orUndefined(test.cluster.core.readNamespace({ name: test.cluster.namespace })))?.metadata?.uid;

  const whatIsKept = async () => ({
    users: (await inDatabase("SELECT id FROM users ORDER BY id")).map(({ id }) => String(id)),
    migrations: await inDatabase("SELECT id, applied_at FROM schema_migrations ORDER BY id"),
    url: await urlInSecret(),
  });

  const urlInSecret = async () => {
    const secret = await test.cluster.core.readNamespacedSecret({
      name: "db-credentials",
      namespace: test.cluster.namespace,
    });
    return Buffer.from(secret.data?.["url"] ?? "", "base64").toString();
  };

  /** A namespace that is gone takes all with it, as a cluster does. */
  const deleteNamespace = async () => {
    await test.cluster.core.deleteNamespace({ name: test.cluster.namespace });
    await poll(async () => ((await namespaceUid()) === undefined ? true : undefined), {
      timeoutMs: 600_000,
    });
  };

  const dropDatabase = () => admin(`DROP DATABASE IF EXISTS ${account} WITH (FORCE)`);

  /** A command of a message, in a shell in which the stack is selected and nobody is asked. */
  const type = async (command: string) => {
    const child = spawn("bash", ["-c", `${command} 2>&1`], {
      cwd: test.workDir,
      env: { ...process.env, ...test.env, PULUMI_STACK: test.name, PULUMI_SKIP_CONFIRMATIONS: "true" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said, [code]] = await Promise.all([
      text(child.stdout),
      once(child, "close") as Promise<[number | null]>,
    ]);
    expect(said, "a stack trace").not.to.match(/^\s+at .+:\d+:\d+\)?$/m);
    return { code, said };
  };

  /** What a preview refuses, as `bluegreen plan` and Pulumi say it. */
  const refusal = async () => {
    const { code, said } = await type("pulumi preview");
    expect(code, said).not.to.equal(0);
    const [, what = "no error"] = /error: (.+)/.exec(said) ?? [];
    const plan = await bluegreen(test, "plan");
    expect(plan.out, plan.errors).to.contain(what);
    expect(plan.code, plan.said).to.equal(1);
    return said;
  };

  const wayOut = (message: string) => /pulumi up --refresh(?=,)/.exec(message)?.[0] ?? "no way out";

  const typesWayOut = async (message: string) => {
    const { code, said } = await type(wayOut(message));
    expect(code, said).to.equal(0);
  };

  const serves = async () => {
    const users = await startUsers(test.cluster);
    await users.answeredBy("blue");
    const { failures } = await users.stop();
    expect(failures).to.deep.equal([]);
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
  };

  it("is refused in preview where the namespace is gone, and nothing is made by an update", async () => {
    const before = await namespaceUid();
    await deleteNamespace();
    const message = await refusal();
    expect(message)
      .to.contain(`Namespace ${test.cluster.namespace} in the cluster of context ${test.stage.context}`)
      .and.contain(`it is not there, and that one had the uid ${before?.slice(0, 8)}…`);
    expect(await failureOf(test.stack.up())).to.contain("it is not there");
    expect(await namespaceUid()).to.equal(undefined);
  });

  it("is refused with both uids where another has its name, and the way out that it says works: with the data, the password, and no migration run twice", async () => {
    await test.cluster.core.createNamespace({ body: { metadata: { name: test.cluster.namespace } } });
    const message = await refusal();
    expect(message).to.contain(`its uid is ${(await namespaceUid())?.slice(0, 8)}…, and that one's was`);
    await typesWayOut(message);
    await serves();
    expect(await whatIsKept()).to.deep.equal(data);
  });

  it("keeps its secrets secret in the state when a refresh has read it", async () => {
    const password = new URL(data.url).password;
    for (const file of await readdir(test.backend, { recursive: true, withFileTypes: true }))
      if (file.isFile())
        expect(
          (await readFile(join(file.parentPath, file.name), "utf8")).includes(password),
          file.name,
        ).to.equal(false);
  });

  it("is a lost account where it is the database server, and the way out creates it again", async () => {
    await dropDatabase();
    await admin(`DROP ROLE IF EXISTS ${account}`);
    const message = await refusal();
    expect(message)
      .to.contain(`The database account ${account} is lost`)
      .and.contain(`has no role ${account}`);
    await typesWayOut(message);
    await serves();
    const { users, url } = await whatIsKept();
    expect(users).not.to.include.members(data.users.slice(0, 1));
    expect(url, "the password is the same: pods have it").to.equal(data.url);
  });

  it("is one that a Secret leads to, told by its first migration", async () => {
    const [{ at: before } = {}] = await inDatabase("SELECT min(applied_at) AS at FROM schema_migrations");
    await inDatabase("UPDATE schema_migrations SET applied_at = applied_at + interval '1 day'");
    const message = await refusal();
    expect(message)
      .to.contain("is not the one that this stack has migrated: its first migration ran at")
      .and.contain(`that one's at ${(before as Date).toISOString()}`);
    await typesWayOut(message);
    await serves();
  });

  it("is both at once, and the way out is one command", async () => {
    await deleteNamespace();
    await dropDatabase();
    await admin(`DROP ROLE IF EXISTS ${account}`);
    await typesWayOut(await refusal());
    await serves();
  });

  it("has to be handed over where a role is another cluster's: the error has the command", async () => {
    await dropDatabase();
    await admin(`COMMENT ON ROLE ${account} IS 'stack organization/chatgpt-app/production in cluster old'`);
    const lost = await refusal();
    expect(lost).to.contain(`has no database ${account}`);
    const { code, said } = await type(wayOut(lost));
    expect(code).not.to.equal(0);
    const [, statement = "", next = ""] = /(COMMENT ON ROLE .+?;) then (pulumi up)/.exec(said) ?? [];
    expect(next, said).to.equal("pulumi up");
    await admin(statement);
    const after = await type(next);
    expect(after.code, after.said).to.equal(0);
    await serves();
  });
});
