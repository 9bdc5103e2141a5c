import { expect } from "chai";
import { Client, DatabaseError } from "pg";
import { effects } from "@bluegreen/release/lint/effects";
import { rules } from "@bluegreen/release/lint/registry";
import type { Rule } from "@bluegreen/release/lint/rule";
import { everyCase } from "../support/everyCase";
import { LiveLoad, pidOf } from "./liveLoad";
import { inShopServer } from "./shopServer";

/** What happens to the live version, after the example or while its transaction is open. */
interface Evidence {
  /** The table that is locked; otherwise orders. */
  table?: string;
  /** The example itself is refused, with this code. */
  refused?: string;
  /**
   * SQL of the live version that gave something before, and what it gives afterwards: an error's code, or one
   * value.
   */
  live?: { sql: string; before?: string; after: string; as?: string };
  /** Only from this version on. */
  from?: number;
}

const gone = (sql: string, after: string): Evidence => ({ live: { sql, after } });

/** By rule. A rule with an effect needs no more than that. */
const evidence: Record<string, Evidence> = {
  "rename-column": gone("SELECT note FROM orders", "42703"),
  "rename-table": gone("SELECT id FROM orders", "42P01"),
  "rename-schema": gone("CREATE TABLE shop.n (a int)", "3F000"),
  "rename-view": gone("SELECT * FROM order_totals", "42P01"),
  "rename-function": gone("SELECT price_of(4)", "42883"),
  "rename-type": gone("SELECT 'ok'::mood", "42704"),
  "rename-sequence": gone("SELECT nextval('order_numbers')", "42P01"),
  "rename-constraint": gone(
    "INSERT INTO orders (number) VALUES (1) ON CONFLICT ON CONSTRAINT orders_number_key DO NOTHING",
    "42704",
  ),
  "rename-object": gone("SET ROLE shop_app", "22023"),
  "drop-column": gone("SELECT note FROM orders", "42703"),
  "drop-table": { ...gone("SELECT id FROM audit", "42P01"), table: "audit" },
  "drop-schema": gone("CREATE TABLE shop.n (a int)", "3F000"),
  "drop-view": gone("SELECT * FROM order_totals", "42P01"),
  "drop-function": gone("SELECT price_of(4)", "42883"),
  "drop-type": gone("SELECT 'fine'::feeling", "42704"),
  "drop-sequence": gone("SELECT nextval('order_numbers')", "42P01"),
  "drop-policy": {
    live: { sql: "SELECT count(*) FROM secrets", before: "10", after: "0", as: "shop_app" },
    table: "secrets",
  },
  "drop-constraint": gone("INSERT INTO orders (number) VALUES (1) ON CONFLICT (number) DO NOTHING", "42P10"),
  "drop-live-index": {
    live: { sql: "SELECT to_regclass('orders_customer_idx') IS NULL", before: "false", after: "true" },
  },
  "drop-object": gone("SELECT 'a' COLLATE german", "42704"),
  "drop-role": gone("SET ROLE shop_guest", "22023"),
  "drop-owned": {
    live: { sql: "SELECT count(*) FROM orders", before: "1000", after: "42501", as: "shop_app" },
  },
  "add-not-null-column": { refused: "23502" },
  "change-generated-column": { from: 17 },
  "domain-scan": { table: "addresses" },
  "change-domain": {
    live: { sql: "INSERT INTO addresses (id) VALUES (0) RETURNING zip", before: "null", after: "00000" },
  },
  "drop-identity": gone("INSERT INTO orders (number) VALUES (5000)", "23502"),
  "json-column": { live: { sql: "SELECT DISTINCT body FROM notes", before: "42P01", after: "42883" } },
  "foreign-key-before-contract": gone("INSERT INTO orders (number, customer) VALUES (5000, 0)", "23503"),
  "check-before-contract": gone("INSERT INTO orders (number, placed) VALUES (5000, '1999-01-01')", "23514"),
  "unique-before-contract": gone("INSERT INTO orders (number, total) VALUES (5000, 5)", "23505"),
  "primary-key-using-index": { table: "bookings" },
  "exclusion-constraint": { table: "bookings" },
  "enforce-constraint": { from: 18 },
  "not-on-partitioned": { refused: "0A000" },
  "detach-partition": { table: "readings" },
  "create-partition": { table: "readings" },
  "attach-partition": { table: "readings_2024" },
  "change-inheritance": {
    live: { sql: "SELECT count(*) FROM old_orders", before: "1000", after: "0" },
    table: "orders_2024",
  },
  "refresh-view": { table: "order_sums" },
  "rewrite-table": { table: "addresses" },
  "set-schema": gone("SELECT id FROM orders", "42P01"),
  revoke: { live: { sql: "SELECT count(*) FROM orders", before: "1000", after: "42501", as: "shop_app" } },
  "enable-rls": { live: { sql: "SELECT count(*) FROM orders", before: "1000", after: "0", as: "shop_app" } },
  "disable-rls": {
    live: {
      sql: "SELECT count(*) FROM secrets WHERE owner <> current_user",
      before: "0",
      after: "1",
      as: "shop_app",
    },
    table: "secrets",
  },
  "change-policy": {
    live: { sql: "SELECT count(*) FROM secrets", before: "10", after: "5", as: "shop_app" },
    table: "secrets",
  },
  "create-rule": {
    live: {
      sql: "WITH d AS (DELETE FROM orders WHERE id = 1 RETURNING 1) SELECT count(*) FROM d",
      before: "1",
      after: "0A000",
    },
  },
  "set-generated-always": gone("INSERT INTO orders (id, number) VALUES (5000, 5000)", "428C9"),
  "restart-sequence": { live: { sql: "SELECT nextval('order_numbers')", before: "501", after: "1" } },
  "alter-sequence": gone("SELECT nextval('order_numbers')", "2200H"),
  "replica-identity": gone("UPDATE orders SET note = '' WHERE id = 1", "55000"),
  "rename-enum-value": gone("INSERT INTO moods VALUES ('ok')", "22P02"),
  "change-composite-type": gone("SELECT '(a)'::address", "22P02"),
  "alter-object": { live: { sql: "SELECT price_of(NULL)", before: "7", after: "null" } },
  "alter-role": {
    live: {
      sql: "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'shop_app'",
      before: "true",
      after: "false",
    },
  },
  "guard-setting": { live: { sql: "SHOW lock_timeout", before: "200ms", after: "0" } },
  "needs-no-transaction": { refused: "25001" },
  "enum-value-used": { refused: "55P04" },
};

