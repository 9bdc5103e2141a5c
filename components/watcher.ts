import * as pulumi from "@pulumi/pulumi";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import { watcherResources } from "@bluegreen/release/capacity/room";
import { colors, type Color } from "@bluegreen/release/color";
import { databaseSecret } from "@bluegreen/release/database/databaseSecret";
import { homeOf } from "@bluegreen/release/homes";
import { names } from "@bluegreen/release/names";
import { writeWatcherSettings } from "@bluegreen/release/releases/watcherSettings";
import { movedRoute } from "@bluegreen/release/route/route";
import { weightObjects } from "@bluegreen/release/route/routes";
import { isSeparate } from "@bluegreen/release/settings/schema";
import type { Settings } from "@bluegreen/release/settings/settings";
import { skipAwait } from "./appColor";
import { resourceName } from "./resourceName";

/** Where the watcher says that it is alive. */
const healthPort = 8080;

/**
 * Watches a switch on when its update is over or was killed, for the standby window, and takes
 * users back. One small Deployment that may read this app's pods and move this app's users, and
 * nothing else. None at all unless config names its image.
 */
export class Watcher extends pulumi.ComponentResource {
  readonly isThere: boolean;
  /** What has to be made before users move. */
  readonly resources: pulumi.Resource[] = [];

  constructor(app: string, settings: Settings, after: pulumi.Resource[], options?: pulumi.ComponentResourceOptions) {
    const name = names.watcher(app);
    const pulumiName = resourceName(settings, name);
    super("bluegreen:app:Watcher", pulumiName, {}, options);
    const { namespace, watcherImage: image } = settings;
    this.isThere = image !== undefined;
    if (image !== undefined) {
      const ordered = { parent: this, dependsOn: after };
      const labels = watcherLabels(app);
      const metadata = { name, namespace, labels };
      const imagePullSecrets = settings.imagePullSecrets.map((secret) => ({ name: secret }));
      const account = new ServiceAccount(pulumiName, { metadata, automountServiceAccountToken: false, imagePullSecrets }, ordered);
      const bindings = roles(app, settings).map(({ resource, namespace: within, rules }) => {
        const role = new Role(resourceName(settings, resource), { metadata: { ...metadata, namespace: within }, rules }, ordered);
        return new RoleBinding(resourceName(settings, resource), { metadata: { ...metadata, namespace: within }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name }, subjects: [{ kind: "ServiceAccount", name, namespace }] }, { parent: this, dependsOn: [account, role] });
      });
      const deployment = new Deployment(
        pulumiName,
        { metadata: { ...metadata, annotations: skipAwait }, spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(app, settings, image) } } },
        { parent: this, dependsOn: bindings },
      );
      this.resources = [deployment];
    }
    this.registerOutputs();
  }
}

export function watcherLabels(app: string): { app: string } {
  return { app: names.watcher(app) };
}

/** What it may do where. In the namespace of a color it only reads. */
function roles(app: string, settings: Settings) {
  const { namespace, isolation } = settings;
  const resource = names.watcher(app);
  if (isolation === "shared") return [{ resource, namespace, rules: [...appRules(app, settings), ...colorRules(app, settings, colors)] }];
  return [
    { resource, namespace, rules: appRules(app, settings) },
    ...colors.map((color) => ({ resource: `${resource}-${color}`, namespace: homeOf(settings, color), rules: colorRules(app, settings, [color]) })),
  ];
}

/** By name wherever Kubernetes can tell one object from another. */
function appRules(app: string, { traffic }: Settings) {
  return [
    { apiGroups: [""], resources: ["services"], resourceNames: [names.activeService(app)], verbs: ["get", "patch"] },
    ...weightObjects(movedRoute(traffic), app).map(({ group, plural, name }) => ({ apiGroups: [group], resources: [plural], resourceNames: [name], verbs: ["get", "patch"] })),
    { apiGroups: [""], resources: ["configmaps"], resourceNames: [names.release(app), names.history(app), names.incidents(app)], verbs: ["get", "update", "patch"] },
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames: [names.watchLease(app)], verbs: ["get", "update"] },
    { apiGroups: [""], resources: ["secrets"], resourceNames: [names.alertsSecret(app)], verbs: ["get"] },
  ];
}

function colorRules(app: string, { database: { strategy } }: Settings, of: readonly Color[]) {
  return [
    { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] },
    { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list"] },
    { apiGroups: ["apps"], resources: ["deployments"], resourceNames: of.map((color) => names.deployment(app, color)), verbs: ["get"] },
    // To hand the writing over.
    ...(isSeparate(strategy) ? [{ apiGroups: [""], resources: ["secrets"], resourceNames: of.map((color) => databaseSecret(strategy, color)), verbs: ["get"] }] : []),
  ];
}

function podSpec(app: string, settings: Settings, image: string) {
  const { namespace, isolation } = settings;
  return {
    serviceAccountName: names.watcher(app),
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: watcherUser, runAsGroup: watcherUser, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "watcher",
        image,
        env: [
          { name: "WATCH_APP", value: app },
          { name: "WATCH_NAMESPACE", value: namespace },
          { name: "WATCH_ISOLATION", value: isolation },
          { name: "WATCH_SETTINGS", value: writeWatcherSettings(settings) },
          { name: "WATCH_HEALTH_PORT", value: String(healthPort) },
          { name: "WATCH_POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        ],
        ports: [{ name: "health", containerPort: healthPort, protocol: "TCP" }],
        resources: watcherResources,
        readinessProbe: { httpGet: { path: "/health", port: "health" }, periodSeconds: 2, timeoutSeconds: 5 },
        livenessProbe: { httpGet: { path: "/health", port: "health" }, initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
      },
    ],
  };
}

/** Any number but 0, and not one of a real system account. */
const watcherUser = 10002;
