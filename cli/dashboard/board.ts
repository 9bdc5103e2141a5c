import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { shownIn } from "@bluegreen/release/util/shown";
import { applied, type DashboardEvent, type DashboardState } from "../../pages/dashboard/state";

const somebodyListens = "somebodyListens";

/** So much less often a cluster is asked while no page is open. */
const idleFactor = 10;

/** What the dashboard shows, and whoever wants to hear what changes of it. */
export class Board extends EventTarget {
  readonly #listeners = new Set<(event: DashboardEvent) => void>();

  #state: DashboardState;

  constructor(state: DashboardState) {
    super();
    this.#state = state;
  }

  get state(): DashboardState {
    return this.#state;
  }

  tell(event: DashboardEvent): void {
    const safe = shownIn(event);
    this.#state = applied(this.#state, safe);
    for (const listener of this.#listeners) listener(safe);
  }

  /** @returns what ends it */
  listen(listener: (event: DashboardEvent) => void): () => void {
    this.#listeners.add(listener);
    this.dispatchEvent(new Event(somebodyListens));
    return () => this.#listeners.delete(listener);
  }

  /** Whether a page is open. */
  get isRead(): boolean {
    return this.#listeners.size > 0;
  }

  /**
   * Between two questions to a cluster: longer while no page is open, and over as soon as one is, or at the
   * signal.
   */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const ends = { signal: AbortSignal.any([signal, over.signal]) };
    const pauses = this.isRead
      ? [delay(ms, undefined, ends)]
      : [delay(idleFactor * ms, undefined, ends), once(this, somebodyListens, ends)];
    await Promise.race(pauses).catch(() => undefined);
    over.abort();
  }
}
