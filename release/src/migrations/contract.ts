import type { Color } from "../app/color.js";
import { inOthers, type InCluster } from "../clusters/together.js";
import { findLiveUrl, readAppUsers, readSchemaUrls, type DatabaseRef } from "../databases/colorDatabases.js";
import { connect, type Cluster } from "../kubernetes/cluster.js";
import type { Queryable } from "../postgres/client.js";
import { reading } from "../postgres/appDatabase.js";
import { ifMade } from "../postgres/reachable.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import { DeadlineError, poll } from "../util/poll.js";
import type { Step } from "../util/step.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Migration } from "./files.js";
import { readPlan, refusalsIn } from "./plan.js";
import { runInUpdate } from "./runner.js";
import { lastSwitch, type Switch } from "./switches.js";
import {
  readVersionsEverywhere,
  staying,
  describeKnowledge,
  mayUseWhatGoes,
  describeVersion,
  type Templates,
  type RunningVersion,
} from "./versions.js";

type ContractInputs = InCluster &
  DatabaseRef & {
    templates: Templates;
    /** Relative to the program's folder. */
    folder: string;
    /** All migrations up to the newest contract migration that is wanted. */
    migrations: Migration[];
    /** Hours since the last switch. */
    afterHours: number;
    /** How long pods that this update ends, and their sessions, may take to be gone. */
    goneWithinSeconds: number;
  };

type ContractOutputs = { applied: string[] };

/**
 * Contract migrations: they take away what only older versions use, so they come last in an update
 * and long after the switch. What keeps them waiting already fails the preview.
 */
export const contract: Step<ContractInputs, ContractOutputs> = {
  async check(inputs, _last, say) {
    try {
      const cluster = connect(inputs);
      const url = await findLiveUrl(cluster, inputs);
      if (url === undefined) return [];
      const facts = await ifMade(() => readContractFacts(cluster, url, inputs), say);
      if (facts === undefined || facts.wanted.length === 0) return [];
      // What is missing is applied by the same update.
      const reasons = lastingObstacles({ ...facts, missing: [] }, inputs.templates);
      return reasons.length === 0
        ? []
        : [{ property: "contractMigration", reason: refuse(facts, reasons).message }];
    } catch (error) {
      return [{ property: "contractMigration", reason: messageOf(error) }];
    }
  },

  isNeeded(last, inputs) {
    const known = new Set(last.migrations.map(({ id }) => id));
    return Promise.resolve(inputs.migrations.some(({ id }) => !known.has(id)));
  },

  async run(inputs, say) {
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const urls = await readSchemaUrls(cluster, inputs);
      const facts = await readContractFacts(cluster, urls.live, inputs);
      if (facts.wanted.length === 0) return { applied: [] };
      await noObstacles(cluster, urls.live, inputs, facts);
      const run = {
        folder: inputs.folder,
        migrations: inputs.migrations,
        contractUpTo: inputs.migrations.at(-1)?.id,
      };
      const { applied } = await runInUpdate(urls.live, run, say);
      // The one that changes are replicated to goes last: it must have a column as long as values for it
      // arrive.
      if (urls.idle !== undefined) await runInUpdate(urls.idle, run, say);
      return { applied };
    });
  },
};

/** Pods that this update retires or replaces go away by themselves, and their sessions with them. */
function lastingObstacles(facts: ContractFacts, templates: Templates): string[] {
  return contractObstacles({ ...facts, sessions: [], versions: staying(facts.versions, templates) });
}

/** Waits for what goes away by itself. @throws UserError for what does not */
async function noObstacles(
  cluster: Cluster,
  url: string,
  inputs: ContractInputs,
  first: ContractFacts,
): Promise<void> {
  let facts = first;
  let reasons = lastingObstacles(facts, inputs.templates);
  if (reasons.length > 0) throw refuse(facts, reasons);
  try {
    await poll(
      async () => {
        facts = await readContractFacts(cluster, url, inputs);
        reasons = contractObstacles(facts);
        return reasons.length === 0 ? true : undefined;
      },
      { timeoutMs: inputs.goneWithinSeconds * 1000, intervalMs: 1000 },
    );
  } catch (error) {
    throw error instanceof DeadlineError ? refuse(facts, reasons) : error;
  }
}

/** Reads all that decides about the contract migrations among `inputs.migrations`. Touches nothing. */
export async function readContractFacts(
  cluster: Cluster,
  url: string,
  inputs: Pick<ContractInputs, keyof DatabaseRef | keyof InCluster | "migrations" | "afterHours">,
): Promise<ContractFacts> {
  const { migrations, activeColor, afterHours, app } = inputs;
  const [live, elsewhere, versions, users] = await Promise.all([
    readLiveColor(cluster, app),
    inOthers(inputs, async (other, { name }) => ({ name, live: await readLiveColor(other, app) })),
    readVersionsEverywhere(cluster, inputs),
    readAppUsers(cluster, inputs),
  ]);
  return reading(url, async (db) => {
    const plan = await readPlan(db, migrations);
    const [refusal] = refusalsIn(plan);
    if (refusal !== undefined) throw refusal;
    const open = plan.filter(({ state }) => state !== "applied");
    return {
      wanted: open.filter(({ phase }) => phase === "contract"),
      missing: open.filter(({ phase }) => phase !== "contract"),
      activeColor,
      live,
      elsewhere,
      versions,
      lastSwitch: await lastSwitch(db),
      afterHours,
      sessions: await readAppSessions(db, users),
    };
  });
}

function refuse({ wanted }: ContractFacts, reasons: string[]): UserError {
  return new UserError({
    code: "BG-CONTRACT-REFUSED",
    what: `Contract ${wanted.length === 1 ? "migration" : "migrations"} ${wanted.map(({ id, name }) => `${id}_${name}`).join(", ")} ${wanted.length === 1 ? "was" : "were"} refused`,
    rule: reasons.join("\n        "),
    next: "wait, or do as said above; until then: pulumi config rm contractMigration && pulumi up",
  });
}

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
