import { z } from "zod";
import { field, objectField, objectOf, part, deployment, integer, state } from "../fields.js";
import { dnsSubdomain, isAddress, isPostgresUrl, leadsOut } from "../forms.js";
import { words, wordsRule } from "../gates.js";

/** How the two colors share their data. */
export const strategies = ["shared", "logicalReplication", "streamingReplica"] as const;
export type Strategy = (typeof strategies)[number];

/** The strategies in which each color has a database of its own. */
export type SeparateStrategy = Exclude<Strategy, "shared">;

export function isSeparate(strategy: Strategy | "none"): strategy is SeparateStrategy {
  return strategy === "logicalReplication" || strategy === "streamingReplica";
}

const database = objectOf({
  // none: the app has no database that a release has to know of.
  strategy: part(z.enum([...strategies, "none"]).default("shared"), [...strategies, "none"].join(", ")),
  runIn: part(z.enum(["update", "cluster"]).default("update"), "update, cluster"),
  allowDataLoss: part(z.boolean().default(false), "true or false"),
  rebuildCommand: part(z.array(z.string().min(1)).default([]), "a list of words, none of them empty"),
  rebuildTimeoutSeconds: part(z.int().min(1).max(86_400).default(3600), "1 to 86400"),
  timeoutSeconds: part(z.int().min(1).max(86_400).default(600), "1 to 86400"),
});

/** The database, and how the colors share it. */
export const databaseShape = {
  databaseSecret: field(z.string().regex(dnsSubdomain), {
    description:
      "Secret in the namespace of the pods that points to the database, by its keys (docs/guides/databases.md); where each color has its own, one of this name with -blue and one with -green.",
    rule: "the name of a Secret",
    example: "shop-database",
    ofApp: (app) => `${app}-database`,
    ends: deployment,
  }),
  database: objectField(database, {
    description:
      "How the two colors share their data (docs/guides/databases.md). strategy: shared (one database), logicalReplication (one each, replicated both ways), streamingReplica (the idle color reads a standby) or none (the app has no database). With logicalReplication and streamingReplica there are two Secrets (databaseSecret). runIn: update (connections go from the machine that runs the update) or cluster (they go through a pod of analysis.controllerImage that the update makes; only with shared). allowDataLoss: continues where writes are lost; remove it afterwards. rebuildCommand (streamingReplica): words of a command that makes the server of STANDBY_COLOR a standby of PRIMARY_COLOR, both in its environment. rebuildTimeoutSeconds: 1 to 86400, after which it is ended with everything that it has started. timeoutSeconds: 1 to 86400, for one database to have what the other has, first copy included.",
    example: "--path database.strategy shared",
    ends: { place: "the analysis controller's Deployment and the stack's state" },
  }),
  databaseAdminUrl: field(z.string().refine(isPostgresUrl).optional(), {
    rule: "a PostgreSQL URL of a role that may create roles and databases; what is no letter or digit of its password by its number, / as %2F and @ as %40",
    description:
      "Secret. PostgreSQL URL of a role that may create roles and databases (CREATEROLE, CREATEDB); in its password / is written as %2F, @ as %40. What it says of encryption, as ?sslmode=disable, the DATABASE_URL of the pods says as well. With it the program makes the app's database account and its Secret (databaseSecret) itself; only with database.strategy shared.",
    example: "--secret postgres://admin@db.example.com/postgres",
    ends: "secret",
    late: "postgres://late.invalid/",
  }),
  databaseAddress: field(z.string().refine(isAddress).optional(), {
    rule: "HOST:PORT of the database as pods see it, an IPv6 address in brackets",
    description:
      "HOST:PORT of that server as pods reach it, an IPv6 address in brackets. Needed with databaseAdminUrl.",
    example: "db.example.com:5432",
    ends: { place: "a NetworkPolicy, by its port" },
    hidden: true,
    late: "late.invalid:5432",
  }),
};

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
