import { join } from "node:path";
import { expect } from "chai";
import { Client } from "pg";
import { poll } from "@bluegreen/release";
import { readSecretValue } from "@bluegreen/release/kubernetes/secretValue";
import { repositoryDir } from "../../local/paths";
import { run as runProgram } from "../../local/system/run";
import { failureOf, liveColor, podsOf } from "../support/read";
import { makeProgramFolder, type ProgramFolder } from "../support/programFolder";
import { makeStack, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";

/** What two versions share is taken away: told in order, each test continues where the one before ended. */
describe("Contract migrations and the versions that still need the old form, on a real cluster", function () {
  let test: TestStack;
  let folder: ProgramFolder;
  before(async () => {
    folder = makeProgramFolder();
    folder.write(
      "0001_create_users.sql",
      "-- phase: expand\nCREATE TABLE users (id text PRIMARY KEY, email text NOT NULL, name text, nickname text, created_at timestamptz NOT NULL DEFAULT now());",
    );
    folder.write(
      "0002_add_user_tier.sql",
      "-- phase: expand\nALTER TABLE users ADD COLUMN tier text NOT NULL DEFAULT 'free';",
    );
    folder.write(
      "0003_drop_nickname.sql",
      "-- phase: contract\n-- irreversible\nALTER TABLE users DROP COLUMN nickname;",
    );
    test = await makeStack([
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
      { tag: "v3", release: "v2", knows: "0003", fault: "none" },
    ]);
    await test.set({ migrationsDir: folder.path });
  });
  after(async () => {
    await test.remove();
    folder.remove();
  });

  const database = async (work: (client: Client) => Promise<void>, name = "a test") => {
    const client = new Client({
      connectionString: await readSecretValue(
        test.cluster,
        { namespace: test.cluster.namespace, name: "db-credentials" },
        "direct-url",
      ),
      application_name: name,
    });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  };
  const hasNickname = async () => {
    let found = false;
    await database(async (client) => {
      found =
        (
          await client.query(
            "SELECT FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'nickname' AND NOT attisdropped",
          )
        ).rowCount === 1;
    });
    return found;
  };
  const switches = async () => {
    let rows: unknown[] = [];
    await database(async (client) => {
      rows = (await client.query("SELECT color, version FROM schema_switches ORDER BY id")).rows;
    });
    return rows;
  };

  it("refuses in seconds a version whose migration is not there, with the reason that its pods give", async () => {
    await test.set({ activeColor: "blue", blueTag: "v1", schemaVersion: "0001" });
    await test.stack.up();
    await test.set({ greenTag: "v3" });
    const message = await failureOf(test.stack.up());
    expect(message, message)
      .to.contain("The green color does not become ready")
      .and.contain("it needs migration 0002, the database is at 0001")
      .and.contain("raise schemaVersion")
      .and.contain("Live traffic stays on blue");
  });

  it("leaves contract migrations alone in a release, and notes the switch", async () => {
    await test.set({ schemaVersion: "" });
    await test.stack.up();
    await test.set({ activeColor: "green" });
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("green");
    expect(await hasNickname()).to.equal(true);
    expect(await switches()).to.deep.equal([
      { color: "blue", version: "v1" },
      { color: "green", version: "v3" },
    ]);
    await test.stack.up();
    expect(await switches(), "an update that switches nothing notes nothing").to.have.length(2);
  });

  it("says where each migration stands, on a terminal and for programs", async function () {
    // A command that asked pods once stayed for a minute after its answer.
    const status = (...args: string[]) =>
      runProgram(
        process.execPath,
        [join(repositoryDir, "cli", "bluegreen.mjs"), "migrations", "status", "--stack", test.name, ...args],
        { cwd: repositoryDir, env: { ...process.env, ...test.env } },
      );
    const table = await status();
    expect(table)
      .to.match(/^0001 +create_users +expand +applied +\d{4}-/m)
      .and.match(/^0003 +drop_nickname +contract +waiting +blue \(.*v1\) knows migrations up to 0001/m);
    expect(table)
      .to.match(/^ +traffic was switched to green 0\.\d h ago.*due \d{4}-/m)
      .and.match(/^2 applied, 1 waiting$/m);
    const { migrations } = JSON.parse(await status("--json")) as {
      migrations: { id: string; state: string }[];
    };
    expect(migrations.map(({ id, state }) => `${id} ${state}`)).to.deep.equal([
      "0001 applied",
      "0002 applied",
      "0003 waiting",
    ]);
  });

  it("refuses one in preview: too early, and the standby needs the old form", async () => {
    await test.set({ contractMigration: "0003" });
    const message = await failureOf(test.stack.preview());
    expect(message, message)
      .to.contain("0003_drop_nickname was refused")
      .and.contain("traffic was switched to green 0.")
      .and.contain("by the database's clock")
      .and.contain("blue (bluegreen.local/chatgpt-app:v1) knows migrations up to 0001")
      .and.contain("pulumi config rm blueTag");
    await database(async (client) => {
      await client.query("UPDATE schema_switches SET switched_at = now() - interval '25 hours'");
    });
    const later = await failureOf(test.stack.preview());
    expect(later, later).to.contain("knows migrations up to 0001").and.not.contain("h ago");
    expect(await hasNickname()).to.equal(true);
  });

  it("refuses one together with a switch", async () => {
    await test.set({ activeColor: "blue" });
    const message = await failureOf(test.stack.preview());
    expect(message, message).to.contain("this update switches from green to blue");
    await test.set({ activeColor: "green" });
  });

  it("counts from a note in the database: without one the next update writes it", async () => {
    await database(async (client) => {
      await client.query("DELETE FROM schema_switches");
    });
    const message = await failureOf(test.stack.preview());
    expect(message, message)
      .to.contain("no note of the switch to green")
      .and.contain("pulumi up without contractMigration notes it");
    await test.set({ contractMigration: "" });
    await test.stack.up();
    expect(await switches()).to.deep.equal([{ color: "green", version: "v3" }]);
    await database(async (client) => {
      await client.query("UPDATE schema_switches SET switched_at = now() - interval '25 hours'");
    });
    await test.set({ contractMigration: "0003" });
  });

  it("waits for the sessions of a retired version, and names those that stay", async () => {
    await test.set({ blueTag: "" });
    await database(async () => {
      const message = await failureOf(test.stack.up());
      expect(message, message)
        .to.match(
          /session \d+ of \w+ \(application "chatgpt-app-blue v1", from .*\) is of no version that runs now/,
        )
        .and.contain("pg_terminate_backend");
    }, "chatgpt-app-blue v1");
    expect(await hasNickname()).to.equal(true);
    expect(await podsOf(test.cluster, "blue")).to.have.length(0);
  });

  it("applies it once nobody needs the old form, under live traffic", async () => {
    const users = await startUsers(test.cluster);
    await test.stack.up();
    await poll(() => Promise.resolve(users.seen.requests > 50 ? true : undefined), { timeoutMs: 300_000 });
    expect((await users.stop()).failures).to.deep.equal([]);
    expect(await hasNickname()).to.equal(false);
    expect(Object.keys((await test.stack.up()).changes)).to.deep.equal(["same"]);
  });

  it("keeps a version that needs the old form from coming back", async () => {
    await test.set({ blueTag: "v2" });
    const message = await failureOf(test.stack.up());
    expect(message, message)
      .to.contain("The rollout of blue (bluegreen.local/chatgpt-app:v2) was refused")
      .and.contain("knows migrations up to 0002, and 0003_drop_nickname takes away")
      .and.contain("Live traffic stays on green");
    // Its pods are there now: a switch, or a rollback, to it is refused before anything is touched.
    await test.set({ activeColor: "blue" });
    const preview = await failureOf(test.stack.preview());
    expect(preview, preview)
      .to.contain("The switch to blue (bluegreen.local/chatgpt-app:v2) was refused")
      .and.contain("0003_drop_nickname");
    await failureOf(test.stack.up());
    expect(await liveColor(test.cluster)).to.equal("green");
  });

  it("takes a version that knows it, and never undoes what was applied, whatever config returns to", async () => {
    await test.set({ blueTag: "v3", contractMigration: "", schemaVersion: "0002" });
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await hasNickname()).to.equal(false);
  });

  it("checks what runs before it expands", async () => {
    await database(async (client) => {
      await client.query(
        "INSERT INTO schema_migrations (id, name, phase) VALUES ('0004', 'by_hand', 'contract')",
      );
    });
    folder.write("0005_add_note.sql", "-- phase: expand\nALTER TABLE users ADD COLUMN note text;");
    await test.set({ schemaVersion: "" });
    const message = await failureOf(test.stack.preview());
    expect(message, message)
      .to.contain(
        "The migration was refused: blue (bluegreen.local/chatgpt-app:v3) would not work on the schema",
      )
      .and.contain("0004_by_hand takes away");
  });
});
