import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { ApiException, V1MicroTime, type V1Lease } from "./client.js";
import { domain } from "../util/domain.js";
import { mayPass } from "../util/mayPass.js";
import { hasEnded, processMark } from "../util/processMark.js";
import { untilAnswered } from "../util/poll.js";
import { messageOf, UserError } from "../util/userError.js";
import type { Say } from "../util/step.js";
import type { Cluster } from "./cluster.js";
import { isMissing, orUndefined } from "./orUndefined.js";
import { serverTime } from "./serverTime.js";
import { withSignal } from "./withSignal.js";

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

export type LeaseAnswer = { held: HeldLease } | { heldBy: string; since: string };

export interface LeaseOptions {
  /** Who wants it, for people. */
  holder: string;
  /** A holder that is not heard of for so long has lost it. */
  seconds: number;
  /**
   * How long to wait for another holder. Even with 0 that one is seen to be alive first, which takes a third
   * of its seconds at most.
   */
  waitMs: number;
  /** Told every few seconds who is waited for. */
  say?: Say;
  /** Ends the waiting, and once it is held the renewing. */
  signal?: AbortSignal;
}

/** Which taking of the Lease this is: two holders may have the same name. */
const idAnnotation = `${domain}/lease-id`;
/** Which process holds it, for others of the same machine. */
const processAnnotation = `${domain}/lease-process`;

const lookEveryMs = 500;
const sayEveryMs = 5000;
const answerMs = 5000;
/** An API server that is away for longer is not waited for. */
const awayMs = 10_000;

/**
 * Takes a Lease of the cluster, as client-go's leader election does: whoever writes first has it,
 * by the object's version; a holder is given up once nothing was written for its duration,
 * measured here and by no clock that others have to agree with. The holder of a process that has
 * ended on this very machine is given up at once.
 * @throws what the API server answers, when that will not change; UnansweredError when it is away for too long;
 * what `signal` was aborted with
 */
export async function takeLease(
  cluster: Cluster,
  name: string,
  { holder, seconds, waitMs, say, signal }: LeaseOptions,
): Promise<LeaseAnswer> {
  const started = performance.now();
  const observed = new Observed();
  const claim = { id: randomUUID(), holder, seconds, process: await processMark(), signal };
  let said = -Infinity;
  const passes = (error: unknown) => signal?.aborted !== true && mayPass(error);
  for (;;) {
    const answer = await untilAnswered(
      async () => {
        signal?.throwIfAborted();
        return look(cluster, name, claim, observed);
      },
      { awayMs: Math.max(waitMs, awayMs), passes },
    );
    if (answer !== undefined) {
      if ("held" in answer) return answer;
      // One that has died is not named as the reason to refuse: only whoever still writes is.
      if (observed.isAlive && performance.now() - started >= waitMs) return answer;
      if (performance.now() - said >= sayEveryMs) {
        said = performance.now();
        say?.(`waiting for ${name}, held by ${answer.heldBy} since ${answer.since}`);
      }
    }
    // Its end is noticed above, where the reason is thrown.
    await delay(lookEveryMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** Whether a taking of it was never released, whatever became of its holder. */
export async function isUnreleased(cluster: Cluster, name: string, id: string): Promise<boolean> {
  const there = await read(cluster, name);
  return (there?.spec?.holderIdentity ?? "") !== "" && there?.metadata?.annotations?.[idAnnotation] === id;
}

/** One who wants the Lease, or has it. */
interface Claim {
  id: string;
  holder: string;
  seconds: number;
  process: string;
  signal: AbortSignal | undefined;
}

/** What one who waits has seen of a Lease. */
class Observed {
  /** Somebody else has written it meanwhile. */
  isAlive = false;
  private version: string | undefined;
  private since = 0;

  /** For how many milliseconds this version has been there. */
  ageOf({ metadata }: V1Lease): number {
    const now = performance.now();
    if (metadata?.resourceVersion === this.version) return now - this.since;
    this.isAlive ||= this.version !== undefined;
    this.version = metadata?.resourceVersion;
    this.since = now;
    return 0;
  }
}

/** Takes it if it is there to be taken. @returns undefined when somebody else was quicker */
async function look(
  cluster: Cluster,
  name: string,
  claim: Claim,
  observed: Observed,
): Promise<LeaseAnswer | undefined> {
  const asked = performance.now();
  const there = await read(cluster, name);
  const holder = there?.spec?.holderIdentity ?? "";
  // Ours, when the answer to its taking was lost: it is taken once more.
  const isOthers = holder !== "" && there?.metadata?.annotations?.[idAnnotation] !== claim.id;
  if (there !== undefined && isOthers && !(await isGivenUp(there, claim, observed.ageOf(there))))
    return { heldBy: holder, since: sinceWhen(there) };
  const now = await serverClock(cluster);
  try {
    return { held: new Holding(cluster, await write(cluster, name, there, claim, now()), claim, now, asked) };
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

/**
 * After the seconds that everybody takes this Lease for: what stands in it may have been written to keep
 * everybody out.
 */
async function isGivenUp({ metadata }: V1Lease, { seconds }: Claim, ageMs: number): Promise<boolean> {
  return ageMs >= seconds * 1000 || (await hasEnded(metadata?.annotations?.[processAnnotation] ?? ""));
}

function sinceWhen({ spec }: V1Lease): string {
  // The client library types it as a date and leaves it a text.
  return spec?.acquireTime === undefined
    ? "an unknown time"
    : `${new Date(spec.acquireTime).toISOString().slice(0, "2026-01-31T12:34:56".length)}Z`;
}

function read({ coordination, namespace }: Cluster, name: string): Promise<V1Lease | undefined> {
  return orUndefined(coordination.readNamespacedLease({ name, namespace }, inTime()));
}

/** @throws ApiException 409 when somebody else has written it meanwhile */
function write(
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

/** It is not ours any more, whatever we do. */
class TakenError extends Error {}

class Holding implements HeldLease {
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
        pauseMs = Math.min(everyMs, lookEveryMs);
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
      // An answer that never came, or somebody who has only looked closer at it: a label, an annotation.
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
    const there = await read(this.cluster, this.name);
    const holder = there?.spec?.holderIdentity ?? "";
    if (there !== undefined && holder !== "" && there.metadata?.annotations?.[idAnnotation] === this.id)
      return there;
    throw new TakenError(holder === "" ? "somebody has taken it away" : `${holder} has it`);
  }
}

/** Without an end of its own a call may hang for minutes. */
function inTime(): ReturnType<typeof withSignal> {
  return withSignal(AbortSignal.timeout(answerMs));
}

/** The API server's clock, by one look at it and the time since on this machine. */
async function serverClock(cluster: Cluster): Promise<() => V1MicroTime> {
  const then = (await serverTime(cluster)).getTime();
  const since = performance.now();
  return () => new V1MicroTime(then + performance.now() - since);
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiException && error.code === 409;
}
