/** How long something lasts that is polled. What was not seen in a poll has passed. */
export class Patience {
  private readonly since = new Map<string, number>();
  private readonly seen = new Set<string>();

  constructor(
    private readonly ms: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Whether it has been seen in every poll for long enough to count. */
  lasts(key: string): boolean {
    this.seen.add(key);
    const first = this.since.get(key) ?? this.now();
    this.since.set(key, first);
    return this.now() - first >= this.ms;
  }

  /** As if it were seen for the first time. */
  beginAgain(key: string): void {
    this.since.delete(key);
  }

  /** Ends a poll. */
  next(): void {
    for (const key of this.since.keys()) if (!this.seen.has(key)) this.since.delete(key);
    this.seen.clear();
  }
}
