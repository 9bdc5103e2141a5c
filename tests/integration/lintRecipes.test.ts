import { expect } from "chai";
import type { Client } from "pg";
import { lint } from "@bluegreen/release/lint/lint";
import { rules } from "@bluegreen/release/lint/registry";
import { recipeFiles } from "../lint/recipeFiles";
import { everyCase } from "../support/everyCase";
import { inShopServer } from "./shopServer";

/** What cannot come out the same, because the same is what the live version does not survive. */
const differs: Record<string, string> = {
  "rename-table": "both names are there",
  "rename-schema": "both names are there",
  "rename-view": "both names are there",
  "rename-enum-value": "both values are there",
  "set-schema": "both names are there",
  "stored-generated-column": "a trigger fills the column",
  "domain-column": "the column has the domain's type and CHECK, not the domain",
  "change-type": "a second column has the new type",
  "json-column": "jsonb, not json",
  "detach-partition": "concurrently, PostgreSQL leaves the bound to the former partition as a CHECK",
};

/** PostgreSQL takes nothing but the recipe. */
const refusedByPostgres = ["not-on-partitioned", "enum-value-used", "needs-no-transaction"];

/** More that is often written, beside the rules' examples. `given` makes the statement itself possible. */
const more: { sql: string; given?: string }[] = [
  {
    sql: "CREATE UNIQUE INDEX one ON orders USING btree (customer, lower(note) DESC, number) INCLUDE (total) WHERE total > 0;",
  },
  { sql: "CREATE INDEX ON orders (placed);" },
  { sql: "CREATE INDEX ON orders (lower(note));" },
  {
    sql: "ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED;",
  },
  {
    sql: "ALTER TABLE orders ADD COLUMN buyer bigint NOT NULL DEFAULT 1 REFERENCES customers ON DELETE SET DEFAULT;",
  },
  { sql: "ALTER TABLE bookings ADD PRIMARY KEY (room);" },
  {
    sql: "ALTER TABLE bookings ADD CONSTRAINT b UNIQUE NULLS NOT DISTINCT (room) INCLUDE (during) DEFERRABLE INITIALLY DEFERRED;",
  },
  { sql: "ALTER TABLE orders ADD COLUMN code varchar(20) UNIQUE;" },
  { sql: "ALTER TABLE orders ADD COLUMN score int CONSTRAINT positive CHECK (score > 0);" },
  {
    sql: "ALTER TABLE orders ADD COLUMN score int DEFAULT 1 CHECK (score > 2) NOT NULL;",
    given: "TRUNCATE orders",
  },
  { sql: "ALTER TABLE orders ADD CHECK (total > 0 AND number > 0);" },
  { sql: "ALTER TABLE orders ADD COLUMN lasts interval(3) NOT NULL;", given: "TRUNCATE orders" },
  { sql: "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();" },
  { sql: "ALTER TABLE orders ADD COLUMN line smallserial;" },
  { sql: "ALTER TABLE ONLY orders ALTER COLUMN note SET NOT NULL;" },
  { sql: "DROP INDEX IF EXISTS orders_customer_idx, bookings_room_idx;" },
  {
    sql: "DROP VIEW order_totals;\nCREATE VIEW order_totals AS SELECT customer, sum(total) AS total, count(*) AS orders FROM orders GROUP BY customer;",
  },
  {
    sql: "DROP FUNCTION price_of(bigint);\nCREATE FUNCTION price_of(bigint) RETURNS numeric LANGUAGE sql AS 'SELECT 9::numeric';",
  },
  {
    sql: "DROP TRIGGER orders_audit ON orders;\nCREATE TRIGGER orders_audit BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION audit();",
  },
];

