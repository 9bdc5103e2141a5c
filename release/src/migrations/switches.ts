import { escapeLiteral } from "pg";
import type { Color } from "../app/color.js";
import { findLiveUrl, readSchemaUrls, type DatabaseRef } from "../databases/colorDatabases.js";
import { connect, type ClusterRef } from "../kubernetes/cluster.js";
import { connected, reading, type AppDatabase } from "../postgres/appDatabase.js";
import { ifReachable } from "../postgres/reachable.js";
import type { Step } from "../util/step.js";
import { recordsSchema } from "./records.js";

/** What traffic was switched to. */
interface Served {
  color: Color;
  /** The image tag. */
  version: string;
  /** Hash of the pod template. */
  template: string;
}

export interface Switch extends Served {
  switchedAt: Date;
  /** Until now; both by the database's clock. */
  hoursAgo: number;
}

const table = "schema_switches";

/**
 * Notes in the database what serves traffic now; does nothing when that was noted last. Contract
 * migrations count their hours from it, so a note that comes late makes them wait longer, never shorter.
 */
export async function recordSwitch(db: AppDatabase, { color, version, template }: Served): Promise<void> {
  const schema = await recordsSchema(db);
  if (schema === undefined)
    throw new Error("a switch was to be noted in a database without schema_migrations");
  await db.query(`CREATE TABLE IF NOT EXISTS ${schema}.${table} (
    id int PRIMARY KEY,
    color text NOT NULL,
    version text NOT NULL,
    template text NOT NULL,
    switched_at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`);
  await db.query(
    `INSERT INTO ${schema}.${table} (id, color, version, template)
     SELECT (SELECT coalesce(max(id), 0) + 1 FROM ${schema}.${table}), $1, $2, $3 WHERE NOT EXISTS (
       SELECT FROM (SELECT color, template FROM ${schema}.${table} ORDER BY id DESC LIMIT 1) AS last WHERE last.color = $1 AND last.template = $3)`,
    [color, version, template],
  );
}

/** The last switch that was noted. Makes nothing. */
export async function lastSwitch(db: AppDatabase): Promise<Switch | undefined> {
  const schema = await recordsSchema(db);
  if (schema === undefined) return undefined;
  const { rows: found } = await db.query<{ there: boolean }>(
    `SELECT to_regclass(${escapeLiteral(`${schema}.${table}`)}) IS NOT NULL AS there`,
  );
  if (found[0]?.there !== true) return undefined;
  const { rows } = await db.query<Switch>(
    `SELECT color, version, template, switched_at AS "switchedAt", (extract(epoch FROM clock_timestamp() - switched_at) / 3600)::float8 AS "hoursAgo"
       FROM ${schema}.${table} ORDER BY id DESC LIMIT 1`,
  );
  return rows[0];
}

type SwitchRecordInputs = ClusterRef &
  DatabaseRef & {
    /** What traffic was switched to. */
    color: Color;
    version: string;
    template: string;
  };

/** Where the database was out of reach, the next update notes it. */
type SwitchRecordOutputs = { noted: boolean };

/**
 * Notes in the database when traffic was switched, after the active Service has moved: contract migrations
 * count from it.
 */
export const switchRecord: Step<SwitchRecordInputs, SwitchRecordOutputs> = {
  check: () => Promise.resolve([]),

  /** Asks the database: an update that was killed, or could not reach it, has noted nothing. */
  async isNeeded(last, inputs) {
    const { color, template } = inputs;
    if (last.color !== color || last.template !== template) return true;
    const url = await findLiveUrl(connect(inputs), inputs);
    if (url === undefined) return true;
    // One that refuses may be about to be made again, by this very update: it has no note then.
    const found = await ifReachable(
      async () => ({ noted: await reading(url, lastSwitch) }),
      () => undefined,
    ).catch(() => ({ noted: undefined }));
    if (found === undefined) return last.noted === false;
    return found.noted?.color !== color || found.noted.template !== template;
  },

  async run(inputs, say) {
    const { live } = await readSchemaUrls(connect(inputs), inputs);
    // Traffic has moved: a note that is missing makes contract migrations wait longer, and fails nothing.
    const done = await ifReachable(async () => {
      await connected(live, (db) => recordSwitch(db, inputs));
      return true;
    }, say);
    return { noted: done === true };
  },
};
