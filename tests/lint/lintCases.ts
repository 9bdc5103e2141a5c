/** SQL whose verdict is known, by what it is about. What is accepted has no finding at all. */
export interface LintCase {
  sql: string;
  is: "refused" | "accepted";
  /** Otherwise expand. */
  phase?: "contract";
  /** Statement by statement. */
  noTransaction?: true;
  /** Migrations before this one, in contract. */
  before?: string[];
}

const refused = (sql: string, more: Partial<LintCase> = {}): LintCase => ({ sql, is: "refused", ...more });
const accepted = (sql: string, more: Partial<LintCase> = {}): LintCase => ({ sql, is: "accepted", ...more });

const coupons =
  "CREATE TABLE coupons (id bigint PRIMARY KEY, code varchar(100), note text, lasts interval(3), net cidr);";
const orders = `CREATE TABLE customers (id bigint PRIMARY KEY, number int UNIQUE);
CREATE TABLE orders (
  id bigint PRIMARY KEY,
  customer bigint CONSTRAINT payer REFERENCES customers,
  seller bigint CONSTRAINT seller REFERENCES customers (id) ON DELETE CASCADE,
  total int CONSTRAINT sum CHECK (total > 0)
);`;
const touch = "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;";
const overload = "CREATE FUNCTION touch(int) RETURNS int LANGUAGE sql AS 'SELECT 1';";

