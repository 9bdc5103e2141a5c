import type { ErrorTexts } from "./errorText.js";

/** Databases, their servers and accounts, and replication between them. */
export const databaseErrors = {
  "BG-ACCOUNT-IN-USE": {
    cause: "Running pods use the database account with another password than the one to be set.",
    remedy: "Bring back the state that knows the password (`pulumi stack import`), or stop the pods first.",
  },
  "BG-ACCOUNT-NOT-CREATED": {
    cause: "The role of `databaseAdminUrl` could not create the app's role or database.",
    remedy:
      "Give it CREATEROLE and CREATEDB on a server that answers; `npm run bluegreen -- doctor` tries both.",
  },
  "BG-ACCOUNT-TAKEN": {
    cause: "A role or database of that name exists and belongs to somebody else.",
    remedy: "Choose another namespace or server, or state the ownership as the message says.",
  },
  "BG-DATABASE-LOCK-HELD": {
    cause: "Another run of the migrations holds the lock in the database.",
    remedy: "Wait for its end, or end its session if it is dead, as the message says.",
  },
  "BG-DATABASE-MISMATCH": {
    cause: "With `database.strategy` shared, the Secrets of the two colors point to different databases.",
    remedy: "Create the Secret of the named color again with a URL of the live database, then `pulumi up`.",
  },
  "BG-DATABASE-NOT-ASKED": {
    cause: "With `database.runIn` cluster only an update creates the relay pod.",
    remedy:
      "Run the command where the database is reachable, with `--url-from`; see [Databases](../guides/databases.md#a-database-that-only-the-cluster-reaches).",
  },
  "BG-DATABASE-REPLACED": {
    cause: "The database, its role or its server is not the one that this stack has migrated.",
    remedy:
      "Correct the URL if it points to a wrong server; otherwise restore the data and run `pulumi up --refresh`.",
  },
  "BG-DATABASE-SERVER-TIMEOUT": {
    cause: "A database server did not take a setting, or did not end its sessions, in time.",
    remedy: "Find what overrides the setting or keeps a session, as the message shows, then `pulumi up`.",
  },
  "BG-DATABASE-SERVER-UNSUITABLE": {
    cause: "The version, a setting or the role of a database server does not allow the strategy.",
    remedy: "Change it as the message says, or choose another `database.strategy`.",
  },
  "BG-DATABASE-SERVER-WRONG": {
    cause: "An administrator's URL points to the wrong server: the same twice, or an unrelated one.",
    remedy: "Correct the URL of the color that the message names.",
  },
  "BG-DATABASE-UNREACHABLE": {
    cause: "A color's database server did not answer, or the connection broke.",
    remedy: "Check its URL, its server and the network, then run `pulumi up`.",
  },
  "BG-IDLE-DATABASE-NOT-EMPTY": {
    cause: "The idle color's database has rows of its own that the first copy would overwrite.",
    remedy: "Save them or truncate the tables, as the message shows, then `pulumi up`.",
  },
  "BG-LIVE-DATABASE-READ-ONLY": {
    cause: "The database server of the live color is a standby, or refuses writes.",
    remedy: "Find the server with the newest data; make it writable or bring traffic to its color.",
  },
  "BG-NO-DATABASE": {
    cause: "`database.strategy` is none, so there are no migrations.",
    remedy: "Use `npm run bluegreen -- status`.",
  },
  "BG-NOT-REPLICABLE": {
    cause: "Logical replication cannot carry a table without a replica identity, or large objects.",
    remedy: "Add a primary key or a replica identity, or move the large objects, as the message says.",
  },
  "BG-POOLER-UNSUPPORTED": {
    cause: "A connection pooler in transaction mode hands one session to several clients.",
    remedy: "Add the key `direct-url` to the database Secret, with a URL that bypasses the pooler.",
  },
  "BG-PROMOTION-FAILED": {
    cause: "The standby server did not become the primary; traffic stays, and writers continue.",
    remedy: "Read its log, make it a standby again as the message shows, then `pulumi up`.",
  },
  "BG-REBUILD-FAILED": {
    cause: "`database.rebuildCommand` failed, or did not make the idle color's server a standby.",
    remedy: "Correct the command by its output and the server's log, then `pulumi up`.",
  },
  "BG-RELAY-NOT-STARTED": {
    cause: "With `database.runIn` cluster, the relay pod did not start.",
    remedy:
      "Correct what the message says: the image of `analysis.controllerImage`, quota, Pod Security, or a node without room.",
  },
  "BG-REPLICATION-BEHIND": {
    cause: "The idle color's database has not received every write of the live one.",
    remedy: "Wait, or remove the conflict that the server's log names, then `pulumi up`.",
  },
  "BG-REPLICATION-FAILED": {
    cause: "PostgreSQL refused a step of setting up or reversing logical replication.",
    remedy: "Correct the cause, then `pulumi up`, which continues from there.",
  },
  "BG-ROLE-TOO-POWERFUL": {
    cause: "The release's database role has more rights than another role that may create functions there.",
    remedy: "Give the Secret a `direct-url` of the schema's owner, or revoke CREATE, as the message says.",
  },
  "BG-STANDBY-SERVER-MISSING": {
    cause: "The database server of the idle color is no standby of the live one, or does not follow it.",
    remedy: "Wait until it follows, or make it a standby as the message shows.",
  },
  "BG-WRITERS-NOT-HELD": {
    cause: "The writers of the live database could not be held until the hand-over; they continue.",
    remedy: "Wait for the session that the message names, or end it, then `pulumi up`.",
  },
  "BG-WRITES-WOULD-BE-LOST": {
    cause: "The other color's database lacks writes of the live one.",
    remedy: "Copy it again, or give the writes up: `pulumi config set --path database.allowDataLoss true`.",
  },
} as const satisfies ErrorTexts;

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
