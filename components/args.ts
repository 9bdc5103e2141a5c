// Written by npm run docs, from release/src/config/schema.ts.
import type { Input } from "@pulumi/pulumi";
import type { CronJobArgs, WorkerArgs } from "@bluegreen/release/config/background";
import type { GateArgs } from "@bluegreen/release/config/gates";
import type { PodTemplateArg } from "@bluegreen/release/config/podTemplate/podTemplateSchema";
import type { FlatSettings } from "@bluegreen/release/config/schema";

/** Every part of an object that is not given has its default. */
type Part<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Part<T[K]> } : T;

/** The same, where another resource may give some parts. */
type LatePart<T, Late extends keyof T> = Part<Omit<T, Late>> & { [K in Late]?: Input<T[K]> };

/**
 * The settings of a release. What the description of one calls config is these arguments.
 *
 * An argument may be an Input, the output of another resource, unless it decides what there is or what a preview
 * refuses. So these are plain: what decides which resources and steps a release has, and everything in the pods,
 * variables and secret ones among it. The preview compares pods with the live ones, and a value that it does not
 * know could not be compared; give pods such a value by a Secret of your own, in `envFromSecrets`. Plain texts of
 * secret arguments are as `config.get` of Pulumi gives them: the component marks them as secret itself.
 */
