import type { Color } from "../app/color.js";
import type { Queryable } from "../postgres/client.js";
import type { Migration } from "./files.js";
import type { Switch } from "./switches.js";
import { describeKnowledge, mayUseWhatGoes, describeVersion, type RunningVersion } from "./versions.js";

/** All that decides whether a contract migration may be applied. */
export interface ContractFacts {
  /** Those that are wanted and not applied yet; not empty. */
  wanted: Migration[];
  /**
   * Older ones of other phases that are not applied: what a contract takes away, a backfill may still have to
   * copy.
   */
  missing: Migration[];
  activeColor: Color;
  live: Color | undefined;
  /** The same in the other clusters of the release. */
  elsewhere: { name: string; live: Color | undefined }[];
  /** The versions that are there, or will be after the update that is checked. */
  versions: RunningVersion[];
  lastSwitch: Switch | undefined;
  afterHours: number;
  sessions: AppSession[];
}

/** Why the time of contract migrations has not come, each reason with what to do; none: it has. */
export function contractObstacles(facts: ContractFacts): string[] {
  return [
    ...whatIsMissing(facts),
    ...whoNeedsTheOldForm(facts),
    ...whyTooEarly(facts),
    ...whoIsConnected(facts),
  ];
}

function whatIsMissing({ missing }: ContractFacts): string[] {
  return missing.map(({ id, name }) => `${id}_${name} comes before it, and is not applied`);
}

function whoNeedsTheOldForm({ wanted, versions, live, elsewhere, activeColor }: ContractFacts): string[] {
  if (live !== undefined && live !== activeColor)
    return [
      `this update switches from ${live} to ${activeColor}: a contract migration comes with an update that leaves traffic where it is`,
    ];
  const behind = elsewhere.find((other) => other.live !== undefined && other.live !== activeColor);
  if (behind !== undefined)
    return [
      `traffic of cluster ${behind.name} is on ${behind.live}, and config makes ${activeColor} active: a contract migration comes with an update that leaves traffic where it is, everywhere`,
    ];
  return versions.flatMap((version) => {
    const taken = wanted.find((migration) => mayUseWhatGoes(version.range, migration));
    if (taken === undefined) return [];
    const next =
      version.color === live
        ? "release a version that was built with it"
        : `retire it (pulumi config rm ${version.color}Tag), or put a version there that was built with it`;
    return [
      `${describeVersion(version)} ${describeKnowledge(version.range)}, and may still use what ${taken.id}_${taken.name} takes away; ${next}`,
    ];
  });
}

/** By the database's clock, and from the last switch: until then a rollback needs the old form. */
function whyTooEarly({ lastSwitch, versions, live, afterHours }: ContractFacts): string[] {
  if (live === undefined) return [];
  const serving = versions.filter(({ color }) => color === live);
  if (serving.length === 0)
    return [`this update changes the live version: its ${afterHours} h count from then`];
  if (lastSwitch === undefined || !isNoteOf(lastSwitch, serving)) {
    return [
      `the database has no note of the switch to ${live} as it runs now: it was moved by hand, or the update could not reach the database; pulumi up without contractMigration notes it, and ${afterHours} h count from there`,
    ];
  }
  if (lastSwitch.hoursAgo >= afterHours) return [];
  const due = dueAt(lastSwitch.switchedAt, afterHours);
  return [
    `traffic was switched to ${live} ${lastSwitch.hoursAgo.toFixed(1)} h ago, and a rollback stays possible for ${afterHours} h; due ${due.toISOString()} by the database's clock`,
  ];
}

/** When the time of contract migrations comes. */
export function dueAt(switchedAt: Date, afterHours: number): Date {
  return new Date(switchedAt.getTime() + afterHours * 3_600_000);
}

function whoIsConnected({ sessions, versions }: ContractFacts): string[] {
  const running = new Set(versions.map(({ sessionName }) => sessionName));
  return sessions
    .filter(({ application }) => !running.has(application))
    .map(
      ({ pid, user, address, application, since }) =>
        `session ${pid} of ${user} (application ${JSON.stringify(application)}, from ${address}, since ${since.toISOString()}) is of no version that runs now; end it: SELECT pg_terminate_backend(${pid})`,
    );
}

/** Whether the switch that was noted last is the one to these versions. */
function isNoteOf({ color, template }: Switch, serving: RunningVersion[]): boolean {
  return serving.some((version) => version.color === color && version.template === template);
}

/** A connection to the database under the app's account. */
interface AppSession {
  pid: number;
  user: string;
  /** As the session names itself: pods have the name of their version in PGAPPNAME. */
  application: string;
  address: string;
  since: Date;
}

/**
 * The sessions of roles in this database, the release's own aside. PostgreSQL shows these columns to
 * everybody but the address.
 */
export async function readAppSessions(db: Queryable, users: string[]): Promise<AppSession[]> {
  const { rows } = await db.query<AppSession>(
    `SELECT pid, usename AS user, coalesce(application_name, '') AS application, coalesce(host(client_addr), 'a socket') AS address, coalesce(backend_start, now()) AS since
       FROM pg_stat_activity
      WHERE datname = current_database() AND usename = ANY ($1) AND coalesce(application_name, '') NOT LIKE 'bluegreen%' AND backend_type = 'client backend'
      ORDER BY pid`,
    [users],
  );
  return rows;
}