export const lintCases: Record<string, LintCase[]> = {
  "a constraint taken away": [
    refused("ALTER TABLE accounts DROP CONSTRAINT accounts_pkey CASCADE;"),
    refused("ALTER TABLE accounts DROP CONSTRAINT accounts_email_key;"),
  ],
  "an index taken away, concurrently or not": [
    refused("DROP INDEX CONCURRENTLY accounts_email_idx;", { noTransaction: true }),
  ],
  "any other object taken away": [
    refused("DROP ACCESS METHOD heap2;"),
    refused("DROP COLLATION german_phonebook;"),
    refused("DROP DATABASE app;", { noTransaction: true }),
    refused("DROP EXTENSION IF EXISTS citext CASCADE;"),
    refused("DROP FOREIGN DATA WRAPPER pg CASCADE;"),
    refused("DROP OPERATOR === (text, text);"),
    refused("DROP OPERATOR CLASS widget_ops USING btree;"),
    refused("DROP POLICY tenant_rows ON accounts;"),
    refused("DROP PUBLICATION p;"),
    refused("DROP TRIGGER accounts_audit ON accounts;"),
    refused("DROP USER MAPPING FOR app SERVER warehouse;"),
  ],
  "an overload taken for the one just made": [
    refused(`CREATE FUNCTION price_of(item bigint, currency text) RETURNS numeric LANGUAGE sql AS $$ SELECT 1.0 $$;
DROP FUNCTION price_of(bigint);`),
  ],
  "any other name changed": [
    refused("ALTER TABLE accounts RENAME CONSTRAINT accounts_email_key TO accounts_mail_key;"),
    refused("ALTER COLLATION de RENAME TO de2;"),
    refused("ALTER ROLE app RENAME TO app_old;"),
    refused("ALTER TEXT SEARCH CONFIGURATION en RENAME TO en2;"),
  ],
  "uniqueness and references that bind the live version": [
    refused("ALTER TABLE lines ADD CONSTRAINT l_o FOREIGN KEY (order_id) REFERENCES orders (id) NOT VALID;"),
    refused("CREATE UNIQUE INDEX CONCURRENTLY one_mail ON accounts (email);", { noTransaction: true }),
  ],
  "a CHECK that the live version's rows do not pass": [
    refused("ALTER TABLE orders ADD COLUMN k int, ADD CONSTRAINT m CHECK (coalesce(k, 0) > 0) NOT VALID;"),
    refused("ALTER TABLE orders ADD COLUMN k int, ADD CONSTRAINT m CHECK (false) NOT VALID;"),
    refused(
      "ALTER TABLE orders ADD COLUMN k int, ADD CONSTRAINT m CHECK (k IS NOT NULL AND k > 0) NOT VALID;",
    ),
    refused(
      "ALTER TABLE orders ADD COLUMN k int, ADD COLUMN l int, ADD CONSTRAINT m CHECK (num_nonnulls(k, l) = 1) NOT VALID;",
    ),
  ],
  "a primary key on an index": [
    refused("ALTER TABLE coupons ADD CONSTRAINT coupons_pk PRIMARY KEY USING INDEX coupons_code_uq;"),
    refused("ALTER TABLE accounts ADD CONSTRAINT pk PRIMARY KEY USING INDEX one_mail;"),
  ],
  domains: [
    refused(`CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
ALTER TABLE accounts ADD COLUMN discount percent;`),
    refused(`CREATE DOMAIN label AS text NOT NULL;
ALTER TABLE accounts ADD COLUMN tag label;`),
    refused("ALTER DOMAIN zip ADD CONSTRAINT z CHECK (length(VALUE) = 5);", { phase: "contract" }),
    refused("ALTER DOMAIN zip ADD CONSTRAINT zip_len CHECK (length(VALUE) = 5);"),
    refused("ALTER DOMAIN zip ADD CONSTRAINT zip_len CHECK (length(VALUE) = 5) NOT VALID;"),
    refused("ALTER DOMAIN zip SET DEFAULT '00000';"),
    refused("ALTER DOMAIN zip SET NOT NULL;"),
  ],
  partitions: [
    refused(
      "CREATE TABLE readings_2031 PARTITION OF readings FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');",
      {
        before: [
          `CREATE TABLE readings (taken date NOT NULL, meter int) PARTITION BY RANGE (taken);
CREATE TABLE readings_rest PARTITION OF readings DEFAULT;`,
        ],
      },
    ),
    refused("ALTER TABLE events ATTACH PARTITION events_old FOR VALUES FROM (1) TO (100);"),
    refused("CREATE INDEX CONCURRENTLY events_at ON events (at);", {
      noTransaction: true,
      before: ["CREATE TABLE events (id bigint, at timestamptz) PARTITION BY RANGE (at);"],
    }),
    refused("CREATE TABLE events_10 PARTITION OF events FOR VALUES FROM (1000) TO (1100);"),
  ],
  "a constraint enforced": [refused("ALTER TABLE lines ALTER CONSTRAINT l_o ENFORCED;")],
  "rights, triggers, rules, sequences, identity": [
    refused(
      "CREATE POLICY only_own ON coupons AS RESTRICTIVE USING (shop = current_setting('app.shop')::int);",
    ),
    refused("ALTER TABLE accounts DISABLE TRIGGER USER;"),
    refused("ALTER FOREIGN TABLE remote_orders OPTIONS (SET table_name 'orders_v2');"),
    refused("ALTER TABLE accounts ALTER COLUMN id RESTART WITH 1;"),
    refused("ALTER TABLE ALL IN TABLESPACE slow SET TABLESPACE fast;"),
    refused("ALTER TABLE accounts OWNER TO dba;"),
    refused("CREATE POLICY p ON accounts AS RESTRICTIVE USING (tenant = 1);"),
    refused("ALTER TABLE accounts REPLICA IDENTITY NOTHING;"),
    refused("CREATE RULE no_del AS ON DELETE TO accounts DO INSTEAD NOTHING;"),
    refused("ALTER SCHEMA app OWNER TO dba;"),
    refused("ALTER SEQUENCE accounts_id_seq MAXVALUE 100;"),
    refused("ALTER SEQUENCE accounts_id_seq RESTART WITH 1;"),
    refused("ALTER TABLE accounts ALTER COLUMN id SET GENERATED ALWAYS;"),
    refused("ALTER TEXT SEARCH CONFIGURATION en DROP MAPPING FOR word;"),
  ],
  "roles and databases": [
    refused("ALTER DATABASE app WITH ALLOW_CONNECTIONS false;"),
    refused("ALTER DATABASE app CONNECTION LIMIT 5;"),
    refused("ALTER ROLE app NOLOGIN;"),
    refused("ALTER ROLE app PASSWORD 'new';"),
    refused("ALTER ROLE app SET search_path = v2, public;"),
  ],
  "long work under a held lock": [
    refused(`CREATE TRIGGER touch BEFORE UPDATE ON coupons FOR EACH ROW EXECUTE FUNCTION touch();
SELECT count(*) FROM coupons;`),
    refused(`ALTER TABLE orders ADD COLUMN note text;
SELECT count(*) FROM orders;`),
    refused(`ALTER TABLE orders ADD COLUMN note text;
CREATE TABLE order_stats AS SELECT customer, count(*) FROM orders GROUP BY 1;`),
    refused(`ALTER TABLE orders ADD COLUMN note text;
CREATE TABLE ids (id bigint);
INSERT INTO ids SELECT id FROM orders UNION ALL SELECT id FROM lines;`),
    refused(`ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE lines VALIDATE CONSTRAINT lines_ok;`),
    refused(
      `ALTER TABLE a ADD COLUMN x int;
ALTER TABLE b VALIDATE CONSTRAINT c;`,
      { phase: "contract" },
    ),
    refused(`CREATE TABLE tags (order_id bigint REFERENCES orders (id));
INSERT INTO tags SELECT id FROM orders;`),
  ],
  "the runner's guards turned off": [
    refused(`SET lock_timeout TO '10min';
ALTER TABLE coupons ADD COLUMN note text;`),
    refused("DISCARD ALL;", { noTransaction: true }),
    refused(`SET LOCAL lock_timeout = '1h';
ALTER TABLE orders ADD COLUMN note text;`),
    refused(`SET lock_timeout = 0;
ALTER TABLE orders ADD COLUMN note text;`),
    refused(`RESET ALL;
ALTER TABLE orders ADD COLUMN note text;`),
    refused(`SET session_replication_role = replica;
UPDATE orders SET total = 0 WHERE id BETWEEN 1 AND 100;`),
  ],
  "a part of a key taken for a key": [
    refused("UPDATE seats SET price = 0 WHERE event = 7;", {
      before: ["CREATE TABLE seats (event bigint, number int, price int, PRIMARY KEY (event, number));"],
    }),
    refused("UPDATE posts SET score = 0 WHERE tenant = 3;", {
      before: [
        "CREATE TABLE posts (id bigint PRIMARY KEY, tenant int, slug text, score int, UNIQUE (tenant, slug));",
      ],
    }),
  ],
  "bounds that bound nothing": [
    refused(
      "DELETE FROM posts WHERE id IN (SELECT id FROM posts WHERE id > 0 ORDER BY random() LIMIT 100000000);",
    ),
    refused("DELETE FROM posts WHERE id >= 0 AND id <= (1e18)::bigint;"),
    refused("UPDATE orders SET total = 0 WHERE id > 0 AND id < 9000000000000;"),
    refused(
      "UPDATE orders SET total = 0 WHERE id IN (SELECT id FROM orders WHERE id > 0 ORDER BY id LIMIT ALL);",
    ),
    refused("UPDATE orders SET total = 0 WHERE id BETWEEN 0 AND 9223372036854775807;"),
  ],
  "rows locked without UPDATE or DELETE": [
    refused("DECLARE c CURSOR WITH HOLD FOR SELECT id FROM orders FOR UPDATE;"),
    refused("SELECT id FROM orders FOR UPDATE;"),
    refused(
      "INSERT INTO orders (id, total) SELECT id, total FROM staging ON CONFLICT (id) DO UPDATE SET total = excluded.total;",
    ),
  ],
  "names that mean another object": [
    refused(`SET search_path TO blue;
CREATE TABLE accounts (id int);
DROP TABLE public.accounts;`),
    refused(`SELECT set_config('search_path', 'blue', true);
CREATE TABLE accounts (id int);
SELECT set_config('search_path', 'public', true);
DROP TABLE accounts;`),
    refused(`CREATE TEMP TABLE accounts AS SELECT * FROM public.accounts WHERE false;
ALTER TABLE public.accounts DROP COLUMN email;`),
  ],
  "a column that may have been there": [
    refused(`ALTER TABLE accounts ADD COLUMN IF NOT EXISTS status text;
ALTER TABLE accounts ALTER COLUMN status SET DEFAULT 'new';`),
  ],
  "a proof that is gone": [
    refused("ALTER TABLE posts ALTER COLUMN slug SET NOT NULL;", {
      phase: "contract",
      before: [
        "ALTER TABLE posts ADD CONSTRAINT nn CHECK (slug IS NOT NULL) NOT VALID;",
        "ALTER TABLE posts VALIDATE CONSTRAINT nn;",
        "ALTER TABLE posts RENAME CONSTRAINT nn TO mm;",
        "ALTER TABLE posts DROP CONSTRAINT mm;",
      ],
    }),
    refused("ALTER TABLE posts ALTER COLUMN slug SET NOT NULL;", {
      phase: "contract",
      before: [
        "ALTER TABLE posts ADD CONSTRAINT nn CHECK (slug IS NOT NULL) NOT VALID;",
        "ALTER TABLE posts VALIDATE CONSTRAINT nn;",
        "DROP TABLE posts;",
        "CREATE TABLE posts (id bigint PRIMARY KEY, slug text);",
      ],
    }),
  ],
  "NULL in disguise": [refused("ALTER TABLE accounts ADD COLUMN note text NOT NULL DEFAULT NULL::text;")],
  "options that are off": [refused("REINDEX (CONCURRENTLY off) TABLE orders;", { noTransaction: true })],
  "an own function with a built-in name": [
    refused("ALTER TABLE accounts ADD COLUMN n uuid DEFAULT ids.concat();"),
  ],
  "a new enum value used at once": [
    refused(`ALTER TYPE shop.state ADD VALUE IF NOT EXISTS 'held';
INSERT INTO defaults (name, state) VALUES ('x', 'held');`),
    refused(`ALTER TYPE mood ADD VALUE 'calm';
UPDATE people SET mood = 'calm' WHERE id = 4;`),
  ],
  "defaults that are the same for every row": [
    accepted("ALTER TABLE coupons ADD COLUMN month text NOT NULL DEFAULT to_char(current_date, 'MM');"),
    accepted("ALTER TABLE accounts ADD COLUMN h bytea DEFAULT sha256('x');"),
    accepted("ALTER TABLE accounts ADD COLUMN salt bytea DEFAULT decode('00ff','hex');"),
    accepted("ALTER TABLE accounts ADD COLUMN joined_epoch bigint DEFAULT extract(epoch FROM now());"),
    accepted("ALTER TABLE accounts ADD COLUMN span tstzrange DEFAULT tstzrange(NULL, NULL);"),
    accepted("ALTER TABLE accounts ADD COLUMN joined_on text DEFAULT to_char(now(), 'YYYY');"),
  ],
  "own new columns, and wider types": [
    accepted("ALTER TABLE coupons ALTER COLUMN code TYPE varchar(200);", {
      before: ["CREATE TABLE coupons (id bigint PRIMARY KEY, code varchar(100));"],
    }),
    accepted("ALTER TABLE accounts ADD COLUMN n int, ALTER COLUMN n SET DEFAULT 7;"),
    accepted(`ALTER TABLE orders ADD COLUMN k int DEFAULT 0;
ALTER TABLE orders ALTER COLUMN k DROP DEFAULT;`),
    accepted(`ALTER TABLE orders ADD COLUMN n int;
ALTER TABLE orders DROP COLUMN n;`),
    accepted(`ALTER TABLE orders ADD COLUMN n int;
ALTER TABLE orders ALTER COLUMN n TYPE bigint;`),
  ],
  "indexes that hold up nobody": [
    accepted(`CREATE TABLE IF NOT EXISTS notes (id bigint PRIMARY KEY, body text);
CREATE INDEX IF NOT EXISTS notes_body ON notes (body);`),
    accepted("CREATE INDEX events_at ON ONLY events (at);"),
  ],
  "own new objects": [
    accepted(`CREATE FOREIGN TABLE ft (id int) SERVER w;
DROP FOREIGN TABLE ft;`),
    accepted(`CREATE TYPE fr AS RANGE (SUBTYPE = float8);
DROP TYPE fr;`),
    accepted(`CREATE SCHEMA s2 CREATE TABLE a (id int);
ALTER TABLE s2.a ADD COLUMN n int NOT NULL;`),
    accepted(`CREATE VIEW v1 AS SELECT 1;
ALTER VIEW v1 RENAME TO v2;
DROP VIEW v2;`),
    accepted(`CREATE TABLE pg_temp.accounts (id int);
ALTER TABLE accounts ADD COLUMN n int NOT NULL;`),
  ],
  "options, bounds and proofs that are right": [
    accepted("EXPLAIN UPDATE orders SET total = 0;"),
    accepted("ALTER TABLE posts ALTER COLUMN slug SET NOT NULL;", {
      phase: "contract",
      before: [
        "ALTER TABLE posts ADD CONSTRAINT nn CHECK (slug IS NOT NULL AND tenant IS NOT NULL) NOT VALID;",
        "ALTER TABLE posts VALIDATE CONSTRAINT nn;",
      ],
    }),
    accepted("ALTER TABLE posts ALTER COLUMN slug SET NOT NULL;", {
      phase: "contract",
      before: [
        "ALTER TABLE posts ADD CHECK (slug IS NOT NULL) NOT VALID;",
        "ALTER TABLE posts VALIDATE CONSTRAINT posts_slug_check;",
      ],
    }),
    accepted("DELETE FROM posts WHERE id BETWEEN SYMMETRIC 9 AND 1;"),
    accepted("UPDATE posts SET score = 0 WHERE id IN (VALUES (1), (2));"),
    accepted("VACUUM (FULL off) orders;", { noTransaction: true }),
  ],
  "a wider type": [
    ...["text USING code::text", "text USING code", "varchar(200)"].map((type) =>
      accepted(`ALTER TABLE coupons ALTER COLUMN code TYPE ${type};`, { before: [coupons] }),
    ),
    accepted("ALTER TABLE coupons ALTER COLUMN lasts TYPE interval(6);", { before: [coupons] }),
    accepted("ALTER TABLE coupons ALTER COLUMN lasts TYPE interval;", { before: [coupons] }),
    accepted("ALTER TABLE coupons ALTER COLUMN net TYPE inet;", { before: [coupons] }),
    refused("ALTER TABLE coupons ALTER COLUMN lasts TYPE interval(1);", { before: [coupons] }),
    refused("ALTER TABLE coupons ALTER COLUMN lasts TYPE interval day to second (6);", { before: [coupons] }),
    refused("ALTER TABLE coupons ALTER COLUMN code TYPE text USING lower(code);", { before: [coupons] }),
    refused("ALTER TABLE coupons ALTER COLUMN code TYPE text USING note;", { before: [coupons] }),
    refused("ALTER TABLE coupons ALTER COLUMN code TYPE text USING code::char(3)::text;", {
      before: [coupons],
    }),
  ],
  "a wider type of a column that PostgreSQL looks at again": [
    ...[
      "ALTER TABLE coupons ADD CHECK (code <> '');",
      "CREATE INDEX ON coupons (lower(code));",
      "CREATE INDEX i ON coupons (id) WHERE code <> '';",
      "CREATE INDEX i ON coupons (code) WHERE id > 0;",
      "CREATE VIEW codes AS SELECT code FROM coupons;",
      "CREATE VIEW codes AS SELECT * FROM coupons;",
    ].map((more) => refused("ALTER TABLE coupons ALTER COLUMN code TYPE text;", { before: [coupons, more] })),
    ...[
      "ALTER TABLE coupons ADD CHECK (note <> '');",
      "ALTER TABLE coupons ADD CHECK (code <> '') NOT VALID;",
      "CREATE INDEX ON coupons (code);",
      "CREATE INDEX ON coupons (lower(note)) WHERE id > 0;",
      "CREATE VIEW notes AS SELECT note FROM coupons;",
      "CREATE INDEX i ON coupons (lower(code));\nDROP INDEX i;",
      "CREATE VIEW codes AS SELECT code FROM coupons;\nDROP VIEW codes;",
    ].map((more) =>
      accepted("ALTER TABLE coupons ALTER COLUMN code TYPE text;", { before: [coupons, more] }),
    ),
  ],
  "a view of the same file over tables of others": [
    ...["UPDATE v SET total = 0;", "DELETE FROM v;", "LOCK TABLE v;", "SELECT * FROM v FOR UPDATE;"].map(
      (sql) => refused(`CREATE VIEW v AS SELECT * FROM orders;\n${sql}`),
    ),
    refused("CREATE VIEW v AS SELECT * FROM orders;\nCREATE VIEW w AS SELECT * FROM v;\nDELETE FROM w;"),
    refused(`CREATE VIEW v AS SELECT * FROM orders;
ALTER TABLE lines ADD COLUMN note text;
SELECT count(*) FROM v;`),
    accepted("CREATE TABLE own (id int);\nCREATE VIEW v AS SELECT * FROM own;\nDELETE FROM v;"),
    accepted("CREATE TABLE own AS SELECT * FROM orders;\nDELETE FROM own;"),
  ],
  "what was prepared or opened before the lock": [
    refused(`PREPARE p AS SELECT count(*) FROM orders;
ALTER TABLE orders ADD COLUMN note text;
EXECUTE p;`),
    refused(`DECLARE c CURSOR FOR SELECT id FROM orders;
ALTER TABLE orders ADD COLUMN note text;
FETCH ALL FROM c;`),
    refused("ALTER TABLE orders ADD COLUMN note text;\nPREPARE p AS SELECT count(*) FROM orders;"),
    accepted("PREPARE p AS SELECT count(*) FROM orders;\nEXECUTE p;"),
  ],
  "a default of others' own functions and operators": [
    refused("ALTER TABLE accounts ADD COLUMN n timestamptz DEFAULT now(123);"),
    refused("ALTER TABLE accounts ADD COLUMN n boolean DEFAULT 'a' === 'b';"),
    refused("ALTER TABLE accounts ADD COLUMN n int DEFAULT 1 OPERATOR(app.+) 2;"),
    refused(`CREATE FUNCTION lower(label) RETURNS text LANGUAGE sql AS $$ SELECT random()::text $$;
ALTER TABLE accounts ADD COLUMN n text DEFAULT lower('a'::label);`),
    refused(`CREATE OPERATOR + (LEFTARG = label, RIGHTARG = label, FUNCTION = mix);
ALTER TABLE accounts ADD COLUMN n text DEFAULT 'a'::label + 'b'::label;`),
    accepted("ALTER TABLE accounts ADD COLUMN n date DEFAULT current_date + 1;"),
    accepted("ALTER TABLE accounts ADD COLUMN n timestamptz DEFAULT (now() AT TIME ZONE 'utc');"),
    accepted("ALTER TABLE accounts ADD COLUMN n text DEFAULT upper('a') || 'b';"),
  ],
  "a constraint added again": [
    ...[
      "FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE NOT VALID",
      "FOREIGN KEY (customer) REFERENCES customers (id) NOT VALID",
      "FOREIGN KEY (customer) REFERENCES customers NOT VALID",
    ].map((again) =>
      accepted(
        `ALTER TABLE orders DROP CONSTRAINT payer;\nALTER TABLE orders ADD CONSTRAINT payer ${again};`,
        {
          before: [orders],
        },
      ),
    ),
    accepted(
      "ALTER TABLE orders DROP CONSTRAINT payer, ADD CONSTRAINT payer FOREIGN KEY (customer) REFERENCES customers (id) NOT VALID;",
      { before: [orders] },
    ),
    accepted("ALTER TABLE orders DROP CONSTRAINT sum, ADD CONSTRAINT sum CHECK (total > 0) NOT VALID;", {
      before: [orders],
    }),
    ...[
      "FOREIGN KEY (customer) REFERENCES people (id) NOT VALID",
      "FOREIGN KEY (id) REFERENCES customers (id) NOT VALID",
      "FOREIGN KEY (customer) REFERENCES customers (number) NOT VALID",
      "FOREIGN KEY (customer) REFERENCES customers (id) MATCH FULL NOT VALID",
      "FOREIGN KEY (customer) REFERENCES customers (id) DEFERRABLE NOT VALID",
      "CHECK (customer > 0) NOT VALID",
    ].map((other) =>
      refused(
        `ALTER TABLE orders DROP CONSTRAINT payer;\nALTER TABLE orders ADD CONSTRAINT payer ${other};`,
        {
          before: [orders],
        },
      ),
    ),
    refused("ALTER TABLE orders DROP CONSTRAINT sum, ADD CONSTRAINT sum CHECK (total > 1) NOT VALID;", {
      before: [orders],
    }),
    // What the live version deletes with its customer stays from then on, and refuses it.
    refused(
      "ALTER TABLE orders DROP CONSTRAINT seller, ADD CONSTRAINT seller FOREIGN KEY (seller) REFERENCES customers (id) NOT VALID;",
      { before: [orders] },
    ),
    // In a later file, the live version has written what it refuses.
    refused(
      "ALTER TABLE orders ADD CONSTRAINT payer FOREIGN KEY (customer) REFERENCES customers (id) NOT VALID;",
      {
        before: [orders, "ALTER TABLE orders DROP CONSTRAINT payer;"],
      },
    ),
  ],
  "functions that only triggers call": [
    accepted("DROP TRIGGER t ON orders;\nDROP FUNCTION touch();", { before: [touch], phase: "contract" }),
    accepted("DROP FUNCTION touch;", { before: [touch] }),
    accepted("ALTER FUNCTION touch() RENAME TO stamp;", { before: [touch] }),
    refused("DROP FUNCTION touch() CASCADE;", { before: [touch] }),
    refused("DROP FUNCTION touch(int);", { before: [`${touch}\n${overload}`] }),
    refused("ALTER FUNCTION touch(int) RENAME TO stamp;", { before: [`${touch}\n${overload}`] }),
    refused("DROP FUNCTION stamp();", { before: [touch] }),
  ],
  "a type renamed and dropped": [
    // Found once, where its name goes.
    refused(`ALTER TYPE mood RENAME TO mood_old;
CREATE TYPE mood AS ENUM ('ok');
DROP TYPE mood_old;`),
    refused("DROP TYPE mood_old;", { before: ["ALTER TYPE mood RENAME TO mood_old;"] }),
  ],
  "constraints that come with a column": [
    accepted("ALTER TABLE accounts ADD COLUMN zip bytea CHECK (octet_length(zip) = 32) NOT ENFORCED;"),
    accepted("ALTER TABLE accounts ADD COLUMN IF NOT EXISTS city bigint REFERENCES cities;"),
    accepted("ALTER TABLE accounts ADD FOREIGN KEY (city) REFERENCES cities NOT ENFORCED;"),
    refused("ALTER TABLE accounts ADD COLUMN zip bytea CHECK (octet_length(zip) = 32);"),
    refused("ALTER TABLE accounts ADD COLUMN city bigint DEFAULT 1 REFERENCES cities;"),
    refused(
      "ALTER TABLE accounts ADD COLUMN city bigint NOT NULL DEFAULT 1 REFERENCES cities NOT DEFERRABLE;",
    ),
  ],
  "numbers of a sequence set": [
    refused("SELECT setval('order_numbers', 1);"),
    refused("SELECT setval('order_numbers'::regclass, 500, false);"),
    refused("SELECT setval(pg_get_serial_sequence('orders', 'id'), 1);"),
    accepted("SELECT setval('order_numbers', (SELECT max(id) FROM orders));"),
    accepted("CREATE SEQUENCE s;\nSELECT setval('s', 500);"),
    accepted("CREATE TABLE tags (id bigserial PRIMARY KEY);\nSELECT setval('public.tags_id_seq', 500);"),
    refused("CREATE TABLE tags (id bigserial PRIMARY KEY);\nSELECT setval('app.tags_id_seq', 500);"),
  ],
  "settings that are not named, or that nobody takes back": [
    refused("SELECT set_config(name, '0', true) FROM (VALUES ('lock_timeout')) AS v (name);"),
    refused("SET TRANSACTION READ ONLY;"),
    refused("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;"),
    refused("SET SESSION AUTHORIZATION app;"),
    accepted("SET TRANSACTION READ WRITE;"),
    accepted("RESET SESSION AUTHORIZATION;"),
    accepted("SET LOCAL ROLE app;"),
  ],
  "an index that comes with its table": [
    accepted(`CREATE TABLE IF NOT EXISTS notes (id bigint PRIMARY KEY, body text);
CREATE INDEX IF NOT EXISTS notes_body ON notes (body);
ALTER TABLE orders ADD COLUMN note text;`),
    refused(`CREATE TABLE IF NOT EXISTS notes (id bigint PRIMARY KEY, body text);
CREATE INDEX notes_body ON notes (body);`),
  ],
};

