import { expect } from "chai";
import { bucketError, Histogram } from "../../local/load/histogram";

/** Latencies as they are: most are small, a few are not. Always the same ones. */
function latencies(count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return 0.3 / (1 - state / 2_147_483_647);
  });
}

function histogramOf(values: number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe("A histogram of latencies", () => {
  it("gives every quantile within its error", () => {
    const values = latencies(20_000);
    const sorted = [...values].sort((a, b) => a - b);
    const histogram = histogramOf(values);
    for (const share of [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1]) {
      const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
      expect((histogram.quantile(share) ?? 0) / exact, `quantile ${share}`).to.be.within(
        1 - bucketError - 1e-9,
        1 + bucketError + 1e-9,
      );
    }
    expect(bucketError).to.be.lessThan(0.02);
  });

  it("is the same whether values came together or in parts", () => {
    const values = latencies(1000);
    const together = histogramOf(values);
    const parts = new Histogram();
    for (let part = 0; part < 7; part++)
      parts.add(histogramOf(values.filter((_, index) => index % 7 === part)).buckets);
    expect(parts.size).to.equal(1000);
    expect(new Map(parts.buckets)).to.deep.equal(new Map(together.buckets));
  });

  it("survives what is far too small and far too big", () => {
    const histogram = histogramOf([0, 0.01, 60_000]);
    expect(histogram.quantile(0.5)).to.equal(0.1);
    expect(histogram.quantile(1)).to.be.within(60_000 * (1 - bucketError), 60_000 * (1 + bucketError));
  });

  it("has no quantile without values, and its only value for all of them", () => {
    expect(new Histogram().quantile(0.5)).to.equal(undefined);
    const one = histogramOf([5]);
    expect(one.quantile(0)).to.equal(one.quantile(1));
  });

  it("stays small: a minute of answers from 0.1 ms to a minute are less than 350 buckets", () => {
    expect(
      histogramOf(Array.from({ length: 60_000 }, (_, index) => index + 0.05)).buckets.length,
    ).to.be.lessThan(350);
  });
});
