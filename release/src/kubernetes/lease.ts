import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { V1MicroTime, type V1Lease } from "./client.js";
import { mayPass } from "../util/mayPass.js";
import { hasEnded, processMark } from "../util/process.js";
import { untilAnswered } from "../util/poll.js";
import type { Say } from "../util/step.js";
import type { Cluster } from "./cluster.js";
import { serverTime } from "./requests.js";
import {
  Holding,
  idAnnotation,
  isConflict,
  pollIntervalMs,
  processAnnotation,
  readLease,
  writeLease,
  type HeldLease,
  type Claim,
} from "./heldLease.js";

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

const sayEveryMs = 5000;

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
        return inspect(cluster, name, claim, observed);
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
    await delay(pollIntervalMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** Whether a taking of it was never released, whatever became of its holder. */
export async function isUnreleased(cluster: Cluster, name: string, id: string): Promise<boolean> {
  const there = await readLease(cluster, name);
  return (there?.spec?.holderIdentity ?? "") !== "" && there?.metadata?.annotations?.[idAnnotation] === id;
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
async function inspect(
  cluster: Cluster,
  name: string,
  claim: Claim,
  observed: Observed,
): Promise<LeaseAnswer | undefined> {
  const asked = performance.now();
  const there = await readLease(cluster, name);
  const holder = there?.spec?.holderIdentity ?? "";
  // Ours, when the answer to its taking was lost: it is taken once more.
  const isOthers = holder !== "" && there?.metadata?.annotations?.[idAnnotation] !== claim.id;
  if (there !== undefined && isOthers && !(await isGivenUp(there, claim, observed.ageOf(there))))
    return { heldBy: holder, since: sinceWhen(there) };
  const now = await serverClock(cluster);
  try {
    return {
      held: new Holding(cluster, await writeLease(cluster, name, there, claim, now()), claim, now, asked),
    };
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

/** The API server's clock, by one read of it and the time since on this machine. */
async function serverClock(cluster: Cluster): Promise<() => V1MicroTime> {
  const then = (await serverTime(cluster)).getTime();
  const since = performance.now();
  return () => new V1MicroTime(then + performance.now() - since);
}
