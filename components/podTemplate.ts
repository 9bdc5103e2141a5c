import { createHash } from "node:crypto";
import { appResources } from "@bluegreen/release/capacity/room";
import { databaseSecret } from "@bluegreen/release/database/databaseSecret";
import { fenceKey } from "@bluegreen/release/fence/flag";
import { drainPortVariable, names, templateAnnotation } from "@bluegreen/release/names";
import type { Color } from "@bluegreen/release";
import type { Strategy } from "@bluegreen/release/settings/schema";
import { secretKeysOf, type ProbeTimings, type Settings } from "@bluegreen/release/settings/settings";
import { colorConfig, type ColorConfig } from "./colorConfig";
import { stackName } from "./stackName";

/** The user that the app runs as: any number but 0, and not one of a real system account. */
const appUser = 10001;

export interface ColorTemplate {
  labels: { app: string; version: Color };
  image: string;
  /** What the pods take the settings' variables from. */
  config: ColorConfig;
  /** Changes whenever anything in the pods would, variables included: their objects are named by content. */
  hash: string;
  spec: ReturnType<typeof podSpec>;
  metadata: { labels: { app: string; version: Color }; annotations: Record<string, string> };
}

/** The pods of a color, from settings and the name of the stack alone: plain data, so that a preview can compare it with what is live. */
export function colorTemplate(app: string, color: Color, tag: string, settings: Settings): ColorTemplate {
  const labels = { app, version: color };
  const image = `${settings.imageRepository}:${tag}`;
  const config = colorConfig(app, color, settings);
  const spec = podSpec(labels, image, tag, settings, config);
  const hash = createHash("sha256").update(JSON.stringify({ labels, spec })).digest("hex").slice(0, 12);
  return { labels, image, config, hash, spec, metadata: { labels, annotations: { [templateAnnotation]: hash } } };
}

function podSpec(labels: { app: string; version: Color }, image: string, tag: string, settings: Settings, { configMap, secret }: ColorConfig) {
  return {
    // The app never talks to the API server: an account of its own, that nobody gives rights to by mistake, and no token.
    serviceAccountName: names.account(labels.app, labels.version),
    automountServiceAccountToken: false,
    // Otherwise every Service of the namespace becomes a variable of every pod.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: settings.terminationGraceSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: appUser,
      runAsGroup: appUser,
      fsGroup: appUser,
      seccompProfile: { type: "RuntimeDefault" },
    },
    // Spread where the cluster can, run where it cannot: one node is enough to start.
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: labels },
    })),
    containers: [
      {
        name: names.container,
        image,
        imagePullPolicy: "IfNotPresent",
        ports: [{ name: "http", containerPort: settings.http.port, protocol: "TCP" }],
        // Whole objects: a reviewer sees one name change, and what is in it once, where the object is made.
        envFrom: [...(configMap === undefined ? [] : [{ configMapRef: { name: configMap.name } }]), ...(secret === undefined ? [] : [{ secretRef: { name: secret.name } }])],
        env: environment(labels, tag, settings),
        resources: appResources(settings),
        livenessProbe: httpProbe(settings.http.healthPath, settings.livenessProbe),
        readinessProbe: httpProbe(settings.http.readyPath, settings.readinessProbe),
        // Endpoints leave the Services' tables a moment after a pod is told to stop; until then it goes on serving.
        ...(settings.drainSeconds > 0 && { lifecycle: { preStop: { sleep: { seconds: settings.drainSeconds } } } }),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
      },
    ],
  };
}

function environment({ app, version: color }: ColorTemplate["labels"], tag: string, settings: Settings) {
  const { strategy } = settings.database;
  return [
    { name: "ENVIRONMENT", value: color },
    { name: "APP_VERSION", value: tag },
    ...(strategy === "none" ? [] : databaseVariables(app, color, tag, strategy)),
    ...secretKeysOf(settings, color).map(({ variable, name, key }) => ({ name: variable, valueFrom: { secretKeyRef: { name, key } } })),
    { name: "REDIS_URL", value: settings.redisUrl },
    { name: "READ_ONLY_KEY", value: fenceKey(stackName(), app) },
    // No container port: the app listens on the loopback address, and nobody but a port-forward comes there.
    ...(settings.drain.port === 0 ? [] : [{ name: drainPortVariable, value: String(settings.drain.port) }]),
  ];
}

function databaseVariables(app: string, color: Color, tag: string, strategy: Strategy) {
  return [
    { name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: databaseSecret(strategy, color), key: "url" } } },
    // libpq and most drivers take it as the session's name: so the database can tell who is still connected.
    { name: "PGAPPNAME", value: names.session(app, color, tag) },
  ];
}

function httpProbe(path: string, timings: ProbeTimings) {
  return { httpGet: { path, port: "http" }, ...timings };
}
