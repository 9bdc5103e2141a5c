/** How many values there were in each bucket that had any: [bucket, count]. */
export type Buckets = [bucket: number, count: number][];

/** Values up to this one, in milliseconds, are not told apart. */
const leastMs = 0.1;
/** Each bucket reaches this much further than the one before. */
const growth = 1.04;
/** Halfway to the next bucket, on the scale that the buckets are even on. */
const middle = Math.sqrt(growth);

/**
 * The most that a value differs from what is read back for it, as a share of it; below 0.1 ms it may be more.
 */
export const bucketError = middle - 1;

/**
 * How often each latency was seen, in buckets that are as wide as a share of what they hold: a
 * minute's answers fit in a line of text, and two histograms can be added without losing anything.
 */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #size = 0;

  /** How many values it holds. */
  get size(): number {
    return this.#size;
  }

  /** What another histogram's `add` takes, in no order. */
  get buckets(): Buckets {
    return [...this.#counts];
  }

  record(ms: number): void {
    this.add([[ms <= leastMs ? 0 : Math.ceil(Math.log(ms / leastMs) / Math.log(growth)), 1]]);
  }

  add(buckets: Buckets): void {
    for (const [bucket, count] of buckets) {
      this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
      this.#size += count;
    }
  }

  /**
   * The nearest-rank quantile in milliseconds, off by `bucketError` at the most; undefined when there are no
   * values.
   */
  quantile(share: number): number | undefined {
    let left = Math.max(1, Math.ceil(this.#size * share));
    for (const [bucket, count] of this.buckets.sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return bucket === 0 ? leastMs : (leastMs * growth ** bucket) / middle;
    }
    return undefined;
  }
}
