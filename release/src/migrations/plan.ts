import { UserError, type UserErrorParts } from "../util/userError.js";
import { readCheckpoints, readRecords, recordsSchema, type Recorded } from "./records.js";
import type { Migration } from "./files.js";
import { reading, type AppDatabase } from "../postgres/appDatabase.js";

/** Where a migration stands in a database. */
export type PlannedMigration = Migration &
  (
    | { state: "applied"; appliedAt: Date }
    /** The next run applies it. `rowsDone`: how far an interrupted backfill came. */
    | { state: "due"; rowsDone?: number }
    /** Its time has not come. */
    | { state: "waiting"; why: string }
    /** Nothing is applied as long as this one is so. */
    | { state: "refused"; refusal: UserErrorParts }
  );

/** What a run would do now. Touches nothing. */
export function planMigrations(
  connectionString: string,
  migrations: Migration[],
): Promise<PlannedMigration[]> {
  return reading(connectionString, (db) => readPlan(db, migrations));
}

/** The same, within a read that sees more than the plan. */
export async function readPlan(db: AppDatabase, migrations: Migration[]): Promise<PlannedMigration[]> {
  const schema = await recordsSchema(db);
  if (schema === undefined) return decide(migrations, []);
  const started = await readCheckpoints(db, schema);
  return decide(migrations, await readRecords(db, schema)).map((planned) => {
    const rowsDone = started.get(planned.id);
    return planned.state === "due" && rowsDone !== undefined ? { ...planned, rowsDone } : planned;
  });
}

/** One for each migration that keeps all others from being applied. */
export function refusalsIn(plan: PlannedMigration[]): UserError[] {
  return plan.flatMap((migration) =>
    migration.state === "refused" ? [new UserError(migration.refusal)] : [],
  );
}

/**
 * Compares the files with the records.
 * @param contractUpTo id of the newest contract migration whose time has come; undefined: of none
 */
export function decide(
  migrations: Migration[],
  records: Recorded[],
  contractUpTo?: string,
): PlannedMigration[] {
  return migrations.map((migration) => {
    const record = records.find(({ id }) => id === migration.id);
    const refusal = record === undefined ? whyTooLate(migration, records) : whyDifferent(migration, record);
    if (refusal !== undefined) return { ...migration, state: "refused", refusal };
    if (record !== undefined) return { ...migration, state: "applied", appliedAt: record.appliedAt };
    const waits =
      migration.phase === "contract" && (contractUpTo === undefined || migration.id > contractUpTo);
    return waits ? { ...migration, state: "waiting", why: whyContractWaits } : { ...migration, state: "due" };
  });
}

const whyContractWaits = "a contract migration waits until no version that needs the old form is left";

function whyDifferent(migration: Migration, record: Recorded): UserErrorParts | undefined {
  const file = `${migration.id}_${migration.name}`;
  const next = "put the file back as it was (git log -- migrations), and write the change as a new migration";
  if (record.name !== migration.name)
    return {
      code: "BG-MIGRATION-CHANGED",
      what: `${file} was refused: ${migration.id} was applied as ${record.name}`,
      rule: "an applied migration keeps its name",
      next,
    };
  if (record.checksum === null || record.checksum === migration.checksum) return undefined;
  return {
    code: "BG-MIGRATION-CHANGED",
    what: `${file} was refused: its checksum is ${migration.checksum}`,
    rule: `it was applied with ${record.checksum}: an applied file never changes`,
    next,
  };
}

/**
 * Contract migrations come after younger ones of the other phases by nature: each of the two keeps its own
 * order.
 */
function whyTooLate({ id, name, phase }: Migration, records: Recorded[]): UserErrorParts | undefined {
  const after = records
    .filter((record) => record.id > id && (record.phase === "contract") === (phase === "contract"))
    .at(-1);
  if (after === undefined) return undefined;
  return {
    code: "BG-MIGRATION-OUT-OF-ORDER",
    what: `${id}_${name} was refused: it was never applied, and ${after.id}_${after.name} was`,
    rule: "migrations are append-only: a new one comes after all that were applied",
    next: `rename it to the next free id, after ${after.id}`,
  };
}
