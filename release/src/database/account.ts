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

/** A role with its own database, made when missing; its password is set to the wanted one. Nothing is ever dropped. */
export const databaseAccount: Step<DatabaseAccountInputs, DatabaseAccountOutputs> = {
  check: () => Promise.resolve([]),

  isNeeded: (last, inputs) =>
    Promise.resolve(last.name !== inputs.name || last.password !== inputs.password || last.adminUrl !== inputs.adminUrl),

  async run({ adminUrl, name, password }) {
    const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000, application_name: "bluegreen account" });
    client.on("error", () => undefined);
    try {
      await client.connect();
      const role = escapeIdentifier(name);
      const { rows } = await client.query<{ role: boolean; database: boolean }>(
        `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS role,
                EXISTS (SELECT FROM pg_database WHERE datname = $1) AS database`,
        [name],
      );
      const verb = rows[0]?.role === true ? "ALTER" : "CREATE";
      await client.query(`${verb} ROLE ${role} LOGIN PASSWORD ${escapeLiteral(scramVerifier(password))}`);
      if (rows[0]?.database !== true) await client.query(`CREATE DATABASE ${role} OWNER ${role}`);
      return {};
    } catch (error) {
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
