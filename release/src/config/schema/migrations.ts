import { z } from "zod";
import { field, objectField, objectOf, part } from "../fields.js";
import { leadsOut } from "../forms.js";
import { words, wordsRule } from "../gates.js";
import { integer, state } from "./kinds.js";

const migrationId = /^\d{4,}$/;

const migrations = objectOf({
  command: part(words.default([]), wordsRule),
  timeoutSeconds: part(z.int().min(1).max(86_400).default(600), "1 to 86400"),
});

/** Schema changes. */
export const migrationsShape = {
  migrations: objectField(migrations, {
    description:
      "Migrations of the app's own framework (docs/guides/migrations-by-command.md). command: words that a Job of the new image runs instead of what the image starts with, with the variables and Secrets of the pods, before the first of them, once for each pod template; beside the files of migrationsDir or without any. timeoutSeconds: 1 to 86400, after which it is ended.",
    example: `--path 'migrations.command[0]' /app/migrate`,
    ends: { place: "the stack's state and Jobs" },
  }),
  migrationsDir: field(
    z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)*$/)
      .refine((folder) => !leadsOut(folder))
      .default("migrations"),
    {
      rule: "a folder below the program's, as PATH/TO/FOLDER",
      description: "Folder of the app's schema changes, below the program's.",
      example: "migrations",
      ends: state,
    },
  ),
  schemaVersion: field(z.string().regex(migrationId).optional(), {
    rule: "the id of the newest migration wanted, four digits or more",
    description:
      "Id of the newest migration to apply. Not set, all in migrationsDir are. Contract migrations among them wait for contractMigration, except in the very first release. Lowering it undoes nothing (docs/guides/migrations.md).",
    example: "0002",
    ends: state,
  }),
  contractMigration: field(z.string().regex(migrationId).optional(), {
    rule: "the id of the newest contract migration wanted, four digits or more",
    description:
      "Id of the newest contract migration to apply, at most schemaVersion where that is set. Not set, none is. Applied at the end of an update that switches nothing, when no version that needs the old form is left (docs/guides/migrations.md).",
    example: "0005",
    ends: state,
  }),
  contractDelayHours: integer(
    24,
    24,
    48,
    "hours",
    state,
    "Hours, 24 to 48, from the last switch by the database's clock until contract migrations may be applied.",
  ),
};
