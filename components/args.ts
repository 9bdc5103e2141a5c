// Written by npm run docs, from Pulumi.yaml.
import type { FlatSettings } from "@bluegreen/release/settings/settings";

/** Every part of an object that is not given has its default. */
type Part<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Part<T[K]> } : T;

/**
 * The settings of a release. What the description of one calls config is these arguments. Texts of secret ones are
 * plain here, as `config.get` of Pulumi gives them: the component marks them as secret itself.
 */
export interface BlueGreenAppArgs {
  /**
   * Required. The color that serves users: blue or green. Changing it is the switch; changing it back is the rollback.
   */
  activeColor: Part<FlatSettings["activeColor"]>;
  /**
   * Image tag of blue, or tag and digest (v1.3.0@sha256:…). Without one blue stays at zero replicas. Required for the active color.
   */
  blueTag?: Part<FlatSettings["blueTag"]>;
  /**
   * Image tag of green, or tag and digest. Without one green stays at zero replicas. Required for the active color.
   */
  greenTag?: Part<FlatSettings["greenTag"]>;
  /**
   * Required. Image repository of both colors, without a tag.
   */
  imageRepository: Part<FlatSettings["imageRepository"]>;
  /**
   * Pods of each deployed color, unless autoscaling.maxReplicas is set.
   * @default 3
   */
  replicas?: Part<FlatSettings["replicas"]>;
  /**
   * An autoscaler for each color (docs/isolation.md#autoscaling). minReplicas and maxReplicas: fewest and most pods of a deployed color, 1 to 1000; a maxReplicas of 0: no autoscaler, and replicas pods. cpuPercent: of cpuRequest, that pods use on average.
   * @default {"minReplicas":3,"maxReplicas":0,"cpuPercent":70}
   */
  autoscaling?: Part<FlatSettings["autoscaling"]>;
  /**
   * What the namespace may use at most, or with isolation namespaces that of each color (docs/isolation.md#quota). enabled: makes a ResourceQuota and a LimitRange. The others are its limits; 0 and "" are computed: room for both colors, a rolling update, the trial's pod and the watcher. Add what else runs in the namespace.
   * @default {"enabled":false,"pods":0,"cpuRequests":"","cpuLimits":"","memoryRequests":"","memoryLimits":""}
   */
  quota?: Part<FlatSettings["quota"]>;
  /**
   * Who may reach the pods, and what they may reach, where the cluster's network enforces it (docs/isolation.md#networkpolicies). enabled: pods take connections on the http port alone. from: {namespaceLabels, podLabels} of whoever may, [] for everybody. egress: any, or known, which is DNS, HTTPS, the ports of database and Redis, and egressPorts.
   * @default {"enabled":true,"from":[],"egress":"any","egressPorts":[]}
   */
  networkPolicy?: Part<FlatSettings["networkPolicy"]>;
  /**
   * Secrets that images are pulled with, in the namespace of each color and, with watcherImage, in the app's. Pods run as accounts of their own, which take nothing from the default account.
   * @default []
   */
  imagePullSecrets?: Part<FlatSettings["imagePullSecrets"]>;
  /**
   * Namespace that the program makes, unless makeNamespaces is false, and fills; with isolation namespaces, of what belongs to no color.
   * @default "chatgpt-production"
   */
  namespace?: Part<FlatSettings["namespace"]>;
  /**
   * Whether the program makes its namespaces. false: somebody has made them before, and an update needs no rights outside of them (docs/doctor.md#rights).
   * @default true
   */
  makeNamespaces?: Part<FlatSettings["makeNamespaces"]>;
  /**
   * Where the colors live (docs/isolation.md#namespaces). shared: in the namespace, with all else. namespaces: each in one of its own, NAMESPACE-blue and NAMESPACE-green, which the program makes; needs traffic.mode route with route gateway or traefik, and cannot be changed while there are users.
   * @default "shared"
   */
  isolation?: Part<FlatSettings["isolation"]>;
  /**
   * Context of your kubeconfig. Not set, its current context is used.
   */
  context?: Part<FlatSettings["context"]>;
  /**
   * One release over several clusters (docs/clusters.md). members: {name, context} of each; none, and the app is in the one cluster that context names. order: inOrder (users move in one cluster after the other, each watched before the next) or atOnce. onFailure, when one fails: rollBack (users of those that have moved go back) or stop (everybody stays).
   * @default {"members":[],"order":"inOrder","onFailure":"rollBack"}
   */
  clusters?: Part<FlatSettings["clusters"]>;
  /**
   * Required. Host name that users come by, in lower case; no address.
   */
  host: Part<FlatSettings["host"]>;
  /**
   * How users come in, and what of it moves (docs/traffic.md). mode: service (the active Service's selector) or route (weights between both colors). route: nginx, traefik, gateway, alb or gce, the controller that reads it. gateway (route gateway): NAMESPACE/NAME or NAMESPACE/NAME/LISTENER of a Gateway that is there. internalHost: host of the color paths /blue and /green, which then ask for no password; another one than host; not set, they are on host and ask for one. affinity: none, cookie (the edge keeps a user with a color) or clientIP (the Services do).
   * @default {"mode":"service","route":"nginx","gateway":"","internalHost":"","affinity":"none"}
   */
  traffic?: Part<FlatSettings["traffic"]>;
  /**
   * Shares of the users, in percent, as blue=90,green=10; only with traffic.mode route. Not set, the active color has all of them. npm run bluegreen -- shift walks them (docs/traffic.md).
   */
  weights?: string;
  /**
   * Seconds, 0 to 3600, that an update watches a share that it has given; npm run bluegreen -- shift sets it.
   * @default 60
   */
  shareSeconds?: Part<FlatSettings["shareSeconds"]>;
  /**
   * IngressClass of the way in. Not set, the one that goes with traffic.route.
   */
  ingressClass?: Part<FlatSettings["ingressClass"]>;
  /**
   * cert-manager ClusterIssuer of the host's certificate; none, where somebody else makes Secret chatgpt-app-tls.
   * @default "letsencrypt-prod"
   */
  clusterIssuer?: Part<FlatSettings["clusterIssuer"]>;
  /**
   * Redis as pods reach it, without a password; an IPv6 address in brackets.
   * @default "redis://redis:6379"
   */
  redisUrl?: Part<FlatSettings["redisUrl"]>;
  /**
   * Variables for the pods of both colors, in a ConfigMap of each (docs/config-per-release.md): never encrypted. A number that is not whole stands in quotes.
   * @default {}
   */
  environment?: Part<FlatSettings["environment"]>;
  /**
   * Variables for blue alone; they win over environment.
   * @default {}
   */
  blueEnvironment?: Part<FlatSettings["blueEnvironment"]>;
  /**
   * Variables for green alone; they win over environment.
   * @default {}
   */
  greenEnvironment?: Part<FlatSettings["greenEnvironment"]>;
  /**
   * Secret. Variables for the pods of both colors, in a Secret of each: pulumi config set --secret --path secretEnvironment.NAME.
   * @default {}
   */
  secretEnvironment?: Part<FlatSettings["secretEnvironment"]>;
  /**
   * Secret. The same for blue alone; they win over secretEnvironment, and OPENAI_API_KEY over openaiApiKey.
   * @default {}
   */
  blueSecretEnvironment?: Part<FlatSettings["blueSecretEnvironment"]>;
  /**
   * Secret. The same for green alone; they win over secretEnvironment, and OPENAI_API_KEY over openaiApiKey.
   * @default {}
   */
  greenSecretEnvironment?: Part<FlatSettings["greenSecretEnvironment"]>;
  /**
   * Variables that pods take from Secrets of yours, as SECRET/KEY in their namespace. What config gives itself (openaiApiKey, secretEnvironment) is not asked of a Secret. {}: none.
   * @default {"OPENAI_API_KEY":"openai-credentials/api-key"}
   */
  secretVariables?: Part<FlatSettings["secretVariables"]>;
  /**
   * How the app answers inside its container. port: 1024 to 65535; it is told by no variable. healthPath: 200 while the process is well, whatever its database does. readyPath: 200 while it can serve users; its body may hold the schema range (docs/migrations.md) and reasons.
   * @default {"port":3000,"healthPath":"/health","readyPath":"/ready"}
   */
  http?: Part<FlatSettings["http"]>;
  /**
   * CPU that each pod is promised.
   * @default "250m"
   */
  cpuRequest?: Part<FlatSettings["cpuRequest"]>;
  /**
   * CPU that each pod may use at most.
   * @default "500m"
   */
  cpuLimit?: Part<FlatSettings["cpuLimit"]>;
  /**
   * Memory that each pod is promised.
   * @default "256Mi"
   */
  memoryRequest?: Part<FlatSettings["memoryRequest"]>;
  /**
   * Memory at which a pod is ended.
   * @default "512Mi"
   */
  memoryLimit?: Part<FlatSettings["memoryLimit"]>;
  /**
   * Timings, in seconds, of the probe of /health, which restarts a pod.
   * @default {"initialDelaySeconds":30,"periodSeconds":10,"timeoutSeconds":5,"failureThreshold":3}
   */
  livenessProbe?: Part<FlatSettings["livenessProbe"]>;
  /**
   * Timings, in seconds, of the probe of /ready, which takes a pod out of traffic.
   * @default {"initialDelaySeconds":10,"periodSeconds":5,"timeoutSeconds":3,"failureThreshold":2}
   */
  readinessProbe?: Part<FlatSettings["readinessProbe"]>;
  /**
   * Seconds, 0 to 599, that a new pod has to stay ready before it counts. A version that dies right after its start does not pass.
   * @default 5
   */
  minReadySeconds?: Part<FlatSettings["minReadySeconds"]>;
  /**
   * Seconds that a stopping pod goes on serving until no Service sends to it.
   * @default 5
   */
  drainSeconds?: Part<FlatSettings["drainSeconds"]>;
  /**
   * Seconds from the order to stop until a pod is killed, draining included.
   * @default 30
   */
  terminationGraceSeconds?: Part<FlatSettings["terminationGraceSeconds"]>;
  /**
   * Seconds that a color may take to become ready.
   * @default 300
   */
  rolloutBudgetSeconds?: Part<FlatSettings["rolloutBudgetSeconds"]>;
  /**
   * Seconds that the smoke suite may take; then it is ended, with everything that its tests have started.
   * @default 300
   */
  smokeBudgetSeconds?: Part<FlatSettings["smokeBudgetSeconds"]>;
  /**
   * Glob, below the program's folder, of the mocha tests that a color has to pass before it gets traffic.
   * @default "tests/smoke/**\/*.ts"
   */
  smokeSuite?: Part<FlatSettings["smokeSuite"]>;
  /**
   * Folder of the app's schema changes, below the program's.
   * @default "migrations"
   */
  migrationsFolder?: Part<FlatSettings["migrationsFolder"]>;
  /**
   * Id of the newest migration to apply. Not set, all in migrationsFolder are. Contract migrations among them wait for contractVersion, except in the very first release. Lowering it undoes nothing (docs/migrations.md).
   */
  schemaVersion?: Part<FlatSettings["schemaVersion"]>;
  /**
   * Id of the newest contract migration to apply, at most schemaVersion where that is set. Not set, none is. Applied at the end of an update that switches nothing, when no version that needs the old form is left (docs/migrations.md).
   */
  contractVersion?: Part<FlatSettings["contractVersion"]>;
  /**
   * Hours, 24 to 48, from the last switch by the database's clock until contract migrations may be applied.
   * @default 24
   */
  contractAfterHours?: Part<FlatSettings["contractAfterHours"]>;
  /**
   * What a color that users were switched to must not do, or they are taken back (docs/watch.md). seconds: 0 to 3600, how long the update watches it, 0 for not at all. everySeconds: 1 to 300 and at most a quarter of the seconds, between two readings. threshold: 1 to 1000, points in that time. latencySeconds: an average or p99 beyond it counts. logErrors: more errors in the log of an interval count. standbyHours: 24 to 48, how long the watcher in the cluster goes on (watcherImage). prometheusUrl and prometheusQueries ({name, query, max}): what else to ask. webhookUrl: asked with every reading, answers {healthy, reason}. URLs without a user, a password or a query.
   * @default {"seconds":600,"everySeconds":30,"threshold":10,"latencySeconds":5,"logErrors":5,"standbyHours":24,"prometheusUrl":"","prometheusQueries":[],"webhookUrl":""}
   */
  watch?: Part<FlatSettings["watch"]>;
  /**
   * Image, with a digest or a tag that is not latest, of the watcher that goes on in the cluster where an update ends or dies (docs/watch.md). Not set, a switch is watched only as long as its update runs.
   */
  watcherImage?: Part<FlatSettings["watcherImage"]>;
  /**
   * Each part a secret. Who is told about switches, rollbacks and failed gates (docs/alerts.md); the program makes Secret chatgpt-app-alerts of it. slackUrl: an incoming webhook. webhookUrl: takes signed JSON; webhookSecret signs it, 16 characters or more. pagerDutyKey: of an Events API v2 integration.
   * @default {"slackUrl":"","webhookUrl":"","webhookSecret":"","pagerDutyKey":""}
   */
  alerts?: Part<FlatSettings["alerts"]>;
  /**
   * Seconds, 0 to 3600, to wait for another update that releases the app at the moment (docs/locks.md).
   * @default 60
   */
  lockWaitSeconds?: Part<FlatSettings["lockWaitSeconds"]>;
  /**
   * Lets the live color's pods change in place, as a rolling update, after a trial pod that no user reaches has passed the gates of a switch. Also lets a switch change the variables of the color it leaves (docs/config-per-release.md).
   * @default false
   */
  allowLiveChange?: Part<FlatSettings["allowLiveChange"]>;
  /**
   * Lets `pulumi destroy`, and a program without them, delete what serves users (docs/locks.md). To destroy the stack, set it to true, run `pulumi up`, and then `pulumi destroy`.
   * @default false
   */
  allowDelete?: Part<FlatSettings["allowDelete"]>;
  /**
   * Asks the app not to write while traffic moves (docs/read-only-fence.md). seconds: after which it ends in any case, 0 to 600, 0 for none. settleMs: wait between asking and moving, 0 to 60000, less than the seconds. redisUrl: Redis as this program reaches it, where that differs from redisUrl; without a password.
   * @default {"seconds":0,"settleMs":1000,"redisUrl":""}
   */
  readOnlyFence?: Part<FlatSettings["readOnlyFence"]>;
  /**
   * How clients leave the color that users were moved from (docs/draining.md). seconds: 0 to 3600, within which their connections and streams end; the color is not touched before. 0: nobody waits. port: where pods take the order, inside the pod alone; 0: they take none.
   * @default {"seconds":30,"port":3001}
   */
  drain?: Part<FlatSettings["drain"]>;
  /**
   * How the two colors share their data (docs/databases.md). strategy: shared (one database), perColor (one each, replicated both ways) or replica (the idle color reads a standby) or none (the app has no database). With perColor and replica: Secrets db-credentials-blue and -green. acceptLoss: goes on where writes are lost; take it back afterwards. rebuildCommand (replica): words of a command that makes the server of STANDBY_COLOR a standby of PRIMARY_COLOR, both in its environment. rebuildTimeoutSeconds: 1 to 86400, after which it is ended with everything that it has started. budgetSeconds: 1 to 86400, for one database to have what the other has, first copy included.
   * @default {"strategy":"shared","acceptLoss":false,"rebuildCommand":[],"rebuildTimeoutSeconds":3600,"budgetSeconds":600}
   */
  database?: Part<FlatSettings["database"]>;
  /**
   * Secret. PostgreSQL URL of a role that may create roles and databases (CREATEROLE, CREATEDB); in its password / is written as %2F, @ as %40. With it the program makes the app's database account and Secret db-credentials itself; only with database.strategy shared.
   */
  databaseAdminUrl?: Part<FlatSettings["databaseAdminUrl"]>;
  /**
   * HOST:PORT of that server as pods reach it, an IPv6 address in brackets. Needed with databaseAdminUrl.
   */
  databaseAddress?: Part<FlatSettings["databaseAddress"]>;
  /**
   * Secret. OPENAI_API_KEY of both colors, in their Secrets. Without it pods take it from Secret openai-credentials, key api-key, which somebody has made.
   */
  openaiApiKey?: Part<FlatSettings["openaiApiKey"]>;
}
