import * as pulumi from "@pulumi/pulumi";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import { appLabels, names } from "@bluegreen/release/app/names";
import { controllerResources } from "@bluegreen/release/config/room";
import { colors, namespaceOf, type Color } from "@bluegreen/release/app/color";
import { secretName } from "@bluegreen/release/databases/databaseSecrets";
import { writeControllerSettings } from "@bluegreen/release/config/analysisSettings";
import { movedRoute, weightObjects } from "@bluegreen/release/routers/routers";
import { isSeparate } from "@bluegreen/release/config/schema/database";
import type { AppSettings } from "./lateArgs";
import { skipAwait } from "./annotations";
import { resourceName } from "./resourceName";

/** Where the analysis controller says that it is alive. */
const healthPort = 8080;

/**
 * Continues the analysis when an update is over or was killed, for the standby window, and rolls
 * back. One small Deployment that may read this app's pods and move this app's traffic, and nothing
 * else. None at all unless config names its image.
 */
export class AnalysisController extends pulumi.ComponentResource {
  readonly isThere: boolean;
  /** What has to be made before traffic moves. */
  readonly resources: pulumi.Resource[] = [];

  constructor(
    app: string,
    settings: AppSettings,
    after: pulumi.Resource[],
    options?: pulumi.ComponentResourceOptions,
  ) {
    const name = names.controller(app);
    const pulumiName = resourceName(settings, name);
    super("bluegreen:index:AnalysisController", pulumiName, {}, options);
    const { namespace } = settings;
    const { controllerImage: image } = settings.analysis;
    this.isThere = image !== "";
    if (image !== "") {
      const ordered = { parent: this, dependsOn: after };
      const selector = controllerLabels(app);
      const labels = { ...appLabels(app, name), ...selector };
      const metadata = { name, namespace, labels };
      const imagePullSecrets = settings.imagePullSecrets.map((secret) => ({ name: secret }));
      const account = new ServiceAccount(
        pulumiName,
        { metadata, automountServiceAccountToken: false, imagePullSecrets },
        ordered,
      );
      const bindings = roles(app, settings).map(({ resource, namespace: within, rules }) => {
        const role = new Role(
          resourceName(settings, resource),
          { metadata: { ...metadata, namespace: within }, rules },
          ordered,
        );
        return new RoleBinding(
          resourceName(settings, resource),
          {
            metadata: { ...metadata, namespace: within },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
            subjects: [{ kind: "ServiceAccount", name, namespace }],
          },
          { parent: this, dependsOn: [account, role] },
        );
      });
      const deployment = new Deployment(
        pulumiName,
        {
          metadata: { ...metadata, annotations: skipAwait },
          spec: {
            replicas: 1,
            selector: { matchLabels: selector },
            template: { metadata: { labels }, spec: podSpec(app, settings, image) },
          },
        },
        { parent: this, dependsOn: bindings },
      );
      this.resources = [deployment];
    }
    this.registerOutputs();
  }
}

export function controllerLabels(app: string): { app: string } {
  return { app: names.controller(app) };
}

/** What it may do where. In the namespace of a color it only reads, and moves what follows the live color. */
function roles(app: string, settings: AppSettings) {
  const { namespace, namespacePerColor } = settings;
  const resource = names.controller(app);
  if (!namespacePerColor)
    return [
      { resource, namespace, rules: [...appRules(app, settings), ...colorRules(app, settings, colors)] },
    ];
  return [
    { resource, namespace, rules: appRules(app, settings) },
    ...colors.map((color) => ({
      resource: `${resource}-${color}`,
      namespace: namespaceOf(settings, color),
      rules: colorRules(app, settings, [color]),
    })),
  ];
}

