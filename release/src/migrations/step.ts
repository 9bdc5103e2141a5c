import { readFileSync } from "node:fs";
import { type Schema, incompatible, staying, type Templates, readVersionsEverywhere } from "./versions.js";
import { inOthers, type InCluster } from "../clusters/together.js";
import { findLiveUrl, readSchemaUrls, type DatabaseRef } from "../databases/colorDatabases.js";
import { ifMade, ifReachable } from "../postgres/reachable.js";
import { connect } from "../kubernetes/cluster.js";
import { lint } from "../lint/lint.js";
import { readLiveColor, sayingWhatIsLive } from "../traffic/live.js";
import type { Strategy } from "../config/schema/database.js";
import { noteChange, testLive } from "../state/harm.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Step } from "../util/step.js";
import { migrationPath, type Migration } from "./files.js";
import { readPlan, refusalsIn, type PlannedMigration } from "./plan.js";
import { reading } from "../postgres/appDatabase.js";
import { readApplied, type Recorded } from "./records.js";
import { runInUpdate } from "./runner.js";

export type MigrationsInputs = InCluster &
  DatabaseRef & {
    templates: Templates;
    /** Relative to the program's folder, so that it is the same on every machine. */
    folder: string;
    /** What the schema has to have, in order. A reviewer sees a new release's additions here. */
    migrations: Migration[];
  };

/**
 * `waiting`: contract migrations, whose time comes after the release. `since`: when the first migration of
 * the database ran, which goes with its data wherever they are moved or restored; empty where that says
 * nothing.
 */
export type MigrationsOutputs = {
  schemaVersion: string;
  applied: string[];
  waiting: string[];
  since: string;
};

/**
 * Expand migrations and backfills: before any pod of the new version starts. Going back to an older
 * list never undoes anything. What is wrong with a new one already fails the preview.
 */
export const migrations: Step<MigrationsInputs, MigrationsOutputs> = {
  async check(inputs, last, say) {
    const known = new Set((last.migrations ?? []).map(keyOf));
    const unseen = inputs.migrations.filter((migration) => !known.has(keyOf(migration)));
    if (unseen.length === 0) return [];
    try {
      const cluster = connect(inputs);
      const url = await findLiveUrl(cluster, inputs);
      const ifThere = last.migrations === undefined ? ifMade : ifReachable;
      const found = url === undefined ? undefined : await ifThere(() => inspect(url, inputs.migrations), say);
      const applied = new Set(found?.applied.map(({ id }) => id));
      const reasons = await findings(
        inputs,
        unseen.filter(({ id }) => !applied.has(id)),
      );
      if (found !== undefined) {
        const versions = staying(await readVersionsEverywhere(cluster, inputs), inputs.templates);
        reasons.push(
          ...[...refusalsIn(found.plan), ...incompatible("The migration", versions, schemaAfter(found))].map(
            messageOf,
          ),
        );
      }
      return reasons.map((reason) => ({ property: "migrations", reason }));
    } catch (error) {
      return [{ property: "migrations", reason: messageOf(error) }];
    }
  },

  async isNeeded(last, inputs) {
    const url = await findLiveUrl(connect(inputs), inputs);
    const found =
      url === undefined ? undefined : await ifReachable(() => inspect(url, inputs.migrations), mute);
    const other = found === undefined ? undefined : refuseOther({ last, inputs, since: sinceOf(found) });
    if (other !== undefined) throw other;
    // By checksum, too: a file that changed has to be refused.
    const known = new Set(last.migrations.map(keyOf));
    if (inputs.migrations.some((migration) => !known.has(keyOf(migration)))) return true;
    if (url === undefined) return true;
    // A database that was restored from a backup may lack what the state knows as done.
    return found?.plan.some(({ state }) => state === "due" || state === "refused") === true;
  },

  // To run it once more costs a read. So one that is kept has to be the same, or out of reach.
  async isGone(last) {
    try {
      const url = await findLiveUrl(connect(last), last);
      if (url === undefined) return true;
      const found = await ifReachable(() => inspect(url, last.migrations), mute);
      return found !== undefined && isOther(last, sinceOf(found));
    } catch {
      return true;
    }
  },

  async run(inputs, say) {
    const { folder, migrations } = inputs;
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const urls = await readSchemaUrls(cluster, inputs);
      const versions = await readVersionsEverywhere(cluster, inputs);
      const schema = schemaAfter(await inspect(urls.live, migrations));
      const [refusal] = incompatible("The migration", staying(versions, inputs.templates), schema);
      if (refusal !== undefined) throw refusal;
      // With nobody there who could need an old form, the time of every migration has come.
      const live = [
        await readLiveColor(cluster, inputs.app),
        ...(await inOthers(inputs, (other) => readLiveColor(other, inputs.app))),
      ];
      const nobody = versions.length === 0 && live.every((color) => color === undefined);
      const run = { folder, migrations, contractUpTo: nobody ? migrations.at(-1)?.id : undefined };
      // The one that changes are replicated to goes first: it must have a column before values for it arrive.
      if (urls.idle !== undefined) await runInUpdate(urls.idle, run, say);
      const result = await runInUpdate(urls.live, run, say);
      if (result.applied.length > 0) {
        const applied = `migrations ${result.applied.join(", ")}`;
        noteChange(cluster, inputs.app, `${applied} were applied`);
        await testLive(cluster, inputs.app, `after ${applied}`);
      }
      const since = inputs.strategy === "shared" ? sinceOf(await inspect(urls.live, migrations)) : "";
      return { ...result, since };
    });
  },
};