export interface BlueGreenAppArgs {
  /**
   * Required. The live color: blue or green. Changing it is the switch; changing it back is the rollback.
   */
  activeColor: Part<FlatSettings["activeColor"]>;
  /**
   * Image tag of blue, or tag and digest (v1.3.0@sha256:…). Without one blue stays at zero replicas. Required
   * for the active color.
   */
  blueTag?: Part<FlatSettings["blueTag"]>;
  /**
   * Image tag of green, or tag and digest. Without one green stays at zero replicas. Required for the active
   * color.
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
   * An autoscaler for each color (docs/guides/namespace-per-color.md#autoscaling). minReplicas and
   * maxReplicas: fewest and most pods of a deployed color, 1 to 1000; a maxReplicas of 0: no autoscaler, and
   * replicas pods. cpuPercent: of resources.requests.cpu, that pods use on average.
   * @default {"minReplicas":3,"maxReplicas":0,"cpuPercent":70}
   */
  autoscaling?: Part<FlatSettings["autoscaling"]>;
  /**
   * A PodDisruptionBudget for each color: a drain of nodes takes one of its pods at a time, and any that is
   * not ready. false: where somebody else's selects the pods, since Kubernetes evicts no pod that two select.
   * @default true
   */
  podDisruptionBudget?: Part<FlatSettings["podDisruptionBudget"]>;
  /**
   * What the namespace may use at most, or with namespacePerColor that of each color
   * (docs/guides/namespace-per-color.md#quota). enabled: makes a ResourceQuota and a LimitRange. The others
   * are its limits; 0 and "" are computed: room for both colors, a rolling update, the preflight pod and the
   * analysis controller; a limit that resources do not have is left out. Add what else runs in the namespace.
   * @default {"enabled":false,"pods":0,"cpuRequests":"","cpuLimits":"","memoryRequests":"","memoryLimits":""}
   */
  quota?: Part<FlatSettings["quota"]>;
  /**
   * Who may reach the pods, and what they may reach, where the cluster's network enforces it
   * (docs/guides/namespace-per-color.md#networkpolicies). enabled: pods take connections on the http port
   * alone, and on extraPorts of the pods. allowFrom: {namespaceLabels, podLabels} of whoever may, [] for
   * everybody. egress: unrestricted, or restricted, which is DNS, HTTPS, the ports of the database and of
   * URLs in env, and egressPorts.
   * @default {"enabled":true,"allowFrom":[],"egress":"unrestricted","extraPorts":[],"egressPorts":[]}
   */
  networkPolicy?: Part<FlatSettings["networkPolicy"]>;
  /**
   * Secrets that images are pulled with, in the namespace of each color and, with analysis.controllerImage,
   * in the app's. Pods run as accounts of their own, which take nothing from the default account.
   * @default []
   */
  imagePullSecrets?: Part<FlatSettings["imagePullSecrets"]>;
  /**
   * Namespace that the program makes, unless createNamespaces is false, and fills; with namespacePerColor, of
   * what belongs to no color.
   * @default "APP"
   */
  namespace?: Part<FlatSettings["namespace"]>;
  /**
   * Whether the program makes its namespaces. false: somebody has made them before, and an update needs no
   * rights outside of them (docs/reference/rbac.md).
   * @default true
   */
  createNamespaces?: Part<FlatSettings["createNamespaces"]>;
  /**
   * Whether each color lives in a namespace of its own, NAMESPACE-blue and NAMESPACE-green, which the program
   * makes (docs/guides/namespace-per-color.md#namespaces); otherwise both live in the namespace, with all
   * else. Needs traffic.strategy weighted with traffic.router gateway or traefik, and cannot be changed while
   * there is an active color.
   * @default false
   */
  namespacePerColor?: Part<FlatSettings["namespacePerColor"]>;
  /**
   * Context of your kubeconfig. Not set, its current context is used.
   */
  context?: Part<FlatSettings["context"]>;
  /**
   * One release over several clusters (docs/guides/multi-cluster.md). targets: {name, context} of each; none,
   * and the app is in the one cluster that context names. rollout: sequential (traffic moves in one cluster
   * after the other, each analysed before the next) or parallel. onFailure, when one fails: rollback (traffic
   * of those that have switched returns) or stop (everything stays).
   * @default {"targets":[],"rollout":"sequential","onFailure":"rollback"}
   */
  clusters?: Part<FlatSettings["clusters"]>;
  /**
   * Host name of the app, in lower case; no address. Needed, except with traffic.router none, which makes no
   * ingress.
   */
  host?: Part<FlatSettings["host"]>;
  /**
   * How requests arrive, and what moves in a switch (docs/guides/traffic-routing.md). strategy: selector (of
   * the active Service) or weighted (weights of the router between both colors). router: nginx, traefik,
   * gateway, istio, alb, gce or none (no ingress). gateway (router gateway or istio): NAMESPACE/NAME of a
   * Gateway that is there, or NAMESPACE/NAME/LISTENER (router gateway). internalHost: host of the color paths
   * /blue and /green, which then ask for no password; another one than host; not set, they are on host and
   * ask for one. affinity: none, cookie (the edge keeps a user with a color) or clientIP (the Services do).
   * @default {"strategy":"selector","router":"nginx","gateway":"","internalHost":"","affinity":"none"}
   */
  traffic?: Part<FlatSettings["traffic"]>;
  /**
   * Percentage of the traffic, 0 to 99, that the idle color gets; only with traffic.strategy weighted. All
   * traffic moves by activeColor. npm run bluegreen -- shift raises it step by step
   * (docs/guides/traffic-routing.md).
   * @default 0
   */
  canaryWeight?: Part<FlatSettings["canaryWeight"]>;
  /**
   * Seconds, 0 to 3600, that an update analyses the idle color after it has raised its weight; npm run
   * bluegreen -- shift sets it.
   * @default 60
   */
  canaryStepSeconds?: Part<FlatSettings["canaryStepSeconds"]>;
  /**
   * The objects of the ingress. annotations: of those that requests come in by; they win over the program's,
   * except where a release needs its own, which the preview says. hosts: further host names, *.example.com
   * too, all with TLS. tlsSecret: Secret of the certificate; not set, APP-tls. paths: other backends on these
   * hosts, each {path, pathType, service, port}.
   * @default {"annotations":{},"hosts":[],"tlsSecret":"","paths":[]}
   */
  ingress?: Part<FlatSettings["ingress"]>;
  /**
   * The Services. annotations, type (ClusterIP, NodePort or LoadBalancer) and port are the active Service's;
   * appProtocol, of the app's port, and extraPorts, each {name, port, targetPort, appProtocol}, also those of
   * the Services of each color.
   * @default {"annotations":{},"type":"ClusterIP","port":80,"appProtocol":"","extraPorts":[]}
   */
  service?: Part<FlatSettings["service"]>;
  /**
   * Labels of every object that the program makes, namespaces included, beside its own. Not of pods: a new
   * label of a pod is a new pod.
   * @default {}
   */
  labels?: Part<FlatSettings["labels"]>;
  /**
   * Annotations of every object that the program makes, not of pods. Its own win.
   * @default {}
   */
  annotations?: Part<FlatSettings["annotations"]>;
  /**
   * IngressClass of the ingress. Not set, the one that goes with traffic.router.
   */
  ingressClass?: Part<FlatSettings["ingressClass"]>;
  /**
   * cert-manager ClusterIssuer of the host's certificate; none, where somebody else makes Secret APP-tls.
   * @default "letsencrypt-prod"
   */
  clusterIssuer?: Part<FlatSettings["clusterIssuer"]>;
  /**
   * Variables for the pods of both colors, in a ConfigMap of each (docs/guides/configuration-per-release.md):
   * never encrypted. Names that the program sets, too, are then yours. A number that is not whole stands in
   * quotes.
   * @default {}
   */
  env?: Part<FlatSettings["env"]>;
  /**
   * Secret. Variables for the pods of both colors, in a Secret of each: pulumi config set --secret --path
   * secretEnv.NAME.
   * @default {}
   */
  secretEnv?: Part<FlatSettings["secretEnv"]>;
  /**
   * Variables that pods take from Secrets of yours, as SECRET/KEY in their namespace. What secretEnv gives is
   * not asked of a Secret.
   * @default {}
   */
  envFromSecrets?: Part<FlatSettings["envFromSecrets"]>;
  /**
   * What is blue's alone: env, secretEnv (each value secret), envFromSecrets and podTemplate as for both,
   * over those, podTemplateFile and activeColorFile instead of that of both, and workers and cronJobs, of
   * which one replaces that of both with its name.
   * @default {"env":{},"secretEnv":{},"envFromSecrets":{},"podTemplate":{}}
   */
  blue?: Part<FlatSettings["blue"]>;
  /**
   * What is green's alone: env, secretEnv (each value secret), envFromSecrets and podTemplate as for both,
   * over those, podTemplateFile and activeColorFile instead of that of both, and workers and cronJobs, of
   * which one replaces that of both with its name.
   * @default {"env":{},"secretEnv":{},"envFromSecrets":{},"podTemplate":{}}
   */
  green?: Part<FlatSettings["green"]>;
  /**
   * Pods as Kubernetes has them: a pod template, {metadata, spec} as in a Deployment, or the manifest of a
   * Deployment, whose template it is (docs/guides/pod-template.md). What it says wins over the program's
   * defaults, merged as kubectl patch does, null removes. It sets neither the image of the app's container
   * nor the labels app and version. A value of config that looks like a number is a text with --type=string.
   * @default {}
   */
  podTemplate?: PodTemplateArg;
  /**
   * File, below the program's folder, with a pod template or the manifest of a Deployment, which podTemplate
   * is merged over.
   */
  podTemplateFile?: Part<FlatSettings["podTemplateFile"]>;
  /**
   * Further pods of each color from the same image, with its variables and Secrets, that answer no requests
   * (docs/guides/workers.md). runOn: active, stopped and started with the switch, or both, which have to be
   * ready before it. replicas: of each color that they run on. overlap: with runOn active, lets the old ones
   * run until the new ones have started; otherwise these wait until those are gone. command and args: words,
   * instead of what the image starts with. podTemplate: merged over the pods of the color, without their
   * ports and probes.
   * @default []
   */
  workers?: WorkerArgs[];
  /**
   * CronJobs of each color from the same image, with its variables and Secrets: those of the live color start
   * Jobs, those of the idle color are suspended (docs/guides/cron-jobs.md). schedule: five fields of cron, or
   * as @daily. timeZone: of the IANA database; not set, that of the cluster's control plane.
   * concurrencyPolicy: what happens where the Job before still runs. command and args: words, instead of what
   * the image starts with. podTemplate: merged over the pods of the color, without their ports and probes,
   * and with restartPolicy OnFailure.
   * @default []
   */
  cronJobs?: CronJobArgs[];
  /**
   * Whether pods, workers among them, have a file with the live color in it, which a switch changes without a
   * restart (docs/guides/active-color-file.md). BLUEGREEN_ACTIVE_COLOR_FILE is its path, and BLUEGREEN_COLOR
   * the pod's own color.
   * @default false
   */
  activeColorFile?: Part<FlatSettings["activeColorFile"]>;
  /**
   * The account that pods run as. name: of one that is there; not set, the program makes APP-blue and
   * APP-green. annotations: of those that it makes, as a cloud's role asks for.
   * @default {"name":"","annotations":{}}
   */
  serviceAccount?: Part<FlatSettings["serviceAccount"]>;
  /**
   * Name of the app's container in its pods. Not set, it is the one of podTemplate that has the image of
   * imageRepository, or APP, the app's name.
   */
  container?: Part<FlatSettings["container"]>;
  /**
   * How the app answers inside its container. port: 1 to 65535, one that is open to the app's user; it is
   * told by no variable. livenessPath: 200 while the process is well, whatever its database does.
   * readinessPath: 200 while it can serve traffic; its body may hold the schema range
   * (docs/guides/migrations.md) and reasons.
   * @default {"livenessPath":"/health","readinessPath":"/ready"}
   */
  http?: Part<FlatSettings["http"]>;
  /**
   * CPU and memory of each pod, as in a container. A request that is not given has its default. limits are
   * taken whole: one that they do not name is no limit, and {} is none at all.
   * @default {"requests":{"cpu":"250m","memory":"256Mi"},"limits":{"cpu":"500m","memory":"512Mi"}}
   */
  resources?: Part<FlatSettings["resources"]>;
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
   * Seconds, 0 to 599, that a new pod has to stay ready before it counts. A version that dies right after its
   * start does not pass.
   * @default 5
   */
  minReadySeconds?: Part<FlatSettings["minReadySeconds"]>;
  /**
   * Seconds that a stopping pod continues serving until no Service sends to it.
   * @default 5
   */
  preStopDelaySeconds?: Part<FlatSettings["preStopDelaySeconds"]>;
  /**
   * Seconds from the order to stop until a pod is killed, draining included.
   * @default 30
   */
  terminationGracePeriodSeconds?: Part<FlatSettings["terminationGracePeriodSeconds"]>;
  /**
   * Seconds, 1 to 3600, that a color may take to become ready.
   * @default 300
   */
  progressDeadlineSeconds?: Part<FlatSettings["progressDeadlineSeconds"]>;
  /**
   * Seconds that the smoke suite may take; then it is ended, with everything that its tests have started.
   * @default 300
   */
  smokeTimeoutSeconds?: Part<FlatSettings["smokeTimeoutSeconds"]>;
  /**
   * Glob, below the program's folder, of the mocha tests that a color has to pass before it gets traffic.
   * @default "tests/smoke/**\/*.ts"
   */
  smokeTests?: Part<FlatSettings["smokeTests"]>;
  /**
   * Names of variables that the smoke tests get from where Pulumi runs, secret ones included: the values are
   * in no config, and hidden in what a test says.
   * @default []
   */
  smokeEnv?: Part<FlatSettings["smokeEnv"]>;
  /**
   * Runs the smoke tests against the live color as well, in an update that deploys or migrates: before its
   * first migration, after its migrations, and once the idle pods are ready. A test that passed before and
   * fails after stops the update (docs/guides/analysis-and-rollback.md#its-own-smoke-tests). The tests have
   * to bear being run several times against what serves traffic.
   * @default false
   */
  smokeLiveColor?: Part<FlatSettings["smokeLiveColor"]>;
  /**
   * Programs of yours that decide whether a release continues (docs/guides/gates.md). when: beforeRollout (of
   * each new pod template of a color), beforeSwitch, afterSwitch (traffic returns unless it passes) or
   * beforeScaleDown (of the standby). command: words of a program where Pulumi runs, in the program's folder,
   * without a shell. job: instead of it, a Job of any image in the color's namespace. Exit code 0 passes.
   * env: variables for it, never encrypted. passEnv: names of variables of pulumi's own environment that a
   * command gets, secrets among them. job.envFromSecrets: variables from Secrets, as SECRET/KEY.
   * timeoutSeconds: after which it is ended with everything that it has started.
   * @default []
   */
  gates?: GateArgs[];
  /**
   * Migrations of the app's own framework (docs/guides/migrations-by-command.md). command: words that a Job
   * of the new image runs instead of what the image starts with, with the variables and Secrets of the pods,
   * before the first of them, once for each pod template; beside the files of migrationsDir or without any.
   * timeoutSeconds: 1 to 86400, after which it is ended.
   * @default {"command":[],"timeoutSeconds":600}
   */
  migrations?: Part<FlatSettings["migrations"]>;
  /**
   * Folder of the app's schema changes, below the program's.
   * @default "migrations"
   */
  migrationsDir?: Part<FlatSettings["migrationsDir"]>;
  /**
   * Id of the newest migration to apply. Not set, all in migrationsDir are. Contract migrations among them
   * wait for contractMigration, except in the very first release. Lowering it undoes nothing
   * (docs/guides/migrations.md).
   */
  schemaVersion?: Part<FlatSettings["schemaVersion"]>;
  /**
   * Id of the newest contract migration to apply, at most schemaVersion where that is set. Not set, none is.
   * Applied at the end of an update that switches nothing, when no version that needs the old form is left
   * (docs/guides/migrations.md).
   */
  contractMigration?: Part<FlatSettings["contractMigration"]>;
  /**
   * Hours, 24 to 48, from the last switch by the database's clock until contract migrations may be applied.
   * @default 24
   */
  contractDelayHours?: Part<FlatSettings["contractDelayHours"]>;
  /**
   * How the active color is observed after a switch, with automatic rollback
   * (docs/guides/analysis-and-rollback.md). durationSeconds: 0 to 3600, by the update; 0 for not at all.
   * intervalSeconds: 1 to 300 and at most a quarter of durationSeconds, between two samples.
   * failureThreshold: 1 to 1000, points within durationSeconds that end it. latencySeconds: an average or p99
   * beyond it counts. slowerThanBefore: whether latencies that are higher than the old color's before the
   * switch are only reported, or count. logErrors: more errors in the logs of four pods in an interval count,
   * unless the logs were as noisy before. metrics: path and port of the app's metrics, and where it names
   * them as no known library does, name (of the metric that counts requests), statusLabel, errorStatus (a
   * regular expression) and pathLabel. maxErrorPercent: a fixed limit instead of a comparison with the errors
   * of before the switch. noData, where no request or no status was seen: continue, fail, or router, which
   * asks the router as well. requestsFrom, of an app without metrics of its own: pods, router (the metrics of
   * traffic.router), istio or linkerd; with traffic.router gateway who implements it: envoyGateway,
   * istioGateway or traefikGateway. routerMetricsUrl: those of the router itself, of one instance; not set,
   * prometheusUrl is asked for them. prometheusUrl and prometheusQueries: what else to ask; {name, query,
   * max, min, maxTimes, comparedWith, whenNoData} each, with {{color}} in the query for the color analyzed;
   * max and min: the largest and smallest value that pass; maxTimes: the largest as a multiple of the same
   * query of the active color before the switch, or of the idle color with comparedWith idle; whenNoData:
   * continue or fail. webhookUrl: asked with every sample, answers {healthy, reason}. URLs without a user, a
   * password or a query. controllerImage: with a digest or a tag that is not latest, of the controller that
   * continues in the cluster, for standbyHours, where an update ends or dies; not set, the analysis ends with
   * its update.
   * @default
   * {"durationSeconds":600,"intervalSeconds":30,"failureThreshold":10,"latencySeconds":5,"slowerThanBefore":"report","logErrors":5,"maxErrorPercent":0,"noData":"continue","requestsFrom":"pods","routerMetricsUrl":"","prometheusUrl":"","prometheusQueries":[],"webhookUrl":"","metrics":{"path":"/metrics","port":0,"name":"","statusLabel":"","errorStatus":"5(\\d\\d|xx)","pathLabel":""},"controllerImage":""}
   */
  analysis?: Part<FlatSettings["analysis"]>;
  /**
   * Hours, 24 to 48, that the standby keeps its pods after a switch, and that the analysis controller
   * observes the active color (docs/guides/analysis-and-rollback.md).
   * @default 24
   */
  standbyHours?: Part<FlatSettings["standbyHours"]>;
  /**
   * Each part a secret. Who is told about switches, rollbacks and failed gates (docs/guides/alerts.md); the
   * program makes Secret APP-alerts of it. slackUrl: an incoming webhook. webhookUrl: takes signed JSON;
   * webhookSecret signs it, 16 characters or more. pagerDutyKey: of an Events API v2 integration.
   * @default {"slackUrl":"","webhookUrl":"","webhookSecret":"","pagerDutyKey":""}
   */
  alerts?: LatePart<FlatSettings["alerts"], "slackUrl" | "webhookUrl" | "webhookSecret" | "pagerDutyKey">;
  /**
   * Seconds, 0 to 3600, to wait for another update that releases the app at the moment
   * (docs/guides/concurrent-updates.md).
   * @default 60
   */
  lockWaitSeconds?: Part<FlatSettings["lockWaitSeconds"]>;
  /**
   * Lets the live color's pods change in place, as a rolling update, after a preflight pod that no user
   * reaches has passed the gates of a switch. Also lets a switch change the variables of the color it leaves
   * (docs/guides/configuration-per-release.md).
   * @default false
   */
  allowInPlaceUpdate?: Part<FlatSettings["allowInPlaceUpdate"]>;
  /**
   * Refuses `pulumi destroy`, and a program without them, to delete what serves traffic
   * (docs/guides/concurrent-updates.md). To destroy the stack, set it to false, run `pulumi up`, and then
   * `pulumi destroy`.
   * @default true
   */
  deletionProtection?: Part<FlatSettings["deletionProtection"]>;
  /**
   * Asks the app not to write during a switch (docs/guides/write-freeze.md). maxSeconds: after which it ends
   * in any case, 0 to 600, 0 for none. gracePeriodMs: wait between asking and moving, 0 to 60000, less than
   * maxSeconds. redisUrl: where the request is left, in the Redis that the app asks, as this program reaches
   * it; without a password; needed with maxSeconds.
   * @default {"maxSeconds":0,"gracePeriodMs":1000,"redisUrl":""}
   */
  writeFreeze?: LatePart<FlatSettings["writeFreeze"], "redisUrl">;
  /**
   * How clients leave the color that traffic has moved from (docs/guides/connection-draining.md).
   * timeoutSeconds: 0 to 3600, within which their connections and streams end; the color is not touched
   * before. 0: nobody waits. port: where pods take the order, inside the pod alone; 0: they take none.
   * @default {"timeoutSeconds":30,"port":3001}
   */
  connectionDrain?: Part<FlatSettings["connectionDrain"]>;
  /**
   * Secret in the namespace of the pods that points to the database, by its keys (docs/guides/databases.md);
   * where each color has its own, one of this name with -blue and one with -green.
   * @default "APP-database"
   */
  databaseSecret?: Part<FlatSettings["databaseSecret"]>;
  /**
   * How the two colors share their data (docs/guides/databases.md). strategy: shared (one database),
   * logicalReplication (one each, replicated both ways), streamingReplica (the idle color reads a standby) or
   * none (the app has no database). With logicalReplication and streamingReplica there are two Secrets
   * (databaseSecret). runIn: update (connections go from the machine that runs the update) or cluster (they
   * go through a pod of analysis.controllerImage that the update makes; only with shared). allowDataLoss:
   * continues where writes are lost; remove it afterwards. rebuildCommand (streamingReplica): words of a
   * command that makes the server of STANDBY_COLOR a standby of PRIMARY_COLOR, both in its environment.
   * rebuildTimeoutSeconds: 1 to 86400, after which it is ended with everything that it has started.
   * timeoutSeconds: 1 to 86400, for one database to have what the other has, first copy included.
   * @default
   * {"strategy":"shared","runIn":"update","allowDataLoss":false,"rebuildCommand":[],"rebuildTimeoutSeconds":3600,"timeoutSeconds":600}
   */
  database?: Part<FlatSettings["database"]>;
  /**
   * Secret. PostgreSQL URL of a role that may create roles and databases (CREATEROLE, CREATEDB); in its
   * password / is written as %2F, @ as %40. What it says of encryption, as ?sslmode=disable, the DATABASE_URL
   * of the pods says as well. With it the program makes the app's database account and its Secret
   * (databaseSecret) itself; only with database.strategy shared.
   */
  databaseAdminUrl?: Input<NonNullable<FlatSettings["databaseAdminUrl"]>> | undefined;
  /**
   * HOST:PORT of that server as pods reach it, an IPv6 address in brackets. Needed with databaseAdminUrl.
   */
  databaseAddress?: Input<NonNullable<FlatSettings["databaseAddress"]>> | undefined;
}
