import type { Color } from "@bluegreen/release";
import { names } from "@bluegreen/release/app/names";
import { isFields, type Fields } from "@bluegreen/release/util/json";
import { containersOf } from "@bluegreen/release/config/podTemplate/userTemplate";
import type { PodSettings } from "@bluegreen/release/config/podSettings";
import type { ProbeTimings } from "@bluegreen/release/config/settings";
import { activeColorMount, activeColorVolume } from "./activeColorFile";
import type { AppSettings } from "./lateArgs";

/** Settings, with what is known of the pods of one color. */
export type PodArgs = AppSettings & PodSettings;

/** The user that the app runs as: any number but 0, and not one of a real system account. */
const appUser = 10001;

/** Where most programs write, and what is mounted there. */
const writable = "/tmp";
const writableVolume = "bluegreen-tmp";

/**
 * What a pod is where the user's template says nothing: it passes the restricted Pod Security Standard. Each
 * container of the template is in here, for what of it a pod of that standard needs.
 */
export function podDefaults(selector: { app: string; version: Color }, settings: PodArgs): Fields {
  const { spec } = settings.podTemplate;
  const own = containersOf(spec).find(({ name }) => name === settings.container) ?? {};
  const { name: account } = settings.serviceAccount;
  const initContainers = containersOf(spec, "initContainers");
  // A server in front of the app answers for it, where it is that which has the port.
  const serving = [...containersOf(spec), ...initContainers].find(hasHttpPort) ?? own;
  const beside = (each: Fields) => ({
    ...(each === serving && answering(settings)),
    ...restricted(each),
  });
  const needsWritable = isReadOnly(own) && !mountsOf(own).some(({ mountPath }) => mountPath === writable);
  const volumes = [
    ...(needsWritable ? [{ name: writableVolume, emptyDir: {} }] : []),
    ...(settings.activeColorFile ? [activeColorVolume(selector.app)] : []),
  ];
  return {
    serviceAccountName: account === "" ? names.account(selector.app, selector.version) : account,
    // An app that never talks to the API server needs no token.
    automountServiceAccountToken: false,
    // Otherwise every Service of the namespace becomes a variable of every pod.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: settings.terminationGracePeriodSeconds,
    securityContext: {
      ...userOf(spec, own),
      seccompProfile: { type: "RuntimeDefault" },
    },
    // Spread where the cluster can, run where it cannot: one node is enough to start.
    topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
      (topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: selector },
      }),
    ),
    ...(volumes.length > 0 && { volumes }),
    ...(initContainers.length > 0 && { initContainers: initContainers.map(beside) }),
    containers: [
      {
        ...(serving === own ? answering(settings) : stopping(settings)),
        ...appContainer(settings, own, needsWritable),
      },
      ...containersOf(spec)
        .filter(({ name }) => name !== settings.container)
        .map(beside),
    ],
  };
}

function appContainer(settings: PodArgs, own: Fields, needsWritable: boolean): Fields {
  const volumeMounts = [
    ...(needsWritable ? [{ name: writableVolume, mountPath: writable }] : []),
    ...(settings.activeColorFile ? [activeColorMount] : []),
  ];
  return {
    name: settings.container,
    imagePullPolicy: "IfNotPresent",
    ...(volumeMounts.length > 0 && { volumeMounts }),
    resources: settings.resources,
    securityContext: { ...restrictedContext(own), readOnlyRootFilesystem: true },
  };
}

/** A container that requests come to. */
function answering(settings: PodArgs): Fields {
  const { http, livenessProbe, readinessProbe } = settings;
  return {
    livenessProbe: httpProbe(http.livenessPath, livenessProbe),
    readinessProbe: httpProbe(http.readinessPath, readinessProbe),
    ...stopping(settings),
  };
}

/** Endpoints leave the Services' tables a moment after a pod is told to stop; until then it continues serving. */
function stopping({ preStopDelaySeconds }: PodArgs): Fields {
  return preStopDelaySeconds === 0
    ? {}
    : { lifecycle: { preStop: { sleep: { seconds: preStopDelaySeconds } } } };
}

/** Whether it answers the requests of users. */
export function hasHttpPort({ ports }: Fields): boolean {
  return Array.isArray(ports) && ports.some((each) => isFields(each) && each["name"] === "http");
}

/** What the standard asks of each container, but for what one says of itself that would contradict it. */
function restrictedContext({ securityContext }: Fields): Fields {
  const said = isFields(securityContext) ? securityContext : {};
  return {
    ...(said["privileged"] !== true && { allowPrivilegeEscalation: false }),
    capabilities: { drop: ["ALL"] },
    ...(said["runAsUser"] === 0 && { runAsNonRoot: false }),
  };
}

/** A container beside the app's, whose file system is its own affair. */
function restricted(each: Fields): Fields {
  return { name: each["name"], securityContext: restrictedContext(each) };
}

/** The template's user, or the image's where it says that this is none of root's; otherwise the app's number. */
function userOf({ securityContext: ofPod }: Fields, { securityContext: ofApp }: Fields): Fields {
  const said = { ...(isFields(ofPod) && ofPod), ...(isFields(ofApp) && ofApp) };
  if (said["runAsUser"] === 0) return {};
  if (["runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup"].some((name) => name in said))
    return { runAsNonRoot: true };
  return { runAsNonRoot: true, runAsUser: appUser, runAsGroup: appUser, fsGroup: appUser };
}

function isReadOnly({ securityContext }: Fields): boolean {
  return !isFields(securityContext) || securityContext["readOnlyRootFilesystem"] !== false;
}

function mountsOf({ volumeMounts }: Fields): Fields[] {
  return Array.isArray(volumeMounts) ? volumeMounts.filter(isFields) : [];
}

function httpProbe(path: string, timings: ProbeTimings): Fields {
  return { httpGet: { path, port: "http" }, ...timings };
}