/** Asked whether it is the same one, a database that cannot be asked is passed over. */
const mute = () => undefined;

function keyOf({ id, checksum }: Migration): string {
  return `${id} ${checksum}`;
}

interface Found {
  plan: PlannedMigration[];
  applied: Recorded[];
}

/** When the first migration ran; empty where none has. */
function sinceOf({ applied }: Found): string {
  const [first] = applied.map(({ appliedAt }) => appliedAt).sort((a, b) => a.getTime() - b.getTime());
  return first?.toISOString() ?? "";
}

/** Whether another database has taken the place of the one that an update has migrated. */
function isOther({ since: before = "" }: { since?: string }, since: string): boolean {
  return before !== "" && since !== before;
}

/** Nobody's users are to find themselves in front of other data because an address has changed. */
function refuseOther({
  last,
  inputs: { strategy, databaseSecret, namespace },
  since,
}: {
  last: { strategy: Strategy; since?: string };
  inputs: MigrationsInputs;
  since: string;
}): UserError | undefined {
  if (strategy !== "shared" || last.strategy !== "shared" || !isOther(last, since)) return undefined;
  return new UserError({
    code: "BG-DATABASE-REPLACED",
    what: `The database that Secret ${databaseSecret} in namespace ${namespace} points to is not the one that this stack has migrated: ${since === "" ? "no migration has run in it" : `its first migration ran at ${since}`}, and that one's at ${last.since ?? ""}`,
    rule: "the database was replaced, or the Secret points to another one; the time goes with the data wherever they are moved or restored",
    next: `on the wrong database: correct the Secret; if it was replaced: restore what was in it, if there is a backup, then pulumi up --refresh, which runs the migrations that are missing`,
  });
}

function inspect(url: string, migrations: Migration[]): Promise<Found> {
  return reading(url, async (db) => ({
    plan: await readPlan(db, migrations),
    applied: await readApplied(db),
  }));
}

/** The schema as a run leaves it. What is applied counts, listed or not: this may be an older checkout. */
function schemaAfter({ plan, applied }: Found): Schema {
  return [...applied, ...plan.filter(({ state }) => state === "due")].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What the linter says about these files, each checked with all of the folder's. */
async function findings({ folder, migrations }: MigrationsInputs, asked: Migration[]): Promise<string[]> {
  const pathOf = (migration: Migration) => migrationPath(folder, migration);
  const paths = new Set(asked.map(pathOf));
  // TypeScript changes rows alone, and the linter reads SQL.
  const sql = migrations.map(pathOf).filter((path) => path.endsWith(".sql"));
  const found = await lint(sql.map((file) => ({ file, sql: readFileSync(file, "utf8") })));
  return found
    .filter(({ file }) => paths.has(file))
    .map(
      ({ file, line, column, rule, reason, recipe }) =>
        new UserError({
          code: "BG-MIGRATION-UNSAFE",
          what: `${file}:${line}:${column} was refused: ${rule}`,
          rule: reason,
          next: `write instead: ${recipe}`,
        }).message,
    );
}
