import type { RefusalParts } from "@bluegreen/release/refusal";
import { containersOf, type Container, type PodSpec, type Workload } from "../workload";

/** Seccomp profiles that filter something. */
const profiles = ["RuntimeDefault", "Localhost"];

/** The restricted standard, as far as a Deployment can say it: the namespace enforces it on pods, which is when an update is half-way. */
export function podSecurity({ name, pod }: Workload): RefusalParts[] {
  const findings = [...podFindings(pod).map((finding) => ({ of: name, ...finding })), ...containersOf(pod).flatMap((container) => containerFindings(pod, container).map((finding) => ({ of: `Container ${container.name} of ${name}`, ...finding })))];
  return findings.map(({ of, has, next }) => ({ what: `${of} ${has}`, rule: "the restricted Pod Security Standard leaves a pod no way to more rights than its app needs", next }));
}

interface Found {
  has: string;
  next: string;
}

function podFindings({ hostNetwork, hostPID, hostIPC, volumes = [] }: PodSpec): Found[] {
  const shared = Object.entries({ hostNetwork, hostPID, hostIPC }).flatMap(([field, value]) => (value === true ? [{ has: `has ${field}: true`, next: `leave ${field} out` }] : []));
  return [...shared, ...volumes.flatMap(({ name, hostPath }) => (hostPath === undefined ? [] : [{ has: `has volume ${name} with a hostPath`, next: "take a volume of another kind, such as emptyDir" }]))];
}

function containerFindings({ securityContext: ofPod = {} }: PodSpec, { securityContext: own = {} }: Container): Found[] {
  const { allowPrivilegeEscalation, privileged, capabilities = {} } = own;
  const { runAsNonRoot, runAsUser } = { ...ofPod, ...own };
  const profile = (own.seccompProfile ?? ofPod.seccompProfile)?.type;
  const added = (capabilities.add ?? []).filter((each) => each !== "NET_BIND_SERVICE");
  return [
    ...(runAsNonRoot === true ? [] : [{ has: `has runAsNonRoot: ${String(runAsNonRoot)}`, next: "set securityContext.runAsNonRoot: true" }]),
    ...(runAsUser === 0 ? [{ has: "has runAsUser: 0", next: "set securityContext.runAsUser to another number" }] : []),
    ...(privileged === true ? [{ has: "has privileged: true", next: "leave securityContext.privileged out" }] : []),
    ...(allowPrivilegeEscalation === false ? [] : [{ has: `has allowPrivilegeEscalation: ${String(allowPrivilegeEscalation)}`, next: "set securityContext.allowPrivilegeEscalation: false" }]),
    ...(profiles.includes(profile ?? "") ? [] : [{ has: `has seccompProfile: ${profile ?? "undefined"}`, next: `set securityContext.seccompProfile.type to ${profiles.join(" or ")}` }]),
    ...(capabilities.drop?.includes("ALL") === true ? [] : [{ has: `drops ${capabilities.drop?.join(", ") ?? "no capabilities"}`, next: "set securityContext.capabilities.drop: [ALL]" }]),
    ...(added.length === 0 ? [] : [{ has: `adds the capabilities ${added.join(", ")}`, next: "add none but NET_BIND_SERVICE" }]),
  ];
}
