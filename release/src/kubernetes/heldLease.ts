import { setTimeout as delay } from "node:timers/promises";
import { domain } from "../app/names.js";
import { messageOf, UserError } from "../util/userError.js";
import { ApiException, type V1Lease, type V1MicroTime } from "./client.js";
import type { Cluster } from "./cluster.js";
import { isMissing, orUndefined, withSignal } from "./requests.js";

/**
 * A Lease that is ours until it is released, or lost. It is renewed in the background, and keeps no process
 * alive.
 */
export interface HeldLease {
  /** Of this taking of it, unlike any other. */
  id: string;
  holder: string;
  /**
   * Aborted, with a UserError as the reason, when it could not be renewed in time: somebody else may have it
   * now.
   */
  readonly lost: AbortSignal;
  /** The next one may have it at once. Never fails: what cannot be released ends by itself. */
  release(): Promise<void>;
}

/** It is not ours any more, whatever we do. */
class TakenError extends Error {}

export class Holding implements HeldLease {
  readonly id: string;
  readonly holder: string;
  private readonly losing = new AbortController();
  private readonly ending = new AbortController();
  private readonly renewing: Promise<void>;
  private deadline: NodeJS.Timeout | undefined;
  private why = "nothing was heard from the API server";

  /** @param asked when its taking began, on the monotonic clock: nobody else can count from earlier */
  constructor(
    private readonly cluster: Cluster,
    private lease: V1Lease,
    private readonly claim: Claim,
    private readonly now: () => V1MicroTime,
    asked: number,
  ) {
    this.id = claim.id;
    this.holder = claim.holder;
    this.extend(asked);
    this.renewing = this.renew();
  }

  get lost(): AbortSignal {
    return this.losing.signal;
  }

  async release(): Promise<void> {
    this.ending.abort();
    clearTimeout(this.deadline);
    await this.renewing;
    if (this.lost.aborted) return;
    try {
      await this.change({ holderIdentity: "" });
    } catch {
      // Gone, taken or unreachable: it ends by itself.
    }
  }

  private async renew(): Promise<void> {
    const everyMs = (this.claim.seconds * 1000) / 3;
    const end = AbortSignal.any([
      this.ending.signal,
      ...(this.claim.signal === undefined ? [] : [this.claim.signal]),
    ]);
    let pauseMs = everyMs;
    for (;;) {
      await delay(pauseMs, undefined, { ref: false, signal: end }).catch(() => undefined);
      if (end.aborted) return;
      const asked = performance.now();
      try {
        await this.change({ renewTime: this.now() });
        this.extend(asked);
        pauseMs = everyMs;
      } catch (error) {
        this.why = messageOf(error);
        if (error instanceof TakenError) this.lose();
        // Until the deadline it is still ours.
        pauseMs = Math.min(everyMs, pollIntervalMs);
      }
    }
  }

  private extend(asked: number): void {
    clearTimeout(this.deadline);
    const endsAt = asked + this.claim.seconds * 1000;
    this.deadline = setTimeout(() => {
      this.lose();
    }, endsAt - performance.now()).unref();
  }

  private lose(): void {
    clearTimeout(this.deadline);
    this.ending.abort();
    this.losing.abort(
      new UserError({
        code: "BG-LOCK-LOST",
        what: `Lease ${this.cluster.namespace}/${this.name} of ${this.holder} was lost`,
        rule: `somebody else may have it now: ${this.why}; it has to be renewed every ${this.claim.seconds} s`,
        next: `kubectl -n ${this.cluster.namespace} get lease ${this.name} shows who has it; once the cluster answers, run the command again`,
      }),
    );
  }

  private get name(): string {
    return this.lease.metadata?.name ?? "";
  }

  /** Writes into it, as long as it is ours. @throws UserError when it is not */
  private async change(spec: V1Lease["spec"]): Promise<void> {
    try {
      await this.replace(spec);
    } catch (error) {
      if (!isConflict(error) && !isMissing(error)) throw error;
      // An answer that never came, or somebody who has only marked it: a label, an annotation.
      this.lease = await this.readOwn();
      await this.replace(spec);
    }
  }

  private async replace(spec: V1Lease["spec"]): Promise<void> {
    const { cluster, lease, name } = this;
    const body = structuredClone(lease);
    Object.assign((body.spec ??= {}), spec);
    this.lease = await cluster.coordination.replaceNamespacedLease(
      { name, namespace: cluster.namespace, body },
      inTime(),
    );
  }

  private async readOwn(): Promise<V1Lease> {
    const there = await readLease(this.cluster, this.name);
    const holder = there?.spec?.holderIdentity ?? "";
    if (there !== undefined && holder !== "" && there.metadata?.annotations?.[idAnnotation] === this.id)
      return there;
    throw new TakenError(holder === "" ? "somebody has taken it away" : `${holder} has it`);
  }
}

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
function inTime(): ReturnType<typeof withSignal> {
  return withSignal(AbortSignal.timeout(answerMs));
}

export function isConflict(error: unknown): boolean {
  return error instanceof ApiException && error.code === 409;
}