/** Nothing that a database could show: text that is opaque, the runner's own files, other databases. */
const without = [
  "unknown-statement",
  "do-block",
  "transaction-control",
  "no-transaction-alone",
  "alter-database",
  "drop-database",
];

const modeOf = (lock: string) =>
  `${lock
    .split(" ")
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join("")}Lock`;

/** The code of the error that SQL ends with, or its first value; "" when there is neither. */
async function outcomeOf(client: Client, sql: string): Promise<string> {
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    const [row] = rows;
    return row === undefined ? "" : String(Object.values(row)[0]);
  } catch (error) {
    if (error instanceof DatabaseError) return error.code ?? "";
    throw error;
  }
}

/** Of the rule's example: the statements before the last one, and that one. */
const statementsOf = ({ example }: Rule) =>
  example
    .replace(/^-- .*\n/gm, "")
    .split(/;\n?(?=[A-Z]|$)/)
    .filter((sql) => sql !== "");

const tested = rules.filter(({ name }) => !without.includes(name));

/** Rules that say something of versions. */
const versioned = tested.filter(
  ({ name }) => effects[name]?.versions !== undefined || evidence[name]?.from !== undefined,
);

describe("What the linter's rules claim", () => {
  it("is shown for every rule that is about a database", () => {
    expect(new Set([...Object.keys(evidence), ...Object.keys(effects), ...without])).to.deep.equal(
      new Set(rules.map(({ name }) => name)),
    );
  });
});

