import { randomBytes } from "node:crypto";
import { escapeIdentifier } from "pg";
import { colors, otherColor, type Color } from "../app/color.js";
import { whyNoAccount } from "../postgres/account.js";
import { findColorUrl } from "../databases/colorDatabases.js";
import { secretOf, type DatabaseSecrets } from "../databases/databaseSecrets.js";
import { whyNoSubscription } from "../replication/logicalReplication/subscription.js";
import { askedDatabase, type MigrationsConfig } from "../migrations/ownMigrations.js";
import { withoutPasswords, trying } from "../postgres/appDatabase.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { findSecretValue } from "../kubernetes/secretValue.js";
import { NotAskedError } from "../postgres/reachable.js";
import { codeOf, Session } from "../postgres/session.js";
import { asAdministrator } from "../postgres/administrator.js";
import type { Queryable } from "../postgres/client.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Settings } from "../config/settings.js";
import { broken, well, type Finding } from "../util/finding.js";

type Asked = MigrationsConfig &
  Pick<Settings, "database" | "databaseSecret" | "databaseAccount" | "namespacePerColor">;

/**
 * Whether the databases answer from here, and let the release do its work. What is tried for that is rolled
 * back.
 */
export async function examineDatabases(cluster: Cluster, settings: Asked): Promise<Finding[]> {
  const {
    database: { strategy, runIn },
    databaseSecret,
    databaseAccount,
    namespacePerColor,
  } = settings;
  if (strategy === "none") return [well("database", "the app has none that a release would have to know of")];
  if (askedDatabase(settings) === undefined && databaseAccount === undefined)
    return [well("database", "a release asks nothing of it: there are no migrations for it to apply")];
  if (runIn === "cluster") return [well("database", `not asked: ${new NotAskedError().message}`)];
  const admin =
    databaseAccount === undefined
      ? []
      : [await examine("databaseAdminUrl", databaseAccount.adminUrl, checkAdmin)];
  // Colors that share a Secret share what it points to.
  const asked: readonly Color[] = strategy === "shared" && !namespacePerColor ? ["blue"] : colors;
  const checkAdminUrl = strategy === "shared" ? undefined : serverChecks[strategy];
  const own = await Promise.all(
    asked.map(async (color): Promise<Finding[]> => {
      const secret = secretOf(cluster, { strategy, databaseSecret }, color);
      const at = `Secret ${secret.namespace}/${secret.name}`;
      const [url, adminUrl] = await Promise.all([
        findColorUrl(cluster, { strategy, databaseSecret }, color),
        findSecretValue(cluster, secret, "admin-url"),
      ]);
      // One that is not there is a finding about Secrets, or the program is still to make it.
      return Promise.all([
        ...(url === undefined ? [] : [examine(at, url, checkSchema)]),
        ...(adminUrl === undefined || checkAdminUrl === undefined
          ? []
          : [examine(`${at}, admin-url`, adminUrl, checkAdminUrl)]),
      ]);
    }),
  );
  const peers =
    strategy === "logicalReplication"
      ? await Promise.all(colors.map((color) => examinePeer(cluster, { strategy, databaseSecret }, color)))
      : [];
  return [...admin, ...own.flat(), ...peers.flat()];
}

/**
 * Whether the database of a color may be followed by the other color's, by its peer-url: only that server can
 * tell.
 */
async function examinePeer(cluster: Cluster, secrets: DatabaseSecrets, color: Color): Promise<Finding[]> {
  const { namespace, name } = secretOf(cluster, secrets, color);
  const [peerUrl, otherUrl] = await Promise.all([
    findSecretValue(cluster, { namespace, name }, "peer-url"),
    findSecretValue(cluster, secretOf(cluster, secrets, otherColor(color)), "admin-url"),
  ]);
  if (peerUrl === undefined || otherUrl === undefined) return [];
  const at = `Secret ${namespace}/${name}, peer-url`;
  // That the other server does not answer, or is no superuser's, is a finding of its own.
  const why = await whyNoSubscription(otherUrl, peerUrl).catch(messageOf);
  if (why === undefined) return [well("database", `${at}: the server of ${otherColor(color)} may follow it`)];
  return [
    broken(
      "database",
      `${at}: the server of ${otherColor(color)} may not follow it: ${messageOf(withoutPasswords(new Error(why), [peerUrl, otherUrl]))}`,
      `a role with REPLICATION that may read every table, and that server's address in pg_hba.conf: docs/guides/databases.md`,
    ),
  ];
}

/** @param at where the URL is from: what it points to is said without its password */
type Check = (at: string, url: string) => Promise<Finding>;

