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
    cause: "With `database.strategy` shared, the Secrets of the two colors lead to different databases.",
    remedy: "Create the Secret of the named color again with a URL of the live database, then `pulumi up`.",
  },
  "BG-DATABASE-NOT-ASKED": {
    cause: "With `database.runIn` cluster only an update creates the pod that leads to the database.",
    remedy:
      "Run the command where the database is reachable, with `--url-from`; see [Databases](../guides/databases.md#a-database-that-only-the-cluster-reaches).",
  },
  "BG-DATABASE-REPLACED": {
    cause: "The database, its role or its server is not the one that this stack has migrated.",
    remedy:
      "Correct the URL if it leads to a wrong server; otherwise restore the data and run `pulumi up --refresh`.",
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
    cause: "An administrator's URL leads to the wrong server: the same twice, or an unrelated one.",
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
    cause: "With `database.runIn` cluster, the pod that leads to the database did not start.",
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
