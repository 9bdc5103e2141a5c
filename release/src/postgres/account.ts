import { randomBytes, createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { escapeIdentifier, escapeLiteral } from "pg";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { codeOf } from "./session.js";
import { ownerOf } from "../kubernetes/owner.js";
import { asAdministrator, Tried, type Administrator } from "./administrator.js";
import type { Queryable } from "./client.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Step } from "../util/step.js";
import { bluegreen } from "../util/bluegreenCommand.js";

/** What an account is made of. */
export type Account = {
  /** Connection of a role that may create roles and databases. Secret. */
  adminUrl: string;
  /** Name of the role and of the database that it owns. */
  name: string;
  /** Secret. */
  password: string;
};

export type DatabaseAccountInputs = ClusterRef &
  Account & {
    /** Whose account it is: the stack, with organization and project. */
    stack: string;
  };

export type DatabaseAccountOutputs = Record<string, never>;

/**
 * A role with its own database, made when missing. Nothing is ever dropped, and a password is never
 * changed under running pods: they have the old one, and would lose the database with their next connection.
 */
export const databaseAccount: Step<DatabaseAccountInputs, DatabaseAccountOutputs> = {
  check: () => Promise.resolve([]),

  // Another way for the administrator changes nothing about the account.
  async isNeeded(last, inputs) {
    if (last.name !== inputs.name) return true;
    const missing = await whatIsMissing(inputs);
    if (missing !== undefined) throw lost(inputs, missing);
    return last.password !== inputs.password;
  },

  isGone: async (last) => (await whatIsMissing(last)) !== undefined,

  async run(inputs) {
    await makeAccount(inputs, await ownerOf(connect(inputs), inputs.stack));
    return {};
  },
};

/**
 * Can be killed and called again at any point.
 * @param owner says on the server whose the account is
 * @throws UserError when it is somebody else's, or in use with another password
 */
export async function makeAccount({ adminUrl, name, password }: Account, owner: string): Promise<void> {
  try {
    await asAdministrator(adminUrl, async (administrator) => {
      const found = await administrator.transaction(async (db) => {
        const account = await findAccount(db, name);
        refuseForeign(name, owner, account);
        await makeRole(db, name, password, { isThere: account.role, owner });
        return account;
      });
      const { database, open } = found;
      if (!database || open)
        await asMember(administrator, name, () => makeDatabase(administrator, name, database));
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      {
        code: "BG-ACCOUNT-NOT-CREATED",
        what: `The database account ${name} could not be made`,
        rule: messageOf(error),
        next: `check databaseAdminUrl: the server must answer and the role needs CREATEROLE and CREATEDB; ${bluegreen} doctor tries both`,
      },
      { cause: error },
    );
  }
}

/**
 * Of an account that was made. An administrator who cannot be asked keeps nobody from continuing, or back: only
 * what is certainly gone counts. @returns what is not there any more
 */
async function whatIsMissing({ adminUrl, name }: Account): Promise<"role" | "database" | undefined> {
  try {
    return await asAdministrator(adminUrl, ({ transaction }) =>
      transaction(async (db) => {
        const { role, database } = await findAccount(db, name);
        return !role ? "role" : !database ? "database" : undefined;
      }),
    );
  } catch {
    return undefined;
  }
}

/** Of an account that was made, and that pods log in by. */
function lost({ adminUrl, name }: Account, missing: "role" | "database"): UserError {
  const { host } = new URL(adminUrl);
  return new UserError({
    code: "BG-DATABASE-REPLACED",
    what: `The database account ${name} is lost: the server at ${decodeURIComponent(host)} has no ${missing} ${name}`,
    rule: "this stack has made it, so the server or the database was replaced, or databaseAdminUrl points to another server",
    next: `on the wrong server: pulumi config set --secret databaseAdminUrl; if it was replaced: restore what was in it, if there is a backup, then pulumi up --refresh, which makes what is missing, empty, and runs the migrations`,
  });
}

interface Found {
  role: boolean;
  /** The comment on the role: whose it is. */
  owner: string | null;
  sessions: number;
  database: boolean;
  /** Of the database; null where there is none. */
  databaseOwner: string | null;
  /** Every role of the server may connect to it. */
  open: boolean;
}

async function findAccount(db: Queryable, name: string): Promise<Found> {
  const { rows } = await db.query<Found>(
    `SELECT r.oid IS NOT NULL AS role, shobj_description(r.oid, 'pg_authid') AS owner, d.oid IS NOT NULL AS database, pg_get_userbyid(d.datdba)::text AS "databaseOwner",
            (SELECT count(*)::int FROM pg_stat_activity WHERE usename = $1) AS sessions,
            EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) WHERE grantee = 0 AND privilege_type = 'CONNECT') AS open
       FROM (VALUES (1)) AS one LEFT JOIN pg_roles r ON r.rolname = $1 LEFT JOIN pg_database d ON d.datname = $1`,
    [name],
  );
  const [found] = rows;
  if (found === undefined) throw new Error("PostgreSQL gave no row");
  return found;
}

/** Not even a password that nobody uses now is changed: it is somebody's. */
function refuseForeign(name: string, owner: string, found: Found): void {
  if (found.role && found.owner !== owner) {
    throw new UserError({
      code: "BG-ACCOUNT-TAKEN",
      what: `The database account ${name} was not taken over: the role ${name} is there already, and ${found.owner === null ? "says of no stack that it has made it" : `belongs to ${found.owner}`}`,
      rule: `an account belongs to the stack and cluster that made it, here ${owner}; it is named after namespace and app`,
      next: `choose another namespace, or another server; if the account is this stack's (renamed, moved, or made by hand), as a role with CREATEROLE: COMMENT ON ROLE ${escapeIdentifier(name)} IS ${escapeLiteral(owner)}; then pulumi up`,
    });
  }
  if (found.databaseOwner !== null && found.databaseOwner !== name) {
    throw new UserError({
      code: "BG-ACCOUNT-TAKEN",
      what: `The database account ${name} was not made: there is a database ${name} already, of ${found.databaseOwner}`,
      rule: "an account owns its database, and none that is there is taken over",
      next: `choose another namespace, or another server; if it is this app's: ALTER DATABASE ${escapeIdentifier(name)} OWNER TO ${escapeIdentifier(name)}, once there is that role`,
    });
  }
  if (found.sessions > 0) {
    throw new UserError({
      code: "BG-ACCOUNT-IN-USE",
      what: `The password of the database account ${name} was not changed: it has ${found.sessions} open sessions`,
      rule: "pods that run have the old password, and would lose the database",
      next: `bring back the state that knows the password (pulumi stack import), or stop the pods first: SELECT pid, client_addr FROM pg_stat_activity WHERE usename = ${escapeLiteral(name)}`,
    });
  }
}

/** With its comment, so that no role of this program's is ever nobody's. */
async function makeRole(
  db: Queryable,
  name: string,
  password: string,
  { isThere, owner }: { isThere: boolean; owner: string },
): Promise<void> {
  await db.query(
    `${isThere ? "ALTER" : "CREATE"} ROLE ${escapeIdentifier(name)} LOGIN PASSWORD ${escapeLiteral(scramVerifier(password))}`,
  );
  await db.query(`COMMENT ON ROLE ${escapeIdentifier(name)} IS ${escapeLiteral(owner)}`);
}

/** Of the account alone: PostgreSQL lets every role of the server connect to a new database. */
async function makeDatabase(
  { alone, transaction }: Administrator,
  name: string,
  isThere: boolean,
): Promise<void> {
  const database = escapeIdentifier(name);
  if (!isThere) await alone(`CREATE DATABASE ${database} OWNER ${database}`);
  await transaction(async (db) => {
    await beOwner(db, name);
    await db.query(`REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
  });
}

/**
 * Who makes a database for a role has to be a member of it, which nobody is by making the role; afterwards no
 * longer. A superuser is one of every role.
 */
async function asMember(
  { transaction }: Administrator,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  const joined = await transaction((db) => join(db, name));
  try {
    await work();
  } finally {
    if (joined) await transaction((db) => db.query(`REVOKE ${escapeIdentifier(name)} FROM CURRENT_USER`));
  }
}

/** @returns whether that was needed */
async function join(db: Queryable, name: string): Promise<boolean> {
  const { rows } = await db.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  // Since PostgreSQL 16 being a member is one thing, and acting as the role another.
  const canChoose = (rows[0]?.version ?? 0) >= 160_000;
  const { rows: members } = await db.query<{ member: boolean }>(
    `SELECT pg_has_role(current_user, $1::name, '${canChoose ? "SET" : "MEMBER"}') AS member`,
    [name],
  );
  if (members[0]?.member === true) return false;
  await db.query(
    `GRANT ${escapeIdentifier(name)} TO CURRENT_USER${canChoose ? " WITH SET TRUE, INHERIT FALSE" : ""}`,
  );
  return true;
}

/** To the end of the transaction. */
async function beOwner(db: Queryable, name: string): Promise<void> {
  await db.query(`SET LOCAL ROLE ${escapeIdentifier(name)}`);
}

/**
 * Whether this administrator could make an account: tries each part of it, and leaves nothing behind.
 * @returns why not, as PostgreSQL says it; undefined when it could
 */
export async function whyNoAccount(adminUrl: string): Promise<string | undefined> {
  // Nobody else's: what is tried is there for others to see, though never for long.
  const name = `bluegreen_try_${randomBytes(8).toString("hex")}`;
  return asAdministrator(adminUrl, async ({ transaction, alone }) => {
    try {
      await transaction(async (db) => {
        await makeRole(db, name, name, { isThere: false, owner: "doctor" });
        await join(db, name);
        await beOwner(db, name);
        throw new Tried();
      });
    } catch (error) {
      if (!(error instanceof Tried)) return messageOf(error);
    }
    try {
      // Not in a transaction. Without the template that it names, there is an end to it after the right was
      // asked for.
      await alone(`CREATE DATABASE ${name} TEMPLATE ${name}`);
      return `it made ${name}, from a template that is not there`;
    } catch (error) {
      return codeOf(error) === undefinedDatabase ? undefined : messageOf(error);
    }
  });
}

/** SQLSTATE */
const undefinedDatabase = "3D000";

/** PostgreSQL's own default. */
const iterations = 4096;

/**
 * The verifier that PostgreSQL stores for a password (RFC 5803). Sending it instead of the
 * password keeps the password out of the server's log and of pg_stat_statements.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${hmac("Server Key").toString("base64")}`;
}