async function examine(at: string, url: string, check: Check): Promise<Finding> {
  try {
    return await check(at, url);
  } catch (error) {
    const safe = withoutPasswords(error, [url]);
    const [says = "", next = "what it says"] = messageOf(safe).split(/\n {2}(?:next|code): /);
    if (error instanceof UserError)
      return broken("database", `${at}: ${says.replaceAll(/\s*\n\s*/g, "; ")}`, next);
    return broken(
      "database",
      `${at}: no database answers from here: ${messageOf(safe)}`,
      "correct the URL, or open the way; where pods have another one, the key direct-url of the Secret is the one for the release",
    );
  }
}

/**
 * Migrations make and change tables, and only their owner may change them; they hold a lock, which only a
 * session of its own can.
 */
const checkSchema: Check = (at, url) =>
  trying(url, async (db) => {
    const [schema] = db.schemas;
    const { rows } = await db.query<{ role: string; database: string; version: string; foreign: string[] }>(
      `SELECT current_user AS role, current_database() AS database, current_setting('server_version') AS version,
              ARRAY(SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1) AS foreign`,
      [schema],
    );
    const [found] = rows;
    if (found === undefined) throw new Error("it answered with nothing");
    const { role, database, version, foreign } = found;
    const who = `${at}: ${role} in ${database} (PostgreSQL ${version})`;
    if (foreign.length > 0)
      return broken(
        "database",
        `${who} does not own ${foreign.slice(0, 5).join(", ")}${foreign.length > 5 ? ` and ${foreign.length - 5} more` : ""}, and could not change them`,
        `ALTER TABLE ${foreign[0] ?? ""} OWNER TO "${role}", or GRANT their owner TO "${role}"`,
      );
    const why = schema === undefined ? "no schema of its search_path is there" : await whyNoTable(db, schema);
    if (why !== undefined)
      return broken(
        "database",
        `${who} may not create tables in its schema: ${why}`,
        `GRANT CREATE, USAGE ON SCHEMA ${schema ?? "public"} TO "${role}", as its owner`,
      );
    if (await isPooled(url))
      return broken(
        "database",
        `${who}: two connections get one session, so a pooler is between, and no lock would hold`,
        "give the Secret a key direct-url, with a URL past the pooler",
      );
    return well("database", `${who} may change the schema`);
  });

/** SQLSTATE of a database that takes no writes now: the idle color's, which has what the live one has. */
const readOnly = "25006";

/** Makes one, which goes with the transaction. */
async function whyNoTable(db: Queryable, schema: string): Promise<string | undefined> {
  try {
    await db.query(
      `CREATE TABLE ${escapeIdentifier(schema)}.bluegreen_try_${randomBytes(8).toString("hex")} (id int)`,
    );
    return undefined;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return codeOf(error) === readOnly ? undefined : messageOf(error);
  }
}

async function isPooled(url: string): Promise<boolean> {
  try {
    const session = await Session.open(url);
    await session.close();
    return false;
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
}

const checkAdmin: Check = async (at, url) => {
  const role = await roleOf(url);
  const why = await whyNoAccount(url);
  if (why === undefined) return well("database", `${at}: ${role.name} may make role and database`);
  return broken(
    "database",
    `${at}: ${role.name} may not make roles and databases: ${why}`,
    `ALTER ROLE "${role.name}" CREATEROLE CREATEDB, as a superuser`,
  );
};

const checkSuperuser: Check = async (at, url) => {
  const { name, superuser } = await roleOf(url);
  if (superuser) return well("database", `${at}: ${name} is a superuser`);
  return broken(
    "database",
    `${at}: ${name} is no superuser`,
    `put a superuser's URL there, or ALTER ROLE "${name}" SUPERUSER`,
  );
};

const serverChecks: Record<"logicalReplication" | "streamingReplica", Check> = {
  streamingReplica: checkSuperuser,
  logicalReplication: async (at, url) => {
    const { level } = await roleOf(url);
    if (level === "logical") return checkSuperuser(at, url);
    return broken(
      "database",
      `${at}: wal_level is ${level}, and a color's database sends its changes by logical`,
      "ALTER SYSTEM SET wal_level = logical, then restart the server",
    );
  },
};

interface Role {
  name: string;
  superuser: boolean;
  /** wal_level of its server. */
  level: string;
}

function roleOf(adminUrl: string): Promise<Role> {
  return asAdministrator(adminUrl, ({ transaction }) =>
    transaction(async (db) => {
      const { rows } = await db.query<Role>(
        "SELECT current_user::text AS name, current_setting('is_superuser')::bool AS superuser, current_setting('wal_level') AS level",
      );
      const [role] = rows;
      if (role === undefined) throw new Error("it answered with nothing");
      return role;
    }),
  );
}