const servers = [
  { version: "installed", shown: tested },
  { version: "newest", shown: everyCase ? tested : versioned },
] as const;

for (const { version, shown } of servers) {
  describe(`What the linter's rules claim, on the ${version} PostgreSQL`, function () {
    const databases = inShopServer({ wal_level: "logical" }, version);

    for (const rule of shown) {
      it(`${rule.name}: ${[effects[rule.name]?.lock, effects[rule.name]?.work, evidence[rule.name]?.refused ?? evidence[rule.name]?.live?.after].filter((part) => part !== undefined).join(", ")}`, async () => {
        const { table = "orders", refused, live, from = 0 } = evidence[rule.name] ?? {};
        const effect = effects[rule.name];
        await databases.inShop(async (migration, other, connect) => {
          const isOutside = rule.example.startsWith("-- no-transaction");
          const statements = statementsOf(rule);
          if ((await versionOf(other)) < from) {
            // This version has no such statement, and so refuses it.
            expect(await outcomeOf(migration, statements.at(-1) ?? "")).to.match(/^42|^0A/);
            return;
          }
          if (effect?.given !== undefined) await migration.query(effect.given);
          if (live?.before !== undefined) {
            await other.query("BEGIN");
            if (live.as !== undefined) await other.query(`SET LOCAL ROLE ${live.as}`);
            expect(await outcomeOf(other, live.sql), "before").to.equal(live.before);
            await other.query("ROLLBACK");
          }
          const fileNode = async () =>
            (
              await migration.query<{ node: string }>(
                "SELECT pg_relation_filenode(to_regclass($1)::oid) AS node",
                [table],
              )
            ).rows[0]?.node;
          const node = await fileNode();
          const load =
            effect === undefined || isOutside ? undefined : await LiveLoad.on(table, effect.lock, connect);
          try {
            if (!isOutside) await migration.query("BEGIN");
            for (const sql of statements.slice(0, -1)) await migration.query(sql);
            const result = await outcomeOf(migration, statements.at(-1) ?? "");
            if (refused !== undefined) {
              expect(result).to.equal(refused);
              return;
            }
            expect(result).not.to.match(/^[0-9A-Z]{5}$/, "the example itself");
            if (effect !== undefined && load !== undefined) {
              const { rows } = await migration.query<{ mode: string }>(
                "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'",
              );
              expect(rows.map(({ mode }) => mode)).to.include(modeOf(effect.lock));
              await load.seeHeldUp(other, effect.lock, await pidOf(migration));
              if (effect.work === "read") {
                const { rows: read } = await migration.query<{ rows: string }>(
                  "SELECT sum(seq_tup_read) AS rows FROM pg_stat_xact_user_tables",
                );
                expect(Number(read[0]?.rows), "rows read").to.be.greaterThan(999);
              }
            }
            if (!isOutside) await migration.query("COMMIT");
            await load?.seeGoOn();
          } finally {
            await migration.query("ROLLBACK");
            await load?.stop();
          }
          if (effect?.work === "rewritten" && effect.lock === "ACCESS EXCLUSIVE")
            expect(await fileNode(), "the table's file").not.to.equal(node);
          if (live === undefined) return;
          const session = rule.name === "guard-setting" ? migration : other;
          if (live.as !== undefined) await session.query(`SET ROLE ${live.as}`);
          expect(await outcomeOf(session, live.sql), "after").to.equal(live.after);
        });
      });
    }
  });
}

async function versionOf(client: Client): Promise<number> {
  return Math.floor(Number(await outcomeOf(client, "SHOW server_version_num")) / 10_000);
}
