interface ErrorText {
  /** Why it comes, in a sentence. */
  cause: string;
  /** What ends it, in a sentence; commands between backticks. */
  remedy: string;
}

/**
 * Every error that a user can meet, by the code that its message ends with. `npm run docs` writes
 * docs/reference/errors.md from it. A code is for a kind of error, and keeps its meaning: pages, alerts and
 * scripts refer to it.
 */
export const errorCodes = {
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
  "BG-ACTIVE-SERVICE-MISSING": {
    cause: "The namespace has no active Service of the app in this cluster.",
    remedy:
      "Make the first release with `pulumi up`, or correct the context: `pulumi config set context NAME`.",
  },
  "BG-ANSWER-MISSING": {
    cause: "A required answer was not given as an option, and there is no terminal to ask at.",
    remedy: "Repeat the command with the options that the message names.",
  },
  "BG-APP-NAME-INVALID": {
    cause: "Kubernetes would refuse objects with this app name.",
    remedy: "Use lower-case letters, digits and hyphens, as the message says.",
  },
  "BG-APPROVAL-MISSING": {
    cause: "Traffic would move without the approval of the gates, which `--target` can leave out.",
    remedy: "Run `pulumi up` without `--target`.",
  },
  "BG-AUTOSCALER-NOT-OURS": {
    cause:
      "An autoscaler that the program has not made scales a color, and config wants one of the program's.",
    remedy:
      "Set `autoscaling.maxReplicas` 0 to leave the color to it, or delete it; see [Scaling](../guides/scaling.md).",
  },
  "BG-BACKFILL-INVALID": {
    cause: "A backfill is not one change of a range of rows, by the primary key of its table.",
    remedy: "Write it as the message shows; see [Migrations](../guides/migrations.md).",
  },
  "BG-BUDGET-NOT-OURS": {
    cause: "A PodDisruptionBudget that the program has not made has the name of a color's.",
    remedy: "Keep it with `pulumi config set podDisruptionBudget false`, or delete it.",
  },
  "BG-CLUSTER-UNIDENTIFIED": {
    cause: "The uid of namespace kube-system, which tells clusters apart, cannot be read.",
    remedy: "Allow the account that runs pulumi to get it: `npm run --silent bluegreen -- doctor --rbac`.",
  },
  "BG-CLUSTER-UNREACHABLE": {
    cause: "The API server of a cluster did not answer, or refused the request.",
    remedy: "Run the kubectl command of the message, and correct context, network or credentials.",
  },
  "BG-CLUSTERS-CHANGED": {
    cause: "The stack has fewer clusters than when the dashboard was started.",
    remedy: "Start the dashboard again.",
  },
  "BG-CLUSTERS-DIFFER": {
    cause: "The clusters of the stack have different active colors, so no color is idle in all of them.",
    remedy: "Run `pulumi up`, which brings them to the configured color.",
  },
  "BG-COLOR-NOT-READY": {
    cause: "The color did not have all its replicas ready within `progressDeadlineSeconds`.",
    remedy: "Read the events and logs of its pods, or raise `progressDeadlineSeconds`.",
  },
  "BG-CONFIG-INVALID": {
    cause: "Settings or arguments break their rules; the message lists all of them.",
    remedy: "Correct them; rules and examples are in [Settings](settings.md).",
  },
  "BG-CONFIG-NOT-LIVE": {
    cause: "The configured active color is not the one that gets traffic in the cluster.",
    remedy: "Set `activeColor` to the live color and run `pulumi up`, then repeat the command.",
  },
  "BG-CONTEXT-UNKNOWN": {
    cause: "The kubeconfig has no context of this name.",
    remedy: "Take one that `kubectl config get-contexts` shows: `pulumi config set context NAME`.",
  },
  "BG-CONTRACT-REFUSED": {
    cause: "A contract migration would remove what a version still needs, or its time has not come.",
    remedy: "Wait, or do what the message says; until then `pulumi config rm contractMigration`.",
  },
  "BG-CONTROLLER-NOT-READY": {
    cause: "The analysis controller has no ready pod of its newest template, and a switch needs one.",
    remedy:
      "Correct its image or rights, or switch without it: `pulumi config rm --path analysis.controllerImage`.",
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
    remedy: "Look for what overrides the setting or keeps a session, as the message shows, then `pulumi up`.",
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
  "BG-DEPLOYMENT-MISSING": {
    cause: "The Deployment of a color does not exist, or this program has not created it.",
    remedy: "Run `pulumi up`; a color without a release cannot be rolled back to.",
  },
  "BG-FILE-NOT-WRITTEN": {
    cause: "A file exists already, cannot be written, or would have a name that is not allowed.",
    remedy: "Do what the message says, then repeat the command.",
  },
  "BG-GATE-FAILED": {
    cause:
      "The program of a gate of yours ended with another code than 0; its last lines are in the message.",
    remedy: "Correct the version or the gate; see [Gates](../guides/gates.md).",
  },
  "BG-GATE-NOT-RUN": {
    cause: "A variable that `passEnv` of a gate names is not set where Pulumi runs.",
    remedy: "Set it, and run `pulumi up` again.",
  },
  "BG-GATE-TIMEOUT": {
    cause: "The program of a gate of yours did not end within its `timeoutSeconds`.",
    remedy: "Look at its last lines in the message, or raise `timeoutSeconds` of the gate.",
  },
  "BG-IDLE-DATABASE-NOT-EMPTY": {
    cause: "The idle color's database has rows of its own that the first copy would overwrite.",
    remedy: "Save them or truncate the tables, as the message shows, then `pulumi up`.",
  },
  "BG-IMAGE-BLOCKED": {
    cause: "This image was rolled back, and is refused until it changes.",
    remedy: "Push a new image, or allow this one again: `npm run bluegreen -- unblock COLOR`.",
  },
  "BG-IMAGE-CHANGED": {
    cause: "Somebody has given a color another image than config, `kubectl set image` for instance.",
    remedy: "Give that image to the color in config, or put back what config names, as the message says.",
  },
  "BG-IMAGE-NOT-PULLED": {
    cause: "The nodes cannot pull the image: wrong name or tag, or missing credentials.",
    remedy: "Push the image, or set a tag that exists, then `pulumi up`.",
  },
  "BG-INGRESS-CLASS-WRONG": {
    cause: "The controller of the IngressClass does not read the annotations of `traffic.router`.",
    remedy: "Set the router that goes with the controller, or another IngressClass, as the message says.",
  },
  "BG-JOB-NOT-STARTED": {
    cause: "The pod of a Job of the release could not be created, or does not start.",
    remedy: "Correct what the message says: image, Secret, quota or Pod Security.",
  },
  "BG-KUBECONFIG-MISSING": {
    cause: "There is no kubeconfig, or it cannot be read.",
    remedy: "Set KUBECONFIG, or select a context: `kubectl config use-context NAME`.",
  },
  "BG-LIVE-COLOR-CHANGED": {
    cause: "The update would change a color in place that gets traffic.",
    remedy:
      "Put the change on the idle color and switch, or allow it: `pulumi config set allowInPlaceUpdate true`.",
  },
  "BG-LIVE-COLOR-UNKNOWN": {
    cause: "The selector of the active Service names neither blue nor green.",
    remedy: "Patch the Service to the healthy color with the command of the message.",
  },
  "BG-LIVE-DATABASE-READ-ONLY": {
    cause: "The database server of the live color is a standby, or refuses writes.",
    remedy: "Find the server with the newest data; make it writable or bring traffic to its color.",
  },
  "BG-LIVE-HARMED": {
    cause: "The live color got worse while an update migrated or rolled out the idle one beside it.",
    remedy:
      "Read what this update did in the minute before, correct that, and release a new image; see [Analysis](../guides/analysis-and-rollback.md#while-the-idle-color-deploys).",
  },
  "BG-LIVE-IMAGE-CHANGED": {
    cause:
      "Somebody has given a color that serves users another image than config, and the update would take it from them, after a refresh for instance.",
    remedy:
      "Release that image on the other color, by an update without `--refresh`; or take it away: `pulumi config set allowInPlaceUpdate true`, then `pulumi up --refresh`. On a color with a share of traffic: take the share back first.",
  },
  "BG-LOAD-FAILED": {
    cause: "The load generator did not start, or ended before its first request.",
    remedy: "Read its log and events with the command of the message.",
  },
  "BG-LOCK-HELD": {
    cause: "Another update or shift of this app is running.",
    remedy: "Wait for its end, or raise `lockWaitSeconds`; a dead holder's lock expires by itself.",
  },
  "BG-LOCK-LEFT-OUT": {
    cause: "`--target` or `--exclude` leaves out the live lock, and the active color or the weights change.",
    remedy: "Run `pulumi up` without `--target` or `--exclude`.",
  },
  "BG-LOCK-LOST": {
    cause: "The lock could not be renewed in time, so somebody else may have it.",
    remedy: "Once the cluster answers, run the command again.",
  },
  "BG-LOGIN-FAILED": {
    cause: "The login command of the kubeconfig's user failed.",
    remedy: "Log in with the kubectl command of the message, then run the command again.",
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
  "BG-NAMESPACE-NOT-FOUND": {
    cause: "The namespace does not exist in the cluster of this context.",
    remedy: "Correct the context, or, where the namespace was deleted, `pulumi up --refresh`.",
  },
  "BG-NAMESPACE-PER-COLOR-CHANGED": {
    cause: "`namespacePerColor` was changed for an app that has traffic.",
    remedy: "Set it back; to move the app, release a second stack beside it.",
  },
  "BG-NAMESPACE-REPLACED": {
    cause: "The namespace or the cluster is not the one that this stack was released to.",
    remedy: "Correct the context, or, if it was replaced, `pulumi up --refresh`.",
  },
  "BG-NAMESPACE-TAKEN": {
    cause: "`npm start` would use a namespace that it has not created.",
    remedy: "Choose another one: `--namespace NAME`.",
  },
  "BG-NO-DATABASE": {
    cause: "`database.strategy` is none, so there are no migrations.",
    remedy: "Use `npm run bluegreen -- status`.",
  },
  "BG-NOT-ADOPTABLE": {
    cause: "`bluegreen init --from` found no Deployment, several, or one that two colors cannot run.",
    remedy: "Do what the message says: name the Deployment, or change what it names.",
  },
  "BG-NOT-CONFIRMED": {
    cause: "The question was not answered with yes, or there is no terminal to ask at.",
    remedy: "Repeat the command and answer yes, or give `--yes`.",
  },
  "BG-NOT-REPLICABLE": {
    cause: "Logical replication cannot carry a table without a replica identity, or large objects.",
    remedy: "Add a primary key or a replica identity, or move the large objects, as the message says.",
  },
  "BG-OPTION-INVALID": {
    cause: "An option or argument of a command has a value that is not allowed, alone or with another one.",
    remedy: "Give what the message shows; `--help` lists the options.",
  },
  "BG-OUTCOME-UNKNOWN": {
    cause: "The answer to a request that moves traffic was lost: it may have been carried out.",
    remedy: "Look with `npm run bluegreen -- status`, and repeat the command unless traffic has moved.",
  },
  "BG-PATH-NOT-FOUND": {
    cause: "A file or folder does not exist, or is not a migration.",
    remedy: "Correct the path.",
  },
  "BG-PLAN-OUTDATED": {
    cause: "The stack's config was changed after the plan was shown.",
    remedy: "Repeat the command, which shows the plan of the config as it is now.",
  },
  "BG-PLAN-REFUSED": {
    cause: "The preview refuses the change; config is as before.",
    remedy: "Do what the reason above the message says, then repeat the command.",
  },
  "BG-POD-CRASHING": {
    cause: "The container of a new pod ends again and again.",
    remedy: "Read its log with the command of the message, then set a tag of a version that starts.",
  },
  "BG-POD-NOT-STARTED": {
    cause: "A new pod does not start: the scheduler, a volume or the node refuses it.",
    remedy: "Read its events with the command of the message.",
  },
  "BG-POD-TEMPLATE-INVALID": {
    cause:
      "`podTemplate`, or the file of `podTemplateFile`, is no pod template, or says what is the release's to say.",
    remedy: "Correct what the message names; the rules are in [Pod template](../guides/pod-template.md).",
  },
  "BG-PODS-NOT-CREATED": {
    cause: "Kubernetes refuses to create a pod: a quota, a limit range or an admission rule.",
    remedy: "Read the namespace's quotas and events with the commands of the message.",
  },
  "BG-PODS-TRANSFORMED": {
    cause: "A transform, or a policy's remediation, changes pods behind the program.",
    remedy:
      "Use an argument of the app, and leave the resource that the message names out of transforms and remediations.",
  },
  "BG-POOLER-UNSUPPORTED": {
    cause: "A connection pooler in transaction mode hands one session to several clients.",
    remedy: "Add the key `direct-url` to the database Secret, with a URL that bypasses the pooler.",
  },
  "BG-PORT-NOT-AVAILABLE": {
    cause: "The dashboard cannot listen on this port.",
    remedy: "Choose another one; `--port 0` takes a free one.",
  },
  "BG-PREFLIGHT-FAILED": {
    cause: "The preflight pod of an in-place update was not ready in time, restarted, or was removed.",
    remedy: "Correct the version, or test it on the idle color, where its pods stay.",
  },
  "BG-PROGRAM-NOT-FOUND": {
    cause: "The current folder has no Pulumi.yaml.",
    remedy: "Change to the folder of the program.",
  },
  "BG-PROMOTION-FAILED": {
    cause: "The standby server did not become the primary; traffic stays, and writers continue.",
    remedy: "Read its log, make it a standby again as the message shows, then `pulumi up`.",
  },
  "BG-PULUMI-FAILED": {
    cause: "Pulumi failed before it changed anything; the message quotes it.",
    remedy: "Do what Pulumi says, then repeat the command.",
  },
  "BG-PULUMI-INSTALL-FAILED": {
    cause: "The download of Pulumi by npm failed.",
    remedy: "Check the network, or unset the variable of the message: Pulumi is built from Go modules then.",
  },
  "BG-PULUMI-NOT-FOUND": {
    cause: "There is no pulumi on PATH.",
    remedy: "Start the command by `npm run bluegreen`, which brings one, or install Pulumi.",
  },
  "BG-QUOTA-EXCEEDED": {
    cause: "A ResourceQuota has no room for the pods of both colors.",
    remedy: "Raise the quota with the command of the message, or use fewer replicas.",
  },
  "BG-REBUILD-FAILED": {
    cause: "`database.rebuildCommand` failed, or did not make the idle color's server a standby.",
    remedy: "Correct the command by its output and the server's log, then `pulumi up`.",
  },
  "BG-REDIS-UNREACHABLE": {
    cause: "Redis does not answer, so the write freeze cannot be set.",
    remedy:
      "Check `writeFreeze.redisUrl`, or switch without it: `pulumi config set --path writeFreeze.maxSeconds 0`.",
  },
  "BG-RELAY-NOT-STARTED": {
    cause: "With `database.runIn` cluster, the pod that leads to the database did not start.",
    remedy:
      "Correct what the message says: the image of `analysis.controllerImage`, quota, Pod Security, or a node without room.",
  },
  "BG-RENAME-REFUSED": {
    cause: "A column cannot be renamed this way, or a name or type is not valid SQL.",
    remedy:
      "Correct the argument, or write the migrations by hand: [Rename a column](../guides/rename-a-column.md).",
  },
  "BG-REPLICAS-BELOW-LIVE": {
    cause: "Removing the autoscaler would leave the live color fewer pods than it has now.",
    remedy: "Set `replicas` to the current number first, then reduce it step by step.",
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
  "BG-ROLLBACK-FAILED": {
    cause: "A rollback was due, and the previous color has no ready pod: traffic stays where it is.",
    remedy: "Start the previous color's pods, then `npm run bluegreen -- rollback`.",
  },
  "BG-ROLLBACK-NOT-POSSIBLE": {
    cause: "There is nothing to roll back: no previous color, no canary traffic, or no active Service.",
    remedy: "Look with `npm run bluegreen -- history`; any other move is a switch through all gates.",
  },
  "BG-ROLLED-BACK": {
    cause:
      "The analysis found that the new version does harm, or a cluster of the release failed: traffic went back.",
    remedy: "Read the evidence of the message, correct the version, and release a new image.",
  },
  "BG-ROUTER-OBJECT-CHANGED": {
    cause: "The ingress object that holds the weights is missing, or was changed by somebody else.",
    remedy: "Run `pulumi up --refresh`, which creates it again.",
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
  "BG-SECRET-MISSING": {
    cause: "A Secret of the app does not exist, or lacks a key.",
    remedy: "Create it with the command of the message, then `pulumi up`.",
  },
  "BG-SHIFT-NOT-SUPPORTED": {
    cause: "A gradual shift needs one cluster, and a router with weights.",
    remedy: "Set `traffic.strategy` to weighted, or switch: `pulumi config set activeColor COLOR`.",
  },
  "BG-SHIFT-WITH-SWITCH": {
    cause: "`activeColor` and `canaryWeight` were changed at once.",
    remedy: "Do one after the other: remove `canaryWeight`, switch, then shift.",
  },
  "BG-SMOKE-FAILED": {
    cause: "Smoke tests failed against the idle color; the message names them.",
    remedy: "Correct the version, push a new image, and set its tag.",
  },
  "BG-SMOKE-NO-TESTS": {
    cause:
      "The smoke tests cannot be loaded, which a preview finds; or the suite ran no test, or mocha did not end as it should.",
    remedy: "Run the suite by hand with the command of the message.",
  },
  "BG-SMOKE-TIMEOUT": {
    cause: "The smoke suite did not end within `smokeTimeoutSeconds`.",
    remedy: "Look at the slow test, or raise `smokeTimeoutSeconds`.",
  },
  "BG-SQL-SYNTAX": {
    cause: "PostgreSQL's grammar does not accept a migration.",
    remedy: "Correct the SQL at the line that the message names.",
  },
  "BG-STACK-LOCKED": {
    cause: "Pulumi's backend holds the stack for another update, or for one that was killed.",
    remedy: "Wait for its end; if it was killed, `pulumi cancel`, then repeat the command.",
  },
  "BG-STACK-NOT-FOUND": {
    cause: "There is no stack of this name, or this folder has no config file of it.",
    remedy: "Take one that `pulumi stack ls` shows, or create one: `npm run bluegreen -- init NAME`.",
  },
  "BG-STACK-NOT-SELECTED": {
    cause: "No stack was named, and Pulumi has none selected.",
    remedy: "Run `pulumi stack select NAME`, or give `--stack NAME`.",
  },
  "BG-STANDBY-CONFIG-CHANGED": {
    cause: "A switch would also change the variables of the color that a rollback returns to.",
    remedy:
      "Give the new color variables of its own, or allow it: `pulumi config set allowInPlaceUpdate true`.",
  },
  "BG-STANDBY-NEEDED": {
    cause: "The standby is what a rollback needs, and its time is not over.",
    remedy: "Wait, or give up the rollback: `npm run bluegreen -- scale-down --now`.",
  },
  "BG-STANDBY-SERVER-MISSING": {
    cause: "The database server of the idle color is no standby of the live one, or does not follow it.",
    remedy: "Wait until it follows, or make it a standby as the message shows.",
  },
  "BG-SWITCH-OVERTAKEN": {
    cause: "Somebody else moved traffic or began another switch meanwhile.",
    remedy: "Look with `npm run bluegreen -- history`, then run `pulumi up`.",
  },
  "BG-TAG-NOT-FOUND": {
    cause: "No color is configured with this tag.",
    remedy: "Deploy it first: `npm run bluegreen -- deploy TAG`.",
  },
  "BG-TOO-FEW-READY-PODS": {
    cause: "The color that takes over has fewer ready pods than the traffic needs.",
    remedy: "Start its pods or raise `replicas`, then repeat the command.",
  },
  "BG-VARIABLE-INVALID": {
    cause: "An environment variable is not set, or has a value that is not allowed.",
    remedy: "Set or unset it, as the message says.",
  },
  "BG-WEIGHTS-IGNORED": {
    cause: "The ingress controller does not give the idle color the configured weight of requests.",
    remedy: "Set `traffic.router` to the controller that serves the app's host.",
  },
  "BG-WORKERS-NOT-READY": {
    cause: "Workers of a color were not ready within `progressDeadlineSeconds`.",
    remedy: "Look at the pods that the message names; `npm run bluegreen -- rollback` where users suffer.",
  },
  "BG-WORKERS-NOT-STOPPED": {
    cause: "Pods of workers that run on the active color alone did not end in time.",
    remedy: "Look at the pods that the message names, and at their node, then `pulumi up`.",
  },
  "BG-WRITE-FREEZE-HELD": {
    cause: "Another release holds the write freeze of this app.",
    remedy: "Wait until it ends, then `pulumi up`.",
  },
  "BG-WRITE-FREEZE-LOST": {
    cause: "Redis lost the write freeze before traffic moved.",
    remedy: "Run `pulumi up`; Redis must not evict the key (`maxmemory-policy`).",
  },
  "BG-WRITERS-NOT-HELD": {
    cause: "The writers of the live database could not be held until the hand-over; they continue.",
    remedy: "Wait for the session that the message names, or end it, then `pulumi up`.",
  },
  "BG-WRITES-WOULD-BE-LOST": {
    cause: "The other color's database lacks writes of the live one.",
    remedy: "Copy it again, or give the writes up: `pulumi config set --path database.allowDataLoss true`.",
  },
} as const satisfies Record<`BG-${string}`, ErrorText>;

export type ErrorCode = keyof typeof errorCodes;
