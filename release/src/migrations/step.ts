import { readFileSync } from "node:fs";
import type { Schema } from "../compatibility/range.js";
import { inOthers, type InCluster } from "../clusters/together.js";
import { readVersionsEverywhere } from "../compatibility/runningVersions.js";
import { incompatible, staying, type Templates } from "../compatibility/versions.js";
import { findLiveUrl, readSchemaUrls, type DatabaseRef } from "../database/colorDatabases.js";
import { ifReachable } from "../database/reachable.js";
import { connect } from "../kubernetes/cluster.js";
import { lint } from "../lint/index.js";
import { readLiveColor, sayingWhatIsLive } from "../live.js";
import { messageOf, Refusal } from "../refusal.js";
import type { Step } from "../step.js";
import { migrationPath, type Migration } from "./files.js";
import { planMigrations, readPlan, refusalsIn, type PlannedMigration } from "./plan.js";
import { reading } from "./connected.js";
import { readApplied, type Recorded } from "./records.js";
import { runInUpdate } from "./runInUpdate.js";

export type MigrationsInputs = InCluster &
  DatabaseRef & {
    templates: Templates;
    /** Relative to the program's folder, so that it is the same on every machine. */
    folder: string;
    /** What the schema has to have, in order. A reviewer sees a new release's additions here. */
    migrations: Migration[];
  };

/** `waiting`: contract migrations, whose time comes after the release. */
export type MigrationsOutputs = { schemaVersion: string; applied: string[]; waiting: string[] };

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
      const found = url === undefined ? undefined : await ifReachable(() => look(url, inputs.migrations), say);
      const applied = new Set(found?.applied.map(({ id }) => id));
      const reasons = await findings(inputs, unseen.filter(({ id }) => !applied.has(id)));
      if (found !== undefined) {
        const versions = staying(await readVersionsEverywhere(cluster, inputs), inputs.templates);
        reasons.push(...[...refusalsIn(found.plan), ...incompatible("The migration", versions, schemaAfter(found))].map(messageOf));
      }
      return reasons.map((reason) => ({ property: "migrations", reason }));
    } catch (error) {
      return [{ property: "migrations", reason: messageOf(error) }];
    }
  },

  async isNeeded(last, inputs) {
    // By checksum, too: a file that changed has to be refused.
    const known = new Set(last.migrations.map(keyOf));
    if (inputs.migrations.some((migration) => !known.has(keyOf(migration)))) return true;
    // A database that was restored from a backup may lack what the state knows as done.
    const url = await findLiveUrl(connect(inputs), inputs);
    if (url === undefined) return true;
    const plan = await ifReachable(() => planMigrations(url, inputs.migrations), () => undefined);
    return plan?.some(({ state }) => state === "due" || state === "refused") === true;
  },

  async run(inputs, say) {
    const { folder, migrations } = inputs;
    const cluster = connect(inputs);
    return sayingWhatIsLive(cluster, inputs.app, async () => {
      const urls = await readSchemaUrls(cluster, inputs);
      const versions = await readVersionsEverywhere(cluster, inputs);
      const schema = schemaAfter(await look(urls.live, migrations));
      const [refusal] = incompatible("The migration", staying(versions, inputs.templates), schema);
      if (refusal !== undefined) throw refusal;
      // With nobody there who could need an old form, the time of every migration has come.
      const live = [await readLiveColor(cluster, inputs.app), ...(await inOthers(inputs, (other) => readLiveColor(other, inputs.app)))];
      const nobody = versions.length === 0 && live.every((color) => color === undefined);
      const run = { folder, migrations, contractUpTo: nobody ? migrations.at(-1)?.id : undefined };
      // The one that changes are replicated to goes first: it must have a column before values for it arrive.
      if (urls.idle !== undefined) await runInUpdate(urls.idle, run, say);
      return runInUpdate(urls.live, run, say);
    });
  },
};

function keyOf({ id, checksum }: Migration): string {
  return `${id} ${checksum}`;
}

interface Found {
  plan: PlannedMigration[];
  applied: Recorded[];
}

function look(url: string, migrations: Migration[]): Promise<Found> {
  return reading(url, async (db) => ({ plan: await readPlan(db, migrations), applied: await readApplied(db) }));
}

/** The schema as a run leaves it. What is applied counts, listed or not: this may be an older checkout. */
function schemaAfter({ plan, applied }: Found): Schema {
  return [...applied, ...plan.filter(({ state }) => state === "due")].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What the linter says about these files, each judged with all of the folder's. */
async function findings({ folder, migrations }: MigrationsInputs, asked: Migration[]): Promise<string[]> {
  const pathOf = (migration: Migration) => migrationPath(folder, migration);
  const paths = new Set(asked.map(pathOf));
  // TypeScript changes rows alone, and the linter reads SQL.
  const sql = migrations.map(pathOf).filter((path) => path.endsWith(".sql"));
  const found = await lint(sql.map((file) => ({ file, sql: readFileSync(file, "utf8") })));
  return found
    .filter(({ file }) => paths.has(file))
    .map(({ file, line, column, rule, reason, recipe }) => new Refusal({ what: `${file}:${line}:${column} was refused: ${rule}`, rule: reason, next: `write instead: ${recipe}` }).message);
}