/** Everything that is defined, in words. */
const definitions = `
SELECT 'column ' || c.oid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || attidentity::text || attgenerated::text || ' ' || coalesce(pg_get_expr(adbin, adrelid), '')
  FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'c') AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'relation ' || c.oid::regclass || ' ' || relkind::text || relpersistence::text || relreplident::text || relrowsecurity || ' ' || relowner::regrole || ' ' || coalesce(relacl::text, '') || ' ' || coalesce(pg_get_expr(relpartbound, c.oid), '') FROM pg_class c WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'constraint ' || coalesce(conrelid::regclass::text, '') || ' ' || conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) || ' ' || indisvalid || indisprimary FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'view ' || viewname || ' ' || definition FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'rule ' || pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'policy ' || polrelid::regclass || ' ' || polname || ' ' || polpermissive || ' ' || coalesce(pg_get_expr(polqual, polrelid), '') FROM pg_policy
UNION ALL SELECT 'function ' || CASE prokind WHEN 'a' THEN proname ELSE pg_get_functiondef(oid) END FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'type ' || oid::regtype || ' ' || typnotnull || ' ' || coalesce(typdefault, '') FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
UNION ALL SELECT 'value ' || enumtypid::regtype || ' ' || enumlabel FROM pg_enum
UNION ALL SELECT 'sequence ' || sequencename || ' ' || data_type || ' ' || max_value || ' ' || increment_by FROM pg_sequences WHERE schemaname = 'public'
UNION ALL SELECT 'inherits ' || inhrelid::regclass || ' ' || inhparent::regclass FROM pg_inherits
UNION ALL SELECT 'collation ' || collname FROM pg_collation WHERE collnamespace = 'public'::regnamespace
UNION ALL SELECT 'role ' || rolname || ' ' || rolcanlogin FROM pg_roles WHERE rolname LIKE 'shop%' OR rolname = 'shop'
UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'
ORDER BY 1`;

async function definitionsOf(client: Client): Promise<string[]> {
  return (await client.query<Record<string, string>>(definitions)).rows.map(
    (row) => Object.values(row)[0] ?? "",
  );
}

/** As the runner does: a file in a transaction, or by itself. All rows are one batch. */
async function apply(client: Client, sql: string): Promise<void> {
  const text = sql.replaceAll(":first", "0").replaceAll(":last", "1000000");
  if (!sql.includes("\n-- no-transaction") && !sql.startsWith("-- no-transaction"))
    await client.query(`BEGIN;\n${text};\nCOMMIT`);
  else
    for (const statement of text.split(/;\s*$/m))
      if (statement.replace(/^--.*$/gm, "").trim() !== "") await client.query(statement);
}

const versions = everyCase ? (["installed", "newest"] as const) : (["installed"] as const);

for (const version of versions) {
  describe(`What the linter says to write instead, on the ${version} PostgreSQL`, function () {
    const server = inShopServer({}, version);

    it("differs only where a rule that there is says why", () => {
      expect(rules.map(({ name }) => name)).to.include.members(Object.keys(differs));
    });

    const examples = [
      ...rules.flatMap(({ name, example, phases, before }) =>
        example === ""
          ? []
          : [
              {
                sql: example,
                rule: name,
                phase: phases[0] ?? "expand",
                earlier: before,
                given: name === "add-not-null-column" ? "TRUNCATE orders" : undefined,
              },
            ],
      ),
      ...more.map(({ sql, given }) => ({ sql, rule: undefined, phase: "expand", earlier: undefined, given })),
    ];
    for (const { sql, rule, phase, earlier, given } of examples) {
      it(`${rule ?? "more"}: ${sql.split("\n").at(-1) ?? ""}`, async () => {
        const before =
          earlier === undefined ? [] : [{ file: "0001_before.sql", sql: `-- phase: expand\n${earlier}` }];
        const findings = await lint([
          ...before,
          { file: "0002_this.sql", sql: `-- phase: ${phase}\n${sql}` },
        ]);
        const finding = rule === undefined ? findings[0] : findings.find((each) => each.rule === rule);
        const files = recipeFiles(finding?.recipe ?? "");
        if (finding === undefined || files.length === 0) {
          expect(finding?.recipe, "in words").to.match(/^-- /);
          return;
        }
        const after = await server.inShop(async (migration) => {
          if (given !== undefined) await migration.query(given);
          // What stands before it in its file is not the recipe's.
          const others = sql
            .replace(/^-- .*\n/gm, "")
            .split(/;\n/)
            .slice(0, -1);
          for (const other of finding.line > 2 ? others : []) await migration.query(other);
          for (const file of files) await apply(migration, file.sql);
          return definitionsOf(migration);
        });
        if (differs[finding.rule] !== undefined || refusedByPostgres.includes(finding.rule)) return;
        const wanted = await server.inShop(async (migration) => {
          if (given !== undefined) await migration.query(given);
          await apply(migration, sql);
          return definitionsOf(migration);
        });
        expect(after).to.deep.equal(wanted);
      });
    }
  });
}
