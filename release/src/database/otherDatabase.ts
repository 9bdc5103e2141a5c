import type { Color } from "../color.js";
import type { Cluster } from "../kubernetes/cluster.js";
import { reading } from "../migrations/connected.js";
import type { Queryable } from "../postgres/client.js";
import { Refusal } from "../refusal.js";
import type { Strategy } from "../settings/schema.js";
import { findColorUrl, secretOf } from "./colorDatabases.js";

/**
 * Where the colors share a database, but each has a Secret of its own beside its pods, somebody may
 * have made one that leads elsewhere: users would find themselves in front of other data.
 * @param liveUrl of the database that users are on
 * @returns why this color may not have them; undefined where both lead to one database, or its Secret is not there yet
 */
export async function findOtherDatabase(cluster: Cluster, liveUrl: string, { color, strategy }: { color: Color; strategy: Strategy }): Promise<Refusal | undefined> {
  if (strategy !== "shared" || cluster.isolation === "shared") return undefined;
  const url = await findColorUrl(cluster, strategy, color);
  if (url === undefined || url === liveUrl) return undefined;
  const [own, live] = await Promise.all([reading(url, identify), reading(liveUrl, identify)]);
  if (own.id === live.id) return undefined;
  const { namespace, name } = secretOf(cluster, strategy, color);
  return new Refusal({
    what: `The switch to ${color} was refused: Secret ${namespace}/${name} leads to database ${own.place}, and users are on ${live.place}`,
    rule: "with database.strategy shared both colors have one database; its two Secrets may differ in the role alone",
    next: `kubectl -n ${namespace} delete secret ${name}, make it anew with a URL of ${live.place}, kubectl -n ${namespace} rollout restart deployment, then pulumi up`,
  });
}

/** Two servers never began in the same microsecond; a pooler, or another name of a server, changes nothing about it. */
async function identify(db: Queryable): Promise<{ id: string; place: string }> {
  const { rows } = await db.query<{ id: string; place: string }>(
    `SELECT concat_ws(' ', oid, extract(epoch FROM pg_postmaster_start_time())) AS id, datname || ' at ' || coalesce(host(inet_server_addr()), 'a socket') AS place
       FROM pg_database WHERE datname = current_database()`,
  );
  const [found] = rows;
  if (found === undefined) throw new Error("the database does not know itself");
  return found;
}
