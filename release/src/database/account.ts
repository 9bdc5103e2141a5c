import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { messageOf, Refusal } from "../refusal.js";
import type { Step } from "../step.js";
import { scramVerifier } from "./scram.js";

export type DatabaseAccountInputs = {
  /** Connection of a role that may create roles and databases. Secret. */
  adminUrl: string;
  /** Name of the role and of the database that it owns. */
  name: string;
  /** Secret. */
  password: string;
};

export type DatabaseAccountOutputs = Record<string, never>;

/**
 * A role with its own database, made when missing. Nothing is ever dropped, and a password is never
 * changed under running pods: they have the old one, and would lose the database with their next connection.
 */
export const databaseAccount: Step<DatabaseAccountInputs, DatabaseAccountOutputs> = {
  check: () => Promise.resolve([]),

  // Another way for the administrator changes nothing about the account.
  isNeeded: (last, inputs) => Promise.resolve(last.name !== inputs.name || last.password !== inputs.password),

  async run({ adminUrl, name, password }) {
    const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000, application_name: "bluegreen account" });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const role = escapeIdentifier(name);
      const { rows } = await client.query<{ role: boolean; database: boolean; sessions: number }>(
        `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS role,
                EXISTS (SELECT FROM pg_database WHERE datname = $1) AS database,
                (SELECT count(*)::int FROM pg_stat_activity WHERE usename = $1) AS sessions`,
        [name],
      );
      const found = rows[0] ?? { role: false, database: false, sessions: 0 };
      if (found.sessions > 0) throw inUse(name, found.sessions);
      await client.query(`${found.role ? "ALTER" : "CREATE"} ROLE ${role} LOGIN PASSWORD ${escapeLiteral(scramVerifier(password))}`);
      if (!found.database) await client.query(`CREATE DATABASE ${role} OWNER ${role}`);
      return {};
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal(
        {
          what: `The database account ${name} could not be made`,
          rule: messageOf(error),
          next: "check databaseAdminUrl: the server must answer and the role needs CREATEROLE and CREATEDB",
        },
        { cause: error },
      );
    } finally {
      await client.end();
    }
  },
};

function inUse(name: string, sessions: number): Refusal {
  return new Refusal({
    what: `The password of the database account ${name} was not changed: it has ${sessions} open sessions`,
    rule: "pods that run have the old password, and would lose the database",
    next: `bring back the state that knows the password (pulumi stack import), or stop the pods first: SELECT pid, client_addr FROM pg_stat_activity WHERE usename = '${name}'`,
  });
}
