import { ApiException, type V1Lease, type V1MicroTime } from "./client.js";
import { domain } from "../util/domain.js";
import type { Cluster } from "./cluster.js";
import { orUndefined } from "./orUndefined.js";
import { withSignal } from "./withSignal.js";

/** One who wants the Lease, or has it. */
export interface Claim {
  id: string;
  holder: string;
  seconds: number;
  process: string;
  signal: AbortSignal | undefined;
}

/** Which taking of the Lease this is: two holders may have the same name. */
export const idAnnotation = `${domain}/lease-id`;
/** Which process holds it, for others of the same machine. */
export const processAnnotation = `${domain}/lease-process`;

export const pollIntervalMs = 500;

const answerMs = 5000;

export function readLease({ coordination, namespace }: Cluster, name: string): Promise<V1Lease | undefined> {
  return orUndefined(coordination.readNamespacedLease({ name, namespace }, inTime()));
}

/** @throws ApiException 409 when somebody else has written it meanwhile */
export function writeLease(
  { coordination, namespace }: Cluster,
  name: string,
  there: V1Lease | undefined,
  { id, holder, seconds, process }: Claim,
  time: V1MicroTime,
): Promise<V1Lease> {
  const annotations = { ...there?.metadata?.annotations, [idAnnotation]: id, [processAnnotation]: process };
  const body: V1Lease = {
    metadata: Object.assign(there?.metadata ?? {}, { name, annotations }),
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: seconds,
      acquireTime: time,
      renewTime: time,
      leaseTransitions: (there?.spec?.leaseTransitions ?? -1) + 1,
    },
  };
  return there === undefined
    ? coordination.createNamespacedLease({ namespace, body }, inTime())
    : coordination.replaceNamespacedLease({ name, namespace, body }, inTime());
}

/** Without an end of its own a call may hang for minutes. */
export function inTime(): ReturnType<typeof withSignal> {
  return withSignal(AbortSignal.timeout(answerMs));
}

export function isConflict(error: unknown): boolean {
  return error instanceof ApiException && error.code === 409;
}
