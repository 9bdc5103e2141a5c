import type { DrainState } from "./pod.js";

/**
 * A connection that a node has routed to the old color before it heard of the switch shows within this many
 * polls.
 */
const quietPolls = 3;
/**
 * A pod that has not answered by then has nobody at its drain port. One that once has is waited for: it may
 * be busy.
 */
const silentPolls = 3;

interface Seen {
  state: DrainState | undefined;
  /** Polls in a row without a connection. */
  quiet: number;
  /** Polls without an answer. */
  silent: number;
}

export interface Left {
  connections: number;
  streams: number;
  /** That have connections. */
  pods: number;
}

/** What is known of the pods that drain, from poll to poll. */
export class Tally {
  private readonly seen = new Map<string, Seen>();

  /** Forgets the pods that are gone. */
  keep(names: readonly string[]): void {
    for (const name of this.seen.keys()) {
      if (!names.includes(name)) this.seen.delete(name);
    }
  }

  note(name: string, state: DrainState | undefined): void {
    const before = this.seen.get(name) ?? { state: undefined, quiet: 0, silent: 0 };
    this.seen.set(
      name,
      state === undefined
        ? { ...before, quiet: 0, silent: before.silent + 1 }
        : { ...before, state, quiet: state.connections === 0 ? before.quiet + 1 : 0 },
    );
  }

  /** Whether a pod has to be told to drain: it was not yet, or it has started again since. */
  isUntold(name: string): boolean {
    return this.seen.get(name)?.state?.draining !== true;
  }

  /** Whether a pod still has to be waited for. */
  isOpen(name: string): boolean {
    const seen = this.seen.get(name);
    return (
      seen === undefined || (seen.state === undefined ? seen.silent < silentPolls : seen.quiet < quietPolls)
    );
  }

  /** Pods that have said what is open on them. */
  get measured(): number {
    return this.states().length;
  }

  /** Those that have never said it. */
  get silent(): number {
    return this.seen.size - this.measured;
  }

  get left(): Left {
    const states = this.states();
    return {
      connections: states.reduce((total, { connections }) => total + connections, 0),
      streams: states.reduce((total, { streams }) => total + streams, 0),
      pods: states.filter(({ connections }) => connections > 0).length,
    };
  }

  private states(): DrainState[] {
    return [...this.seen.values()].flatMap(({ state }) => state ?? []);
  }
}
