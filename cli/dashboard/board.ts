import { applied, type DashboardEvent, type DashboardState } from "../../pages/dashboard/state";

/** What the dashboard shows, and whoever wants to hear what changes of it. */
export class Board {
  readonly #listeners = new Set<(event: DashboardEvent) => void>();

  #state: DashboardState;

  constructor(state: DashboardState) {
    this.#state = state;
  }

  get state(): DashboardState {
    return this.#state;
  }

  tell(event: DashboardEvent): void {
    this.#state = applied(this.#state, event);
    for (const listener of this.#listeners) listener(event);
  }

  /** @returns what ends it */
  listen(listener: (event: DashboardEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
