import { styleText } from "node:util";
import { Command, Option } from "commander";
import {
  listMigrations,
  readMigration,
  type Migration,
  type MigrationFile,
} from "@bluegreen/release/migrations/files";
import {
  readDatabaseStatus,
  readMigrationStatus,
  type MigrationStatus,
} from "@bluegreen/release/migrations/status";
import { NotAskedError } from "@bluegreen/release/postgres/reachable";
import { UserError } from "@bluegreen/release/util/userError";
import { shownIn } from "@bluegreen/release/util/shown";
import { placesOf } from "@bluegreen/release/config/settings";
import { exitCodes } from "./exitCodes";
import { app, readStackSettings } from "./stackConfig";
import { stackOption } from "./stackOption";
import { newTable, tableText } from "./table";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  urlFrom?: string;
  folder?: string;
  sql: boolean;
  json: boolean;
}

const help = `
Reads the stack's file, the cluster and the database, and changes nothing in any of them.

Examples:
  ${bluegreen} migrations status
  ${bluegreen} migrations status --url-from DATABASE_URL --sql

Exit codes: 0 nothing is refused, 1 a migration is refused, 2 the command itself was wrong, or something cannot be read.`;

export function statusCommand(): Command {
  return (
    new Command("status")
      .description("Shows which migrations are applied, due or waiting, for what and until when.")
      .addOption(stackOption())
      // No stack is asked for then.
      .addOption(
        new Option(
          "--url-from <variable>",
          "environment variable with a PostgreSQL URL: asks that database alone, and no cluster",
        ).implies({ stack: "" }),
      )
      .option("--folder <folder>", "the migrations, instead of the stack's migrationsDir")
      .option("--sql", "show what the next update would execute, too", false)
      .option("--json", "for programs", false)
      .addHelpText("after", help)
      .action(run)
  );
}

async function run(options: Options): Promise<void> {
  const { folder, rows } = shownIn(await readStatus(options));
  const due = options.sql
    ? filesOf(
        folder,
        rows.filter(({ state }) => state === "due"),
      )
    : [];
  if (options.json)
    console.log(
      JSON.stringify(
        {
          migrations: rows,
          ...(options.sql && { due: due.map(({ path, header, sql }) => ({ path, ...header, sql })) }),
        },
        null,
        2,
      ),
    );
  else console.log([table(rows), summary(rows), ...due.map(show)].join("\n\n"));
  process.exitCode = rows.some(({ state }) => state === "refused") ? exitCodes.findings : exitCodes.clean;
}

async function readStatus({
  stack,
  urlFrom,
  folder,
}: Options): Promise<{ folder: string; rows: MigrationStatus[] }> {
  if (urlFrom !== undefined) {
    const url = process.env[urlFrom];
    if (url === undefined)
      throw new UserError({
        code: "BG-VARIABLE-INVALID",
        what: `--url-from ${urlFrom} was refused`,
        rule: "there is no such environment variable",
        next: `export ${urlFrom}=postgres://…`,
      });
    const files = folder ?? "migrations";
    return { folder: files, rows: await readDatabaseStatus(url, files) };
  }
  const settings = readStackSettings(stack, [
    "activeColor",
    "clusters",
    "context",
    "contractDelayHours",
    "database",
    "databaseSecret",
    "namespacePerColor",
    "migrationsDir",
    "namespace",
    "schemaVersion",
  ]);
  const files = folder ?? settings.migrationsDir;
  const { strategy, runIn } = settings.database;
  if (strategy === "none")
    throw new UserError({
      code: "BG-NO-DATABASE",
      what: `The migrations of ${stack} were not read`,
      rule: "database.strategy is none: the app has no database",
      next: `${bluegreen} status`,
    });
  if (runIn === "cluster")
    throw new UserError({
      code: "BG-DATABASE-NOT-ASKED",
      what: `The migrations of ${stack} were not read`,
      rule: new NotAskedError().message,
      next: `from where the database is reached, with its URL in a variable: ${bluegreen} migrations status --url-from DATABASE_URL; or pulumi preview, which shows what is new`,
    });
  const {
    activeColor,
    namespacePerColor,
    namespace,
    schemaVersion,
    contractDelayHours: afterHours,
    databaseSecret,
  } = settings;
  // Of clusters that have a database each, the first one's: the same update brings them all to it.
  const [place = { context: "", together: null }] = placesOf(settings);
  return {
    folder: files,
    rows: await readMigrationStatus({
      app,
      activeColor,
      ...place,
      namespacePerColor,
      namespace,
      strategy,
      databaseSecret,
      folder: files,
      schemaVersion,
      afterHours,
    }),
  };
}

function filesOf(folder: string, rows: MigrationStatus[]): MigrationFile[] {
  const wanted = new Set(rows.map(({ id }) => id));
  return listMigrations(folder)
    .filter(({ id }: Migration) => wanted.has(id))
    .map((migration) => readMigration(folder, migration));
}

function table(rows: MigrationStatus[]): string {
  const text = newTable(["id", "name", "phase", "state", ""], 5);
  for (const { id, name, phase, state, notes } of rows) {
    const [first = "", ...rest] = notes.flatMap((note) => note.split("\n"));
    text.push([id, name, phase, state, first]);
    for (const note of rest) text.push(["", "", "", "", note]);
  }
  return tableText(text);
}

function summary(rows: MigrationStatus[]): string {
  const states = ["applied", "due", "ready", "waiting", "refused"] as const;
  const counts = states
    .map((state) => [rows.filter((row) => row.state === state).length, state] as const)
    .filter(([count]) => count > 0);
  return rows.length === 0
    ? "No migrations."
    : counts.map(([count, state]) => `${count} ${state}`).join(", ");
}

/** A migration as it would be executed. */
function show({ path, sql, header }: MigrationFile): string {
  const how =
    header.batch !== undefined
      ? `in batches of ${header.batch.table} by ${header.batch.key.join(", ")}, a transaction each`
      : header.transaction
        ? "in one transaction"
        : "statement by statement, without a transaction";
  return `${styleText("bold", `${path}, ${how}:`, { stream: process.stdout })}\n${sql.trim()}`;
}
