import { colors, type Color } from "../color.js";
import { findColorUrl, secretOf } from "../database/colorDatabases.js";
import { withoutPasswords } from "../database/secrets.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { findSecretValue } from "../kubernetes/secretValue.js";
import { connected } from "../migrations/connected.js";
import type { Queryable } from "../migrations/session.js";
import { messageOf } from "../refusal.js";
import type { Settings } from "../settings/settings.js";
import { broken, well, type Finding } from "./finding.js";

type Asked = Pick<Settings, "database" | "databaseAccount" | "isolation">;

/** Whether the databases answer from here, and let the release do its work. Nothing is written in any of them. */
export async function examineDatabases(cluster: Cluster, settings: Asked): Promise<Finding[]> {
  const { database: { strategy }, databaseAccount, isolation } = settings;
  if (strategy === "none") return [well("database", "the app has none that a release would have to know of")];
  const admin = databaseAccount === undefined ? [] : [await examine("databaseAdminUrl", databaseAccount.adminUrl, lookAtAdmin)];
  // Colors that share a Secret share what it leads to.
  const asked: readonly Color[] = strategy === "shared" && isolation === "shared" ? ["blue"] : colors;
  const lookAtAdminUrl = strategy === "shared" ? undefined : lookAtServer[strategy];
  const own = await Promise.all(
    asked.map(async (color): Promise<Finding[]> => {
      const secret = secretOf(cluster, strategy, color);
      const at = `Secret ${secret.namespace}/${secret.name}`;
      const [url, adminUrl] = await Promise.all([findColorUrl(cluster, strategy, color), findSecretValue(cluster, secret, "admin-url")]);
      // One that is not there is a finding about Secrets, or the program is still to make it.
      return Promise.all([
        ...(url === undefined ? [] : [examine(at, url, lookAtSchema)]),
        ...(adminUrl === undefined || lookAtAdminUrl === undefined ? [] : [examine(`${at}, admin-url`, adminUrl, lookAtAdminUrl)]),
      ]);
    }),
  );
  return [...admin, ...own.flat()];
}

/** @param at where the URL is from: what it leads to is said without its password */
type Look = (at: string, db: Queryable, url: string) => Promise<Finding>;

async function examine(at: string, url: string, look: Look): Promise<Finding> {
  try {
    return await connected(url, (db) => look(at, db, url));
  } catch (error) {
    return broken("database", `${at}: no database answers from here: ${messageOf(withoutPasswords(error, [url]))}`, "correct the URL, or open the way; where pods have another one, the key direct-url of the Secret is the one for the release");
  }
}

/** Migrations change tables, which only their owner may, and hold a lock, which only a session of its own can. */
const lookAtSchema: Look = async (at, db, url) => {
  const { rows } = await db.query<{ role: string; database: string; version: string; creates: boolean; foreign: string[]; pid: number }>(
    `SELECT current_user AS role, current_database() AS database, current_setting('server_version') AS version, pg_backend_pid() AS pid,
            coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS creates,
            ARRAY(SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT pg_has_role(relowner, 'USAGE') ORDER BY 1) AS foreign`,
  );
  const [found] = rows;
  if (found === undefined) throw new Error("it answered with nothing");
  const { role, database, version, creates, foreign, pid } = found;
  const who = `${at}: ${role} in ${database} (PostgreSQL ${version})`;
  if (!creates) return broken("database", `${who} may not create tables in its schema`, `GRANT CREATE, USAGE ON SCHEMA public TO "${role}", as its owner`);
  if (foreign.length > 0) return broken("database", `${who} does not own ${foreign.slice(0, 5).join(", ")}${foreign.length > 5 ? ` and ${foreign.length - 5} more` : ""}, and could not change them`, `ALTER TABLE ${foreign[0] ?? ""} OWNER TO "${role}", or GRANT their owner TO "${role}"`);
  const isPooled = await connected(url, async (other) => (await other.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid === pid);
  if (isPooled) return broken("database", `${who}: two connections get one session, so a pooler is between, and no lock would hold`, "give the Secret a key direct-url, with a URL past the pooler");
  return well("database", `${who} may change the schema`);
};

const lookAtAdmin = lookAtRole("rolsuper OR (rolcreaterole AND rolcreatedb)", {
  can: (role) => `${role} may make role and database`,
  cannot: (role) => [`${role} may not make roles and databases`, `ALTER ROLE "${role}" CREATEROLE CREATEDB, as a superuser`],
});

const lookAtSuperuser = lookAtRole("rolsuper", {
  can: (role) => `${role} is a superuser`,
  cannot: (role) => [`${role} is no superuser`, `put a superuser's URL there, or ALTER ROLE "${role}" SUPERUSER`],
});

interface RoleTexts {
  can: (role: string) => string;
  cannot: (role: string) => [says: string, next: string];
}

/** @param condition SQL, on the row of pg_roles of whoever asks */
function lookAtRole(condition: string, { can, cannot }: RoleTexts): Look {
  return async (at, db) => {
    const { rows } = await db.query<{ role: string; holds: boolean }>(`SELECT current_user AS role, ${condition} AS holds FROM pg_roles WHERE rolname = current_user`);
    const { role = "nobody", holds = false } = rows[0] ?? {};
    if (holds) return well("database", `${at}: ${can(role)}`);
    const [says, next] = cannot(role);
    return broken("database", `${at}: ${says}`, next);
  };
}

const lookAtServer: Record<"perColor" | "replica", Look> = {
  replica: lookAtSuperuser,
  perColor: async (at, db, url) => {
    const { rows } = await db.query<{ level: string }>("SELECT current_setting('wal_level') AS level");
    const level = rows[0]?.level ?? "unknown";
    if (level === "logical") return lookAtSuperuser(at, db, url);
    return broken("database", `${at}: wal_level is ${level}, and a color's database sends its changes by logical`, "ALTER SYSTEM SET wal_level = logical, then restart the server");
  },
};
