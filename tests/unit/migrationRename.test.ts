import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { renameColumn, type Rename } from "@bluegreen/release/migrations/rename/rename";
import { writeFiles } from "@bluegreen/release/migrations/rename/files";
import { failsWith } from "../support/failsWith";

const program = join(__dirname, "..", "..", "cli", "bluegreen.mjs");

describe("The migrations of a rename", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bg-rename-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const given = (...files: string[]) => {
    files.forEach((sql, index) => {
      writeFileSync(
        join(folder, `000${index + 1}_given.sql`),
        sql.startsWith("--") ? sql : `-- phase: expand\n${sql}`,
      );
    });
  };
  const rename = (column: string, newName: string, type?: string) =>
    renameColumn({ folder, column, newName, type });
  const sqlOf = ({ files }: Rename, step: string) =>
    files.find(({ file }) => file.endsWith(`_${step}.sql`))?.sql ?? "";
  const names = ({ files }: Rename) => files.map(({ file }) => file);
  const users = "CREATE TABLE users (id int PRIMARY KEY, name text);";

  it("come after the last id, in three phases", async () => {
    given(users, "SELECT 1;");
    const made = await rename("users.name", "full_name");
    expect(names(made)).to.deep.equal([
      "0003_rename_users_name_to_full_name_expand.sql",
      "0004_rename_users_name_to_full_name_backfill.sql",
      "0005_rename_users_name_to_full_name_contract.sql",
    ]);
    expect(made.files.map(({ sql }) => sql.split("\n")[0])).to.deep.equal([
      "-- phase: expand",
      "-- phase: backfill",
      "-- phase: contract",
    ]);
    expect(made.byHand).to.deep.equal([]);
    expect(sqlOf(made, "contract"))
      .to.contain("-- irreversible")
      .and.not.contain("NOT NULL")
      .and.not.contain("DEFAULT");
  });

  it("take over the type, the default and NOT NULL as the last statement about them has left them", async () => {
    given(
      "CREATE TABLE users (id int PRIMARY KEY, a varchar ( 10 ) /* short */ NOT NULL DEFAULT lower('A,B') || ')' CONSTRAINT long CHECK (length(a) > 0));",
      "ALTER TABLE users ALTER a TYPE text USING trim(a), ALTER COLUMN a SET DEFAULT coalesce('x', 'y'), ADD b int NOT NULL;",
      "ALTER TABLE users ALTER a DROP NOT NULL; ALTER TABLE users ALTER b TYPE numeric(10, 2);",
      'ALTER TABLE users ADD COLUMN c timestamp(3) with time zone COLLATE "C" DEFAULT NULL, ALTER COLUMN b SET DEFAULT 5, ALTER b DROP DEFAULT;',
    );
    const a = await rename("users.a", "x");
    expect(sqlOf(a, "expand")).to.contain("ADD COLUMN x text;");
    expect(sqlOf(a, "contract"))
      .to.contain("ALTER COLUMN x SET DEFAULT coalesce('x', 'y');")
      .and.not.contain("NOT NULL");
    expect(a.byHand)
      .to.have.length(2)
      .and.to.satisfy(
        ([check, insert]: string[]) =>
          check?.startsWith("CHECK long") === true && insert?.includes("INSERT of NULL") === true,
      );
    const b = await rename("users.b", "x");
    expect(sqlOf(b, "expand")).to.contain("ADD COLUMN x numeric(10, 2);");
    expect(sqlOf(b, "contract")).to.contain("SET NOT NULL").and.not.contain("DEFAULT");
    expect(sqlOf(await rename("users.c", "x"), "expand")).to.contain(
      'ADD COLUMN x timestamp(3) with time zone COLLATE "C";',
    );
    given(
      "CREATE TABLE users (id int PRIMARY KEY, a varchar ( 10 ) /* short */ NOT NULL DEFAULT lower('A,B') || ')' CHECK (length(a) > 0), b text);",
      "SELECT 1",
      "SELECT 1",
      "SELECT 1",
    );
    const first = await rename("users.a", "x");
    expect(sqlOf(first, "expand")).to.contain("ADD COLUMN x varchar ( 10 );");
    expect(sqlOf(first, "contract")).to.contain("SET DEFAULT lower('A,B') || ')';");
  });

  it("prove NOT NULL in a transaction of its own before it is set", async () => {
    given("CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);");
    const made = await rename("users.name", "full_name");
    expect(names(made).map((file) => file.split("_").at(-1))).to.deep.equal([
      "expand.sql",
      "backfill.sql",
      "check.sql",
      "validate.sql",
      "contract.sql",
    ]);
    expect(sqlOf(made, "validate").match(/^[A-Z].*;$/gm)).to.deep.equal([
      "ALTER TABLE users VALIDATE CONSTRAINT users_full_name_not_null;",
    ]);
  });

  it("build plain indexes and unique constraints again, and say what they cannot", async () => {
    given(
      "CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE, team int, EXCLUDE (name WITH =));",
      "-- phase: expand\n-- no-transaction\nCREATE INDEX CONCURRENTLY by_name ON users USING hash (name);",
      "CREATE UNIQUE INDEX ON users (team, name); CREATE INDEX again ON users (name); CREATE INDEX folded ON users (lower(name)); CREATE INDEX partly ON users (team) WHERE name > ''; CREATE INDEX gone ON users (name); DROP INDEX gone;",
      "CREATE VIEW people AS SELECT name FROM users; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT count(name)::int FROM users $$; CREATE VIEW others AS SELECT team FROM users;\nCREATE VIEW everything AS SELECT * FROM users;",
    );
    const made = await rename("users.name", "title");
    const built = made.files
      .filter(({ file }) => file.includes("_index_"))
      .map(({ sql }) => sql.split("\n").at(-2));
    expect(built).to.deep.equal([
      "CREATE UNIQUE INDEX CONCURRENTLY users_title_key ON users (title);",
      "CREATE INDEX CONCURRENTLY users_title_idx ON users USING hash (title);",
      "CREATE UNIQUE INDEX CONCURRENTLY users_team_title_idx ON users (team, title);",
      "CREATE INDEX CONCURRENTLY users_title_idx_2 ON users (title);",
    ]);
    expect(sqlOf(made, "contract").match(/ADD CONSTRAINT.*/g)).to.deep.equal([
      "ADD CONSTRAINT users_title_key UNIQUE USING INDEX users_title_key;",
    ]);
    expect(made.byHand.map((line) => line.split(/[:,] /)[0])).to.deep.equal([
      "index folded goes with the old column",
      "index partly goes with the old column",
      "EXCLUDE users_name_excl",
      `view at ${folder}/0004_given.sql:2 may name the old column`,
      `function at ${folder}/0004_given.sql:2 may name the old column`,
      `view at ${folder}/0004_given.sql:3 may name the old column`,
    ]);
  });

  for (const [what, sql, column, newName, rule] of [
    ["an unknown table", users, "people.name", "x", "the migrations make no table people; they make users"],
    ["an unknown column", users, "users.nam", "x", "the table has the columns id, name"],
    ["a name that is there", users, "users.name", "id", "the table has a column id already"],
    ["a system column's name", users, "users.name", "ctid", "PostgreSQL itself has"],
    ["the primary key", users, "users.id", "x", "part of the primary key"],
    [
      "a foreign key",
      `${users} CREATE TABLE t (id int PRIMARY KEY, u int REFERENCES users);`,
      "t.u",
      "x",
      "part of the foreign key t_u_fkey",
    ],
    [
      "what a foreign key points to",
      `CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE); CREATE TABLE t (id int PRIMARY KEY, u text, FOREIGN KEY (u) REFERENCES users (name));`,
      "users.name",
      "x",
      "another table points to the column",
    ],
    [
      "a table without a primary key",
      "CREATE TABLE users (id int, name text);",
      "users.name",
      "x",
      "users has none",
    ],
    [
      "a key of two columns",
      "CREATE TABLE users (a int, b int, name text, PRIMARY KEY (a, b));",
      "users.name",
      "x",
      "users has (a, b)",
    ],
    [
      "a serial column",
      "CREATE TABLE users (id int PRIMARY KEY, n bigserial);",
      "users.n",
      "x",
      "fills the column itself",
    ],
    [
      "an identity column",
      "CREATE TABLE users (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY);",
      "users.n",
      "x",
      "fills the column itself",
    ],
    [
      "a generated column",
      "CREATE TABLE users (id int PRIMARY KEY, n int GENERATED ALWAYS AS (id + 1) STORED);",
      "users.n",
      "x",
      "fills the column itself",
    ],
    [
      "a column numbered from a sequence",
      "CREATE SEQUENCE s; CREATE TABLE users (id int PRIMARY KEY, n int DEFAULT nextval('s'));",
      "users.n",
      "x",
      "fills the column itself",
    ],
    [
      "a partition key",
      "CREATE TABLE users (id int PRIMARY KEY, n int) PARTITION BY RANGE (id, lower(n::text));",
      "users.n",
      "x",
      "partitioned by the column",
    ],
    [
      "a domain with a rule",
      "CREATE DOMAIN email AS text CHECK (value LIKE '%@%'); CREATE TABLE users (id int PRIMARY KEY, mail email);",
      "users.mail",
      "x",
      "a domain with a rule of its own",
    ],
    [
      "a column type that no new column should have",
      "CREATE TABLE users (id int PRIMARY KEY, j jsonb); ALTER TABLE users ALTER j TYPE json;",
      "users.j",
      "x",
      "json has no equality",
    ],
    [
      "a key that no header can name",
      `CREATE TABLE users ("the key" int PRIMARY KEY, name text);`,
      "users.name",
      "x",
      "no names with blanks",
    ],
    [
      "a partition",
      "CREATE TABLE p (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); CREATE TABLE users PARTITION OF p FOR VALUES FROM (1) TO (2);",
      "users.n",
      "x",
      "its columns are those of p",
    ],
    [
      "a table that became a partition",
      "CREATE TABLE p (id int PRIMARY KEY, n int) PARTITION BY RANGE (id); CREATE TABLE users (id int PRIMARY KEY, n int); ALTER TABLE p ATTACH PARTITION users FOR VALUES FROM (1) TO (2);",
      "users.n",
      "x",
      "its columns are those of p",
    ],
    [
      "a table that others inherit from",
      "CREATE TABLE users (id int PRIMARY KEY, n int); CREATE TABLE more () INHERITS (users);",
      "users.n",
      "x",
      "do not inherit a trigger",
    ],
    [
      "a table of a type",
      "CREATE TYPE person AS (id int, n int); CREATE TABLE users OF person (PRIMARY KEY (id));",
      "users.n",
      "x",
      "those of a type",
    ],
    [
      "a column that was dropped",
      `${users} ALTER TABLE users DROP COLUMN name;`,
      "users.name",
      "x",
      "the table has the columns id",
    ],
    ["what is no column", users, "name", "x", "TABLE.COLUMN"],
    ["what is more than a name", users, "users.name", "x; DROP TABLE users", "one SQL name"],
    ["a name that PostgreSQL would cut off", users, "users.name", "x".repeat(64), "at most 63 bytes"],
  ] as const) {
    it(`are refused for ${what}`, async () => {
      given(sql);
      expect(await failsWith("BG-RENAME-REFUSED", () => rename(column, newName))).to.contain(rule);
    });
  }

  it("take --type only for a column whose type the files do not say", async () => {
    const code = "BG-RENAME-REFUSED";
    given(`${users} CREATE TABLE more (LIKE users, PRIMARY KEY (id));`);
    expect(await failsWith(code, () => rename("more.name", "x"))).to.contain("add --type TYPE");
    expect(await failsWith(code, () => rename("users.name", "x", "int"))).to.contain(
      "its type is known: text",
    );
    const made = await rename("more.name", "x", "text");
    expect(sqlOf(made, "expand")).to.contain("ALTER TABLE more ADD COLUMN x text;");
    expect(made.byHand.join()).to.contain("NOT NULL, DEFAULT and indexes of the old column are not known");
    await failsWith(code, () => rename("more.name", "x", "text; DROP TABLE more"));
  });

  it("follow a table through renames, and read names as SQL does", async () => {
    given(
      `CREATE SCHEMA app; CREATE TABLE app."Old" (id int PRIMARY KEY, "Name" text); ALTER TABLE app."Old" RENAME TO "New"; ALTER TABLE app."New" RENAME "Name" TO name;`,
    );
    const made = await rename('app."New".NAME', "FULL_NAME");
    expect(sqlOf(made, "expand"))
      .to.contain(`ALTER TABLE app."New" ADD COLUMN full_name text;`)
      .and.contain("CREATE FUNCTION app.");
    expect(sqlOf(made, "backfill")).to.contain(`-- batch: app."New" by id`);
  });

  it("are all written, or none", async () => {
    given(users);
    const { files } = await rename("users.name", "full_name");
    writeFileSync(join(folder, files[2]?.file ?? ""), "mine");
    const message = await failsWith("BG-FILE-NOT-WRITTEN", () => writeFiles(folder, files));
    expect(message).to.contain("EEXIST");
    expect(readdirSync(folder)).to.deep.equal(["0001_given.sql", files[2]?.file]);
    expect(readFileSync(join(folder, files[2]?.file ?? ""), "utf8")).to.equal("mine");
  });

  describe("from the command line", function () {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [program, "migrations", "rename", ...args], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1" },
      });

    it("are shown by --dry-run, and written without", () => {
      given(users);
      const shown = run("users.name", "full_name", "--folder", ".", "--dry-run");
      expect(shown.status).to.equal(0);
      expect(shown.stdout)
        .to.contain("==> ./0002_rename_users_name_to_full_name_expand.sql <==")
        .and.contain("CREATE TRIGGER")
        .and.contain("DROP COLUMN name;");
      expect(readdirSync(folder)).to.deep.equal(["0001_given.sql"]);
      const written = run("users.name", "full_name", "--folder", ".");
      expect(written.stdout)
        .to.contain("wrote 0002_rename_users_name_to_full_name_expand.sql")
        .and.contain("Next: read them");
      expect(readdirSync(folder)).to.have.length(4);
      expect(readFileSync(join(folder, "0002_rename_users_name_to_full_name_expand.sql"), "utf8")).to.contain(
        "-- phase: expand\n",
      );
    });

    it("end with 2 when they are refused, saying what is right", () => {
      given(users);
      const refused = run("users.id", "x", "--folder", ".");
      expect(refused.status).to.equal(2);
      expect(refused.stderr).to.contain("The rename of users.id to x was refused").and.contain("next:");
      expect(run("users.name", "x").stderr).to.contain("there is no such folder");
      expect(run("users.name").status).to.equal(2);
      const help = run("--help");
      expect(help.status).to.equal(0);
      expect(help.stdout)
        .to.contain("npx bluegreen migrations rename users.name full_name")
        .and.contain("Exit codes");
    });
  });
});
