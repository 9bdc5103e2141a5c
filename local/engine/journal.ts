/**
 * The record of a run: which resources are settled, which are as before, and which operations are under way.
 * It is saved before an operation starts and when it ends, so that a killed process loses nothing.
 */
import type { OperationType, PendingOperation, ResourceState, Snapshot } from "./state";

export class Journal {
  private readonly settled: ResourceState[] = [];
  private readonly gone = new Set<ResourceState>();
  private readonly pending = new Set<PendingOperation>();

  constructor(
    private readonly base: Snapshot,
    private readonly save: (snapshot: Snapshot) => void,
  ) {}

  snapshot(): Snapshot {
    return {
      resources: [...this.settled, ...this.base.resources].filter((state) => !this.gone.has(state)),
      pending: [...this.pending],
    };
  }

  write(): void {
    this.save(this.snapshot());
  }

  /** Says that an operation starts; the returned function says how it ended. */
  begin(type: OperationType, resource: ResourceState): (change?: () => void) => void {
    const operation = { type, resource };
    this.pending.add(operation);
    this.write();
    return (change) => {
      this.pending.delete(operation);
      change?.();
      this.write();
    };
  }

  /** The resource is as it should be. `old`, if any, is what it was in the last snapshot. */
  settle(state: ResourceState, old?: ResourceState): void {
    this.settled.push(state);
    if (old) this.gone.add(old);
  }

  /** What the last snapshot had and nobody has asked for in this run. */
  remaining(): ResourceState[] {
    return this.base.resources.filter((state) => !this.gone.has(state));
  }

  drop(state: ResourceState): void {
    this.gone.add(state);
  }
}
