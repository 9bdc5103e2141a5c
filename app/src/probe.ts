import { describeError, type Log } from "./log";

export type ProbeResult<T> = { ok: true; value: T } | { ok: false };

/**
 * The state of one dependency. Callers that ask at the same time share one check, and the last
 * result is kept for those that must not wait. The check has to bound its own time.
 */
export class Probe<T> {
  #last: ProbeResult<T> = { ok: false };
  #checked = false;
  #running: Promise<ProbeResult<T>> | undefined;

  constructor(
    private readonly name: string,
    private readonly check: () => Promise<T>,
    private readonly log: Log,
  ) {}

  get last(): ProbeResult<T> {
    return this.#last;
  }

  /** Never rejects: a failing check is a result. */
  refresh(): Promise<ProbeResult<T>> {
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Refreshes in the background for as long as the process lives. */
  keepFresh(intervalMs: number): void {
    const next = (): void => {
      void this.refresh().then(() => setTimeout(next, intervalMs).unref());
    };
    next();
  }

  async #run(): Promise<ProbeResult<T>> {
    const before = this.#last.ok;
    try {
      this.#last = { ok: true, value: await this.check() };
      if (!before) this.log("info", `${this.name} is available`);
    } catch (error) {
      this.#last = { ok: false };
      // Only the change is logged: an outage is one line, not one for each probe.
      if (before || !this.#checked)
        this.log("warn", `${this.name} is unavailable`, { error: describeError(error) });
    }
    this.#checked = true;
    return this.#last;
  }
}
