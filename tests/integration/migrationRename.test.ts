import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { lint } from "@bluegreen/release/lint/lint";
import { renameColumn } from "@bluegreen/release/migrations/rename/rename";
import { writeFiles } from "@bluegreen/release/migrations/rename/files";
import { query } from "../../local/testing/database";
import { withUser, type MigrationFolder } from "./migrationFolder";
import { withMigrationFixture } from "./migrationFixture";

describe("A generated rename, on a real PostgreSQL", () => {
  let migrations: MigrationFolder;
  let url: string;
  withMigrationFixture((fixture) => {
    ({ migrations, url } = fixture);
  });

  /** Applies the table that the app has before the rename. */
  const given = async (sql: string) => {
    await migrations.write("0001_given.sql", `-- phase: expand\n${sql}`);
    await migrations.run(url);
  };

  /** Writes the files of a rename, which have to be clean. */
  const rename = async (column: string, newName: string) => {
    const paths = writeFiles(
      migrations.folder,
      (await renameColumn({ folder: migrations.folder, column, newName })).files,
    );
    const files = [join(migrations.folder, "0001_given.sql"), ...paths];
    expect(
      await lint(await Promise.all(files.map(async (file) => ({ file, sql: await readFile(file, "utf8") })))),
    ).to.deep.equal([]);
    return paths;
  };

  /** Runs contract migrations as the runner does when their time has come, which no test waits for. */
  const contract = async (paths: string[]) => {
    for (const path of paths)
      await writeFile(path, (await readFile(path, "utf8")).replace("-- phase: contract", "-- phase: expand"));
    await migrations.run(url);
  };

  const leftovers = () =>
    query(
      url,
      `SELECT (SELECT count(*)::int FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
              (SELECT count(*)::int FROM pg_proc WHERE pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)) AS functions`,
    );
  const columnsOf = (table: string) =>
    query(
      url,
      `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull", pg_get_expr(d.adbin, d.adrelid) AS default
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
      [table],
    );

  it("loses no write of two versions that write all the while, and leaves nothing behind", async function () {
    await given(
      "CREATE TABLE users (id bigserial PRIMARY KEY, name text NOT NULL DEFAULT 'none' UNIQUE, logins int NOT NULL DEFAULT 0);",
    );
    await query(url, "INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 10000) n");
    const written = new Map<string, string>();
    const wanted = { old: 300, new: 300 };
    let backfilled = false;

    /** A version of the app: it changes rows of its own half, and makes new ones. */
    const version = (column: string, half: number, which: keyof typeof wanted) =>
      withUser(url, async (user) => {
        for (let turn = 0; !backfilled || wanted[which] > 0; turn++) {
          const id = String(2 * Math.floor(1 + Math.random() * 4999) + half);
          await user.query(`UPDATE users SET ${column} = $2 WHERE id = $1`, [id, `${which} ${turn}`]);
          written.set(id, `${which} ${turn}`);
          const { rows } = await user.query<{ id: string }>(
            `INSERT INTO users (${column}) VALUES ($1) RETURNING id`,
            [`${which} made ${turn}`],
          );
          written.set(rows[0]?.id ?? "", `${which} made ${turn}`);
          const upsert = await user.query<{ id: string }>(
            `INSERT INTO users (id, ${column}) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET ${column} = excluded.${column}, logins = users.logins + 1 RETURNING id`,
            [id, `${which} again ${turn}`],
          );
          written.set(upsert.rows[0]?.id ?? "", `${which} again ${turn}`);
          wanted[which]--;
        }
      });

    const old = version("name", 0, "old");
    const paths = await rename("users.name", "full_name");
    const [expand = "", backfill = "", ...rest] = paths;
    const later = new Map(
      await Promise.all(
        [backfill, ...rest].map(async (path) => [path, await readFile(path, "utf8")] as const),
      ),
    );
    for (const path of later.keys()) await writeFile(path, "-- phase: contract\nSELECT 1");
    expect((await migrations.run(url)).applied, expand).to.deep.equal(["0002"]);
    const next = version("full_name", 1, "new");
    for (const [path, sql] of later) await writeFile(path, sql);
    let batches = 0;
    try {
      expect(
        (await migrations.run(url, { batchTargetMs: 5, onProgress: () => batches++ })).applied,
      ).to.deep.equal(["0003", "0004"]);
    } finally {
      backfilled = true;
      await Promise.all([old, next]);
    }
    expect(batches).to.be.greaterThan(3);
    expect(
      await query(url, "SELECT count(*)::int AS differ FROM users WHERE name IS DISTINCT FROM full_name"),
    ).to.deep.equal([{ differ: 0 }]);

    await contract(rest.slice(1));
    const found = new Map(
      (await query(url, "SELECT id, full_name FROM users")).map(({ id, full_name }) => [id, full_name]),
    );
    expect([...written].filter(([id, name]) => found.get(id) !== name)).to.deep.equal([]);
    // 300 turns of each at least: as many new rows, and of the others those that chance has not met twice.
    expect(written.size).to.be.greaterThan(1100);
    expect(
      await query(url, "SELECT count(*)::int AS others FROM users WHERE full_name = 'user ' || id"),
    ).to.deep.equal([{ others: 10_000 - [...written.keys()].filter((id) => Number(id) <= 10_000).length }]);
    expect(await leftovers()).to.deep.equal([{ triggers: 0, functions: 0 }]);
    expect(
      (await columnsOf("users")).map(({ name, type, notNull, default: value }) =>
        [name, type, notNull, value].join(" "),
      ),
    ).to.deep.equal([
      "id bigint true nextval('users_id_seq'::regclass)",
      "logins integer true 0",
      "full_name text true 'none'::text",
    ]);
    expect(
      await query(
        url,
        "SELECT pg_get_constraintdef(oid) AS constraint FROM pg_constraint WHERE conrelid = 'users'::regclass ORDER BY 1",
      ),
    ).to.deep.equal([{ constraint: "PRIMARY KEY (id)" }, { constraint: "UNIQUE (full_name)" }]);
  });

  it("keeps both columns equal whatever a version writes, and whatever it leaves out", async () => {
    await given(
      "CREATE TABLE users (id int PRIMARY KEY, name text DEFAULT 'none', logins int NOT NULL DEFAULT 0);",
    );
    await query(url, "INSERT INTO users (id, name) SELECT n, 'before' FROM generate_series(1, 5) n");
    const [, backfill = ""] = await rename("users.name", "full_name");
    const sql = await readFile(backfill, "utf8");
    await writeFile(backfill, "-- phase: contract\nSELECT 1");
    await migrations.run(url);
    for (const statement of [
      // Rows from before, none of them backfilled.
      "UPDATE users SET name = 'old' WHERE id = 1",
      "UPDATE users SET full_name = 'new' WHERE id = 2",
      "UPDATE users SET name = 'old', full_name = 'both: the new one wins' WHERE id = 3",
      "UPDATE users SET logins = 1 WHERE id = 4",
      "INSERT INTO users (id, name) VALUES (11, 'old')",
      "INSERT INTO users (id, full_name) VALUES (12, 'new')",
      "INSERT INTO users (id, name, full_name) VALUES (13, 'old', 'both: the new one wins')",
      "INSERT INTO users (id) VALUES (14)",
      "INSERT INTO users (id, name) VALUES (15, NULL)",
      "INSERT INTO users (id, full_name) VALUES (16, NULL)",
      "INSERT INTO users VALUES (17, 'without column names')",
      "INSERT INTO users (id, name) VALUES (11, 'x') ON CONFLICT (id) DO UPDATE SET name = 'upsert, old'",
      "INSERT INTO users (id, full_name) VALUES (12, 'upsert, new') ON CONFLICT (id) DO UPDATE SET full_name = excluded.full_name",
      "INSERT INTO users (id, name) VALUES (13, 'upsert, excluded of the other') ON CONFLICT (id) DO UPDATE SET name = excluded.full_name",
      "COPY users (id, name) FROM PROGRAM 'printf ''21,copied\\n''' (FORMAT csv)",
      "COPY users (id, full_name) FROM PROGRAM 'printf ''22,copied\\n''' (FORMAT csv)",
      "UPDATE users SET name = NULL WHERE id = 21",
      "UPDATE users SET full_name = NULL WHERE id = 22",
    ]) {
      await query(url, statement);
    }
    await writeFile(backfill, sql);
    const shown = async () =>
      (await query(url, "SELECT id, name, full_name FROM users ORDER BY id")).map(
        ({ id, name, full_name }) =>
          `${String(id)} ${String(name)}${name === full_name ? "" : ` ≠ ${String(full_name)}`}`,
      );
    const expected = (five: string) => [
      "1 old",
      "2 new",
      "3 both: the new one wins",
      "4 before",
      five,
      "11 upsert, old",
      "12 upsert, new",
      "13 upsert, excluded of the other",
      "14 none",
      "15 null",
      "16 none",
      "17 without column names",
      "21 null",
      "22 null",
    ];
    expect(await shown()).to.deep.equal(expected("5 before ≠ null"));
    await migrations.run(url);
    expect(await shown()).to.deep.equal(expected("5 before"));
  });

  it("sees what the table's other triggers have made of a row", async () => {
    await given(`CREATE TABLE users (id int PRIMARY KEY, name text);
      CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := lower(NEW.name); RETURN NEW; END $$;
      CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION tidy();`);
    await rename("users.name", "full_name");
    await migrations.run(url);
    await query(url, "INSERT INTO users (id, name) VALUES (1, 'ADA')");
    expect(await query(url, "SELECT name, full_name FROM users")).to.deep.equal([
      { name: "ada", full_name: "ada" },
    ]);
  });

  it("copies a change that = does not see", async () => {
    await given("CREATE TABLE sums (id int PRIMARY KEY, amount numeric);");
    await query(url, "INSERT INTO sums VALUES (1, 1.0)");
    await rename("sums.amount", "total");
    await migrations.run(url);
    await query(url, "UPDATE sums SET amount = 1.00");
    expect(await query(url, "SELECT amount::text, total::text FROM sums")).to.deep.equal([
      { amount: "1.00", total: "1.00" },
    ]);
    await query(url, "UPDATE sums SET total = 1.000");
    expect(await query(url, "SELECT amount::text, total::text FROM sums")).to.deep.equal([
      { amount: "1.000", total: "1.000" },
    ]);
  });

  const long = "x".repeat(63);
  for (const [what, table, column, newName, type] of [
    ["names with capitals, in a schema", 'app."Users"', '"firstName"', '"First Name"', "varchar(20)"],
    ["keywords", '"order"', '"user"', '"end"', "text"],
    [
      "names of 63 bytes",
      `t${long.slice(1)}`,
      `c${long.slice(1)}`,
      `n${long.slice(1)}`,
      "timestamp with time zone",
    ],
    ["quotes in a name", `"we""ird"`, `"ü'"`, `"$$ ""; --"`, "numeric(6, 2)[]"],
    ["a type without an equality", "places", "at", "location", "point"],
    ["a collation", "names", "name", "title", `text COLLATE "C"`],
  ] as const) {
    it(`takes ${what}`, async () => {
      await given(
        `CREATE SCHEMA app; CREATE TABLE ${table} ("Key" int PRIMARY KEY, ${column} ${type} NOT NULL);`,
      );
      const value =
        { "numeric(6, 2)[]": "'{1.5}'", point: "'(1,2)'", "timestamp with time zone": "'2020-01-01Z'" }[
          type as string
        ] ?? "'some'";
      await query(url, `INSERT INTO ${table} VALUES (1, ${value})`);
      const paths = await rename(`${table}.${column}`, newName);
      await migrations.run(url);
      await query(url, `INSERT INTO ${table} ("Key", ${newName}) VALUES (2, ${value})`);
      expect(
        await query(url, `SELECT count(*)::int AS n FROM ${table} WHERE ${column}::text = ${newName}::text`),
      ).to.deep.equal([{ n: 2 }]);
      const [before] = (await columnsOf(table)).slice(1);
      await contract(paths.slice(2));
      const after = (await columnsOf(table)).slice(1);
      expect(after).to.deep.equal([{ ...before, name: newName.replace(/^"|"$/g, "").replaceAll('""', '"') }]);
      expect(await leftovers()).to.deep.equal([{ triggers: 0, functions: 0 }]);
    });
  }

  it("takes a partitioned table", async () => {
    await given(`CREATE TABLE events (id int PRIMARY KEY, kind text NOT NULL DEFAULT 'x') PARTITION BY RANGE (id);
      CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
      CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20);`);
    await query(url, "INSERT INTO events VALUES (1, 'a'), (11, 'b')");
    const paths = await rename("events.kind", "sort");
    await migrations.run(url);
    await query(url, "UPDATE events SET sort = 'c', id = 12 WHERE id = 1");
    await query(url, "INSERT INTO events (id) VALUES (2)");
    expect(await query(url, "SELECT id, kind, sort FROM events ORDER BY id")).to.deep.equal([
      { id: 2, kind: "x", sort: "x" },
      { id: 11, kind: "b", sort: "b" },
      { id: 12, kind: "c", sort: "c" },
    ]);
    await contract(paths.slice(2));
    expect((await columnsOf("events_1")).map(({ name }) => name)).to.deep.equal(["id", "sort"]);
  });

  it("reads no row under the lock of SET NOT NULL", async () => {
    await given("CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);");
    const paths = await rename("users.name", "full_name");
    await migrations.run(url);
    await contract(paths.slice(2, -1));
    await withUser(url, async (user) => {
      const said: string[] = [];
      user.on("notice", ({ message }) => said.push(message ?? ""));
      await user.query("SET client_min_messages = debug1");
      await user.query(await readFile(paths.at(-1) ?? "", "utf8"));
      expect(said.join("\n")).to.contain(
        'existing constraints on column "users.full_name" are sufficient to prove that it does not contain nulls',
      );
    });
  });
});
