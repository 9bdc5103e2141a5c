/**
 * Two signals closer than this are one Ctrl-C: the terminal sends it to every process, and each passes it on.
 */
const sameKeyMs = 500;

/**
 * What a command does when it is told to stop: it cleans up the first time, and ends at once the second time.
 */
export class Interrupt {
  readonly #controller = new AbortController();
  #toCleanUp = false;
  #last = 0;

  constructor() {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(name, () => {
        this.#stop();
      });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * From now on there is something to clean up. Until then everything is left as it is for the next start to
   * find.
   */
  expectCleanUp(): void {
    this.#toCleanUp = true;
  }

  #stop(): void {
    const again = Date.now() - this.#last > sameKeyMs;
    this.#last = Date.now();
    if (!again) return;
    if (!this.#toCleanUp || this.signal.aborted) {
      console.error("\nStopped. npm start continues from here.");
      process.exit(130);
    }
    console.error("\nStopping; again, and it ends at once.");
    this.#controller.abort();
  }
}
