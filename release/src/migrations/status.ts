import type { InCluster } from "../clusters/together.js";
import { connect } from "../kubernetes/cluster.js";
import { findLiveUrl, type DatabaseRef } from "../databases/colorDatabases.js";
import { UserError } from "../util/userError.js";
import { readContractFacts } from "./contract.js";
import { contractObstacles } from "./contractGate.js";
import { listMigrations } from "./files.js";
import { planMigrations, type PlannedMigration } from "./plan.js";
import { bluegreen } from "../util/bluegreenCommand.js";

/** A migration with what it waits for. */
export interface MigrationStatus {
  id: string;
  name: string;
  phase: string;
  /** `ready`: a contract migration that nothing stands against. */
  state: "applied" | "due" | "ready" | "waiting" | "refused";
  /** In words: when it was applied, when it will be, or why not. */
  notes: string[];
}

export type StatusRef = InCluster &
  DatabaseRef & {
    folder: string;
    /** Of the stack: what is younger is not applied by its updates. */
    schemaVersion: string | undefined;
    afterHours: number;
  };

/** Where the migrations of an app stand. Reads the database and the cluster, and touches nothing. */
export async function readMigrationStatus(ref: StatusRef): Promise<MigrationStatus[]> {
  const cluster = connect(ref);
  const url = await findLiveUrl(cluster, ref);
  if (url === undefined) {
    throw new UserError({
      code: "BG-SECRET-MISSING",
      what: `The migrations of ${ref.namespace} were not checked: there is no database Secret`,
      rule: "the first pulumi up makes it, or you do",
      next: `pulumi up; or name a variable that has the URL: ${bluegreen} migrations status --url-from DATABASE_URL`,
    });
  }
  const migrations = listMigrations(ref.folder);
  const plan = await planMigrations(url, migrations);
  const contracts = migrations.filter(({ phase }) => phase === "contract");
  const obstacles = await Promise.all(
    contracts.map(async ({ id }): Promise<[string, string[]]> => {
      const facts = await readContractFacts(cluster, url, {
        ...ref,
        migrations: migrations.filter((each) => each.id <= id),
      });
      return [id, facts.wanted.length === 0 ? [] : contractObstacles(facts)];
    }),
  );
  const against = new Map(obstacles);
  return plan.map((migration) =>
    notBefore(ref.schemaVersion, describe(migration, against.get(migration.id))),
  );
}

/** Where they stand in a database alone: what only the cluster knows is left out. */
export async function readDatabaseStatus(url: string, folder: string): Promise<MigrationStatus[]> {
  return (await planMigrations(url, listMigrations(folder))).map((migration) =>
    describe(migration, undefined),
  );
}

function notBefore(schemaVersion: string | undefined, status: MigrationStatus): MigrationStatus {
  const { id, state } = status;
  if (schemaVersion === undefined || id <= schemaVersion || state === "applied" || state === "refused")
    return status;
  return {
    ...status,
    state: "waiting",
    notes: [`schemaVersion is ${schemaVersion}: pulumi config set schemaVersion ${id}`],
  };
}

function describe(migration: PlannedMigration, obstacles: string[] | undefined): MigrationStatus {
  const { id, name, phase } = migration;
  const row = (state: MigrationStatus["state"], ...notes: string[]): MigrationStatus => ({
    id,
    name,
    phase,
    state,
    notes,
  });
  switch (migration.state) {
    case "applied":
      return row("applied", migration.appliedAt.toISOString());
    case "due":
      return row(
        "due",
        migration.rowsDone === undefined
          ? "with the next pulumi up"
          : `with the next pulumi up, which continues after ${migration.rowsDone.toLocaleString("en-US")} rows`,
      );
    case "refused":
      return row("refused", migration.refusal.what, migration.refusal.rule, migration.refusal.next);
    case "waiting":
      if (obstacles === undefined) return row("waiting", migration.why);
      return obstacles.length > 0
        ? row("waiting", ...obstacles)
        : row("ready", `pulumi config set contractMigration ${id} && pulumi up`);
  }
}
