import type { ErrorTexts } from "./errorText.js";

/** Migrations, and the schema that they make. */
export const migrationErrors = {
  "BG-BACKFILL-INVALID": {
    cause: "A backfill is not one change of a range of rows, by the primary key of its table.",
    remedy: "Write it as the message shows; see [Migrations](../guides/migrations.md).",
  },
  "BG-CONTRACT-REFUSED": {
    cause: "A contract migration would remove what a version still needs, or its time has not come.",
    remedy: "Wait, or do what the message says; until then `pulumi config rm contractMigration`.",
  },
  "BG-MIGRATION-CANCELED": {
    cause: "A migration was interrupted; what was committed stays.",
    remedy: "Run `pulumi up`, which continues from there.",
  },
  "BG-MIGRATION-CHANGED": {
    cause: "A migration file is not what was applied, executed or shown in the preview.",
    remedy: "Restore the file and write the change as a new migration; after a preview, preview again.",
  },
  "BG-MIGRATION-COMMAND-FAILED": {
    cause: "`migrations.command` ended with another code than 0, or not in time. No pod was changed.",
    remedy: "Read its last lines in the message, correct it, and run `pulumi up` again.",
  },
  "BG-MIGRATION-FAILED": {
    cause: "The database refused a statement of a migration; the migrations before it stay applied.",
    remedy: "Correct the cause or the file, then `pulumi up`.",
  },
  "BG-MIGRATION-FILE-INVALID": {
    cause: "A migration's name, id or content breaks a rule of the runner.",
    remedy: "Change the file as the message says; see [Migrations](../guides/migrations.md).",
  },
  "BG-MIGRATION-HEADER-INVALID": {
    cause: "The comment lines at the top of a migration lack a phase, or hold a value that is not allowed.",
    remedy: "Write the header line that the message shows.",
  },
  "BG-MIGRATION-ID-UNKNOWN": {
    cause: "`schemaVersion` or `contractMigration` names no migration of the folder.",
    remedy: "Set one of the ids that the message lists, or remove the setting.",
  },
  "BG-MIGRATION-OUT-OF-ORDER": {
    cause: "A new migration has an id before one that is applied already.",
    remedy: "Rename it to the next free id.",
  },
  "BG-MIGRATION-UNSAFE": {
    cause: "A lint rule refuses a statement: one of the two running versions would not survive it.",
    remedy: "Write it as the message shows; all rules are in [Lint rules](lint-rules.md).",
  },
  "BG-RENAME-REFUSED": {
    cause: "A column cannot be renamed this way, or a name or type is not valid SQL.",
    remedy:
      "Correct the argument, or write the migrations by hand: [Rename a column](../guides/rename-a-column.md).",
  },
  "BG-SCHEMA-INCOMPATIBLE": {
    cause:
      "A version would not work on the schema: it needs a migration that is missing, or one took away what it uses.",
    remedy:
      "Add the migration or raise `schemaVersion`, or set a tag of a version that works with this schema.",
  },
  "BG-SCHEMAS-DIFFER": {
    cause: "The databases of the two colors have different migrations or schemas.",
    remedy: "Run the migrations on both, and undo what was changed by hand on one of them.",
  },
  "BG-SQL-SYNTAX": {
    cause: "PostgreSQL's grammar does not accept a migration.",
    remedy: "Correct the SQL at the line that the message names.",
  },
} as const satisfies ErrorTexts;
