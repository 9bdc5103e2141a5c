import { alerting } from "../alerts/raise.js";
import type { Color } from "../app/color.js";
import { findColorUrl, findLiveUrl, readSchemaUrls, type DatabaseRef } from "../databases/colorDatabases.js";
import { secretOf } from "../databases/databaseSecrets.js";
import { ifMade, ifReachable } from "../postgres/reachable.js";
import { isSwitchPending } from "../traffic/move.js";
import { connect, type Cluster, type ClusterRef } from "../kubernetes/cluster.js";
import { sayingWhatIsLive } from "../traffic/live.js";
import { reading } from "../postgres/appDatabase.js";
import { readApplied } from "../migrations/records.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Step } from "../util/step.js";
import {
  whyIncompatible,
  type SchemaRange,
  readRunningVersions,
  type RunningVersion,
} from "../migrations/versions.js";
import type { Queryable } from "../postgres/client.js";

export type SchemaGateInputs = ClusterRef &
  DatabaseRef & {
    color: Color;
    /** Hash of the pod template that is asked. */
    template: string;
    /** Whether the stack config wants this color to serve traffic. */
    active: boolean;
  };

/** The range that the version has stated; both empty when it states none. */
export type SchemaGateOutputs = { needs: string; knows: string };

/**
 * The gate between a version and the schema: before a switch, and before a rollback, which is a
 * switch to a version that may be older than what has been taken away meanwhile.
 */
export const schemaGate: Step<SchemaGateInputs, SchemaGateOutputs> = alerting("schema gate", {
  /** In preview the version can be asked when it runs already, as the standby of a rollback does. */
  async check(inputs, _last, say) {
    try {
      if (!inputs.active || !(await isSwitchPending(inputs))) return [];
      const cluster = connect(inputs);
      const url = await findLiveUrl(cluster, inputs);
      if (url === undefined) return [];
      const refusal = await ifMade(() => checkSchema(cluster, url, inputs), say);
      return refusal instanceof UserError ? [{ property: "color", reason: refusal.message }] : [];
    } catch (error) {
      return [{ property: "color", reason: messageOf(error) }];
    }
  },

  async isNeeded(last, inputs) {
    if (last.template !== inputs.template) return true;
    return inputs.active && (await isSwitchPending(inputs));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const { live } = await readSchemaUrls(cluster, inputs);
      // A rollback at night must not fail because the database is out of reach of whoever types it.
      const checked = await ifReachable(() => checkSchema(cluster, live, inputs), say);
      if (checked instanceof UserError) throw checked;
      return checked ?? { needs: "", knows: "" };
    });
  },
});

/** The range of the version that is asked for; undefined when it states none or has no pods. */
async function checkSchema(
  cluster: Cluster,
  url: string,
  inputs: SchemaGateInputs,
): Promise<SchemaGateOutputs | UserError | undefined> {
  const { app, color, template, active } = inputs;
  const elsewhere = await findOtherDatabase(cluster, url, inputs);
  if (elsewhere !== undefined) return elsewhere;
  const version = (await readRunningVersions(cluster, app)).find(
    (each) => each.color === color && each.template === template,
  );
  return version && checkVersion(url, version, active ? "The switch to" : "The rollout of");
}

/**
 * The range of a version that works on the schema; undefined when it states none, a refusal when it does not
 * work.
 * @param what would be refused
 */
export async function checkVersion(
  url: string,
  { color, image, range }: Pick<RunningVersion, "color" | "image" | "range">,
  what: string,
): Promise<SchemaRange | UserError | undefined> {
  const why = whyIncompatible(range, await reading(url, readApplied));
  if (why === undefined) return range;
  return new UserError({
    code: "BG-SCHEMA-INCOMPATIBLE",
    what: `${what} ${color} (${image}) was refused: it would not work on the schema`,
    rule: why,
    next: `pulumi config set ${color}Tag TAG with a version that works with it, and pulumi up; a contract migration is not undone`,
  });
}

/**
 * Where the colors share a database, but each has a Secret of its own beside its pods, somebody may have made
 * one that points elsewhere: users would find themselves in front of other data.
 * @param liveUrl of the database that traffic is on
 * @returns why this color may not have them; undefined where both point to one database, or its Secret is not
 * there yet
 */
async function findOtherDatabase(
  cluster: Cluster,
  liveUrl: string,
  inputs: SchemaGateInputs,
): Promise<UserError | undefined> {
  const { color } = inputs;
  if (inputs.strategy !== "shared" || !cluster.namespacePerColor) return undefined;
  const url = await findColorUrl(cluster, inputs, color);
  if (url === undefined || url === liveUrl) return undefined;
  const [own, live] = await Promise.all([reading(url, identify), reading(liveUrl, identify)]);
  if (own.id === live.id) return undefined;
  const { namespace, name } = secretOf(cluster, inputs, color);
  return new UserError({
    code: "BG-DATABASE-MISMATCH",
    what: `The switch to ${color} was refused: Secret ${namespace}/${name} points to database ${own.place}, and traffic is on ${live.place}`,
    rule: "with database.strategy shared both colors have one database; its two Secrets may differ in the role alone",
    next: `kubectl -n ${namespace} delete secret ${name}, create it again with a URL of ${live.place}, kubectl -n ${namespace} rollout restart deployment, then pulumi up`,
  });
}

/**
 * Two servers never began in the same microsecond; a pooler, or another name of a server, changes nothing
 * about it.
 */
async function identify(db: Queryable): Promise<{ id: string; place: string }> {
  const { rows } = await db.query<{ id: string; place: string }>(
    `SELECT concat_ws(' ', oid, extract(epoch FROM pg_postmaster_start_time())) AS id, datname || ' at ' || coalesce(host(inet_server_addr()), 'a socket') AS place
       FROM pg_database WHERE datname = current_database()`,
  );
  const [found] = rows;
  if (found === undefined) throw new Error("the database does not know itself");
  return found;
}
