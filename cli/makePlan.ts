import { readFileSync } from "node:fs";
import { lint } from "@bluegreen/release/lint/lint";
import { listMigrations, migrationPath, type Migration } from "@bluegreen/release/migrations/files";
import {
  planOf,
  refusedIn,
  type DueMigration,
  type DueMigrations,
  type Plan,
  type Preview,
} from "@bluegreen/release/steps/plan";
import {
  readReleaseStatus,
  type ReleaseStatus,
  type ReleaseStatusRef,
} from "@bluegreen/release/releases/status";
import { weightsOf } from "@bluegreen/release/routers/weights";
import { pulumiError } from "./pulumi/pulumiError";
import { Stack, UpdateError } from "./pulumi/stack";
import { readStackSettings } from "./stackConfig";
import { statusRefsOf } from "./statusRef";
import { tagOf } from "./tagOf";

/**
 * What the next update of a stack will do, as its preview says.
 * @param file in the place of the stack's own, with config as it would be
 * @throws UserError when there is no preview to tell; a preview that refuses something is one
 */
export async function makePlan(stack: string, file?: string): Promise<Plan> {
  const refs = statusRefsOf(stack, file);
  const { activeColor, blueTag, greenTag, canaryWeight, analysis, smokeLiveColor } = readStackSettings(
    stack,
    ["activeColor", "blueTag", "greenTag", "canaryWeight", "analysis", "smokeLiveColor"],
    file,
  );
  const [preview, ...statuses] = await Promise.all([
    readPreview(stack, file),
    ...refs.map(readReleaseStatus),
  ]);
  const [ref] = refs;
  const [status, ...others] = statuses;
  if (ref === undefined || status === undefined) throw new Error(`stack ${stack} has no cluster`);
  const wanted = {
    activeColor,
    weights: weightsOf(activeColor, canaryWeight),
    tags: { blue: blueTag, green: greenTag },
    analysisSeconds: analysis.durationSeconds,
    smokeLiveColor,
  };
  return planOf({ preview, status, others, wanted, migrations: await dueMigrations(status, ref), tagOf });
}

async function readPreview(stack: string, file: string | undefined): Promise<Preview> {
  try {
    return await (await Stack.open({ name: stack })).preview(file === undefined ? {} : { configFile: file });
  } catch (error) {
    if (error instanceof UpdateError && refusedIn(error).length > 0) return error;
    throw pulumiError(error, {
      stack,
      what: `The plan of ${stack} could not be made: its preview failed`,
      next: `pulumi preview --stack ${stack}`,
    });
  }
}

/** None of an app without a database. At the first release nobody needs an old form, and all are due. */
async function dueMigrations(
  { live, schema }: ReleaseStatus,
  { folder, schemaVersion, database }: ReleaseStatusRef,
): Promise<DueMigrations> {
  if (database.strategy === "none") return { due: [] };
  const all = listMigrations(folder, schemaVersion);
  if (!("unreadable" in schema)) {
    const due = new Set(schema.pending.filter(({ state }) => state === "due").map(({ id }) => id));
    return {
      due: await linted(
        folder,
        all,
        all.filter(({ id }) => due.has(id)),
      ),
    };
  }
  return live === null ? { due: await linted(folder, all, all) } : schema;
}

/**
 * Each is checked with what those before it have made. TypeScript changes rows alone, and the linter reads
 * SQL.
 */
async function linted(folder: string, all: Migration[], due: Migration[]): Promise<DueMigration[]> {
  if (due.length === 0) return [];
  const sql = all
    .map((migration) => migrationPath(folder, migration))
    .filter((path) => path.endsWith(".sql"));
  const found = await lint(sql.map((file) => ({ file, sql: readFileSync(file, "utf8") })));
  return due.map((migration) => {
    const { id, name, phase } = migration;
    const path = migrationPath(folder, migration);
    return {
      id,
      name,
      phase,
      findings: found
        .filter(({ file }) => file === path)
        .map(({ line, rule, reason }) => `line ${line}: ${rule}, ${reason}`),
    };
  });
}