/** What a recipe has to hold, and what it must not, for SQL whose meaning earlier recipes have changed. */
export interface RecipeCase {
  sql: string;
  holds: string[];
  lacks?: string[];
}

export const recipeCases: RecipeCase[] = [
  {
    sql: "CREATE UNIQUE INDEX one ON posts USING btree (tenant, lower(slug) DESC) INCLUDE (score) WHERE score > 0;",
    holds: [
      "CREATE UNIQUE INDEX CONCURRENTLY one ON posts USING btree (tenant, lower(slug) DESC) INCLUDE (score) WHERE score > 0;",
    ],
  },
  {
    sql: "CREATE INDEX ON app.posts (slug);",
    holds: ["CREATE INDEX CONCURRENTLY posts_slug_idx ON app.posts (slug);"],
  },
  {
    sql: "ALTER TABLE lines ADD CONSTRAINT l FOREIGN KEY (order_id) REFERENCES sales.orders (uid) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED;",
    holds: [
      "FOREIGN KEY (order_id) REFERENCES sales.orders (uid) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID;",
      "ALTER TABLE lines VALIDATE CONSTRAINT l;",
    ],
  },
  {
    sql: "ALTER TABLE lines ADD PRIMARY KEY (id);",
    holds: [
      "CHECK (id IS NOT NULL) NOT VALID;",
      "ALTER TABLE lines ALTER COLUMN id SET NOT NULL;",
      "PRIMARY KEY USING INDEX lines_pkey;",
    ],
    lacks: ["UNIQUE USING INDEX"],
  },
  {
    sql: "ALTER TABLE lines ADD COLUMN code text UNIQUE;",
    holds: [
      "ALTER TABLE lines ADD COLUMN code text;",
      "CREATE UNIQUE INDEX CONCURRENTLY lines_code_key ON lines (code);",
    ],
  },
  {
    sql: "ALTER TABLE lines ADD COLUMN a interval(3) NOT NULL;",
    holds: ["ALTER TABLE lines ADD COLUMN a interval(3);"],
    lacks: ["32767"],
  },
  {
    sql: "ALTER TYPE address DROP ATTRIBUTE zip;",
    holds: ["ALTER TYPE address DROP ATTRIBUTE zip;"],
    lacks: ["ALTER TABLE"],
  },
];
