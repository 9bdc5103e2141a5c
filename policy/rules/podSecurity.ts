import type { ErrorParts } from "@bluegreen/release/util/userError";
import { containersOf, type Container, type PodSpec, type SecurityContext, type Workload } from "../workload";

/** Profiles of seccomp and AppArmor that filter something. */
const profiles = ["RuntimeDefault", "Localhost"];

/** Kinds of volumes that lead to no node, and to no server that the cluster does not know. */
const volumeKinds = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

/** What a pod may set in the kernel without setting it for others. */
const safeSysctls = [
  "kernel.shm_rmid_forced",
  ...[
    "ip_local_port_range",
    "ip_local_reserved_ports",
    "ip_unprivileged_port_start",
    "ping_group_range",
    "tcp_fin_timeout",
    "tcp_keepalive_intvl",
    "tcp_keepalive_probes",
    "tcp_keepalive_time",
    "tcp_rmem",
    "tcp_syncookies",
    "tcp_wmem",
  ].map((name) => `net.ipv4.${name}`),
];

const seLinuxTypes = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/**
 * The restricted standard, as far as a Deployment can say it: the namespace enforces it on pods, which is
 * when an update is half-way.
 */
export function podSecurity({ name, pod, isPatch }: Workload): ErrorParts[] {
  const findings = [
    ...podFindings(pod).map((finding) => ({ of: name, ...finding })),
    ...containersOf(pod).flatMap((container) =>
      containerFindings(pod, container, isPatch).map((finding) => ({
        of: `Container ${container.name} of ${name}`,
        ...finding,
      })),
    ),
  ];
  return findings.map(({ of, has, next }) => ({
    what: `${of} ${has}`,
    rule: "the restricted Pod Security Standard leaves a pod no way to more rights than its app needs",
    next,
  }));
}

interface Found {
  has: string;
  next: string;
}

function podFindings({
  hostNetwork,
  hostPID,
  hostIPC,
  volumes = [],
  securityContext = {},
}: PodSpec): Found[] {
  const sysctls = (securityContext.sysctls ?? [])
    .map(({ name }) => name)
    .filter((name) => !safeSysctls.includes(name));
  return [
    ...Object.entries({ hostNetwork, hostPID, hostIPC }).flatMap(([field, value]) =>
      value === true ? [{ has: `has ${field}: true`, next: `leave ${field} out` }] : [],
    ),
    ...volumes.flatMap(({ name, ...kinds }) =>
      Object.keys(kinds)
        .filter((kind) => !volumeKinds.includes(kind))
        .map((kind) => ({
          has: `has volume ${name} with a ${kind}`,
          next: "take a volume of another kind, such as emptyDir or persistentVolumeClaim",
        })),
    ),
    ...(sysctls.length === 0
      ? []
      : [{ has: `sets the sysctls ${sysctls.join(", ")}`, next: "leave them out: they are the node's" }]),
    ...contextFindings(securityContext),
  ];
}

function containerFindings(
  { securityContext: ofPod = {} }: PodSpec,
  container: Container,
  isPatch: boolean,
): Found[] {
  const { securityContext: own = {}, ports = [] } = container;
  const { allowPrivilegeEscalation, privileged, procMount, capabilities = {} } = own;
  const { runAsNonRoot, runAsUser } = { ...ofPod, ...own };
  const profile = (own.seccompProfile ?? ofPod.seccompProfile)?.type;
  const added = (capabilities.add ?? []).filter((each) => each !== "NET_BIND_SERVICE");
  const hostPorts = ports.flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [hostPort]));
  const hosts = hostsAsked(container);
  /** A patch leaves what it does not say. */
  const isLeft = (value: unknown) => isPatch && value === undefined;
  return [
    ...(runAsNonRoot === true || isLeft(runAsNonRoot)
      ? []
      : [
          {
            has: `has runAsNonRoot: ${String(runAsNonRoot)}`,
            next: "set securityContext.runAsNonRoot: true",
          },
        ]),
    ...(runAsUser === 0
      ? [{ has: "has runAsUser: 0", next: "set securityContext.runAsUser to another number" }]
      : []),
    ...(privileged === true
      ? [{ has: "has privileged: true", next: "leave securityContext.privileged out" }]
      : []),
    ...(allowPrivilegeEscalation === false || isLeft(allowPrivilegeEscalation)
      ? []
      : [
          {
            has: `has allowPrivilegeEscalation: ${String(allowPrivilegeEscalation)}`,
            next: "set securityContext.allowPrivilegeEscalation: false",
          },
        ]),
    ...(profiles.includes(profile ?? "") || isLeft(profile)
      ? []
      : [
          {
            has: `has seccompProfile: ${profile ?? "undefined"}`,
            next: `set securityContext.seccompProfile.type to ${profiles.join(" or ")}`,
          },
        ]),
    ...(capabilities.drop?.includes("ALL") === true || isLeft(capabilities.drop)
      ? []
      : [
          {
            has: `drops ${capabilities.drop?.join(", ") ?? "no capabilities"}`,
            next: "set securityContext.capabilities.drop: [ALL]",
          },
        ]),
    ...(added.length === 0
      ? []
      : [{ has: `adds the capabilities ${added.join(", ")}`, next: "add none but NET_BIND_SERVICE" }]),
    ...(hostPorts.length === 0
      ? []
      : [
          {
            has: `takes hostPort ${hostPorts.join(", ")} of its node`,
            next: "leave ports[].hostPort out: a Service routes to the pod",
          },
        ]),
    ...(procMount === undefined || procMount === "Default"
      ? []
      : [{ has: `has procMount: ${procMount}`, next: "leave securityContext.procMount out" }]),
    ...(hosts.length === 0
      ? []
      : [
          {
            has: `lets the kubelet ask ${hosts.join(", ")}`,
            next: "leave host out of probes and of lifecycle: without it the pod itself is asked",
          },
        ]),
    ...contextFindings(own),
  ];
}

/** Of a pod, for all its containers, or of one of them. */
function contextFindings({
  appArmorProfile,
  seLinuxOptions: { type = "", user = "", role = "" } = {},
  windowsOptions,
}: SecurityContext): Found[] {
  const appArmor = appArmorProfile?.type;
  return [
    ...(appArmor === undefined || profiles.includes(appArmor)
      ? []
      : [{ has: `has appArmorProfile: ${appArmor}`, next: "leave securityContext.appArmorProfile out" }]),
    ...(seLinuxTypes.includes(type) && user === "" && role === ""
      ? []
      : [
          {
            has: `has seLinuxOptions: ${[user, role, type].filter(Boolean).join(":")}`,
            next: "leave securityContext.seLinuxOptions out",
          },
        ]),
    ...(windowsOptions?.hostProcess === true
      ? [
          {
            has: "has windowsOptions.hostProcess: true",
            next: "leave securityContext.windowsOptions.hostProcess out",
          },
        ]
      : []),
  ];
}

/** Whom the kubelet is sent to instead of the pod. */
function hostsAsked({
  readinessProbe,
  livenessProbe,
  startupProbe,
  lifecycle: { postStart, preStop } = {},
}: Container): string[] {
  return [readinessProbe, livenessProbe, startupProbe, postStart, preStop]
    .flatMap((asks) => [asks?.httpGet?.host ?? "", asks?.tcpSocket?.host ?? ""])
    .filter((host) => host !== "");
}