/** By name wherever Kubernetes can tell one object from another. */
function appRules(app: string, { traffic }: AppSettings) {
  return [
    {
      apiGroups: [""],
      resources: ["services"],
      resourceNames: [names.activeService(app)],
      verbs: ["get", "patch"],
    },
    ...weightObjects(movedRoute(traffic), app).map(({ group, plural, name }) => ({
      apiGroups: [group],
      resources: [plural],
      resourceNames: [name],
      verbs: ["get", "patch"],
    })),
    {
      apiGroups: [""],
      resources: ["configmaps"],
      resourceNames: [names.release(app), names.history(app), names.incidents(app)],
      verbs: ["get", "update", "patch"],
    },
    {
      apiGroups: ["coordination.k8s.io"],
      resources: ["leases"],
      resourceNames: [names.analysisLease(app)],
      verbs: ["get", "update"],
    },
    { apiGroups: [""], resources: ["secrets"], resourceNames: [names.alertsSecret(app)], verbs: ["get"] },
  ];
}

function colorRules(
  app: string,
  { database: { strategy }, databaseSecret, followers }: AppSettings,
  of: readonly Color[],
) {
  const workers = of.flatMap((color) =>
    (followers?.workers[color] ?? []).map(({ name }) => names.worker(app, color, name)),
  );
  const cronJobs = of.flatMap((color) =>
    (followers?.cronJobs?.[color] ?? []).map((name) => names.worker(app, color, name)),
  );
  const hasFile = followers?.colorFile === true;
  return [
    { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", ...(hasFile ? ["patch"] : [])] },
    { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"] },
    {
      apiGroups: ["apps"],
      resources: ["deployments"],
      resourceNames: [...of.map((color) => names.deployment(app, color)), ...workers],
      verbs: ["get"],
    },
    // With traffic it moves those that run on the active color alone.
    ...(workers.length === 0
      ? []
      : [
          {
            apiGroups: ["apps"],
            resources: ["deployments/scale"],
            resourceNames: workers,
            verbs: ["patch"],
          },
        ]),
    ...(cronJobs.length === 0
      ? []
      : [
          {
            apiGroups: ["batch"],
            resources: ["cronjobs"],
            resourceNames: cronJobs,
            verbs: ["get", "patch"],
          },
          {
            apiGroups: ["batch"],
            resources: ["cronjobs/status"],
            resourceNames: cronJobs,
            verbs: ["patch"],
          },
          { apiGroups: ["batch"], resources: ["jobs"], verbs: ["list"] },
        ]),
    ...(hasFile
      ? [
          {
            apiGroups: [""],
            resources: ["configmaps"],
            resourceNames: [names.activeColor(app)],
            verbs: ["get", "patch"],
          },
        ]
      : []),
    // To hand the writing over.
    ...(isSeparate(strategy)
      ? [
          {
            apiGroups: [""],
            resources: ["secrets"],
            resourceNames: of.map((color) => secretName({ strategy, databaseSecret }, color)),
            verbs: ["get"],
          },
        ]
      : []),
  ];
}

function podSpec(app: string, settings: AppSettings, image: string) {
  const { namespace, namespacePerColor } = settings;
  return {
    serviceAccountName: names.controller(app),
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: controllerUser,
      runAsGroup: controllerUser,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "analysis-controller",
        image,
        env: [
          { name: "ANALYSIS_APP", value: app },
          { name: "ANALYSIS_NAMESPACE", value: namespace },
          { name: "ANALYSIS_NAMESPACE_PER_COLOR", value: String(namespacePerColor) },
          { name: "ANALYSIS_SETTINGS", value: writeControllerSettings(app, settings) },
          { name: "ANALYSIS_HEALTH_PORT", value: String(healthPort) },
          { name: "ANALYSIS_POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        ],
        ports: [{ name: "health", containerPort: healthPort, protocol: "TCP" }],
        resources: controllerResources,
        readinessProbe: { httpGet: { path: "/health", port: "health" }, periodSeconds: 2, timeoutSeconds: 5 },
        livenessProbe: {
          httpGet: { path: "/health", port: "health" },
          initialDelaySeconds: 10,
          periodSeconds: 10,
          timeoutSeconds: 5,
          failureThreshold: 6,
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
      },
    ],
  };
}

/** Any number but 0, and not one of a real system account. */
const controllerUser = 10002;
