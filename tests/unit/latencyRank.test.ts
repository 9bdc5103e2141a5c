import { expect } from "chai";
import { evaluate, evaluateObservation } from "@bluegreen/release/analysis/evaluate";
import type { Finding, ScoredFinding } from "@bluegreen/release/analysis/findings";
import {
  rankLatency,
  trafficBetween,
  type LatencyRank,
  type Traffic,
} from "@bluegreen/release/analysis/traffic";
import { counters, limits, pod, observation } from "./observations";

/** Requests by what each took, in seconds. */
const answered = (...parts: [requests: number, each: number][]): Traffic =>
  trafficBetween(
    [],
    parts.map(([requests, each], index) =>
      pod({ name: `p${index}`, counters: counters({ requests, each }) }),
    ),
  );

const ranked = (usual: Traffic, now: Traffic): LatencyRank => {
  const rank = rankLatency(usual, now);
  if (rank === undefined || rank === "otherBuckets") throw new Error(String(rank));
  return rank;
};

/** Half take 40 ms, a quarter each less and more. */
const usual = answered([250, 0.02], [500, 0.04], [250, 0.09]);

describe("The latencies of two versions", () => {
  it("are compared by the rank sum, with requests of one bucket as slow as each other", () => {
    expect(ranked(usual, usual).slowerChance).to.be.closeTo(0.5, 1e-12);
    // Old ones in buckets 1, 2, 2, 3 and new ones in 2, 3, 3, 4: U is 2 + 3.5 + 3.5 + 4 of 16.
    const old = answered([100, 0.004], [200, 0.009], [100, 0.02]);
    const now = answered([1, 0.009], [2, 0.02], [1, 0.04]);
    expect(ranked(old, now).slowerChance).to.be.closeTo(13 / 16, 1e-12);
    expect(ranked(old, answered([9, 0.04])).slowerChance).to.equal(1);
    expect(ranked(old, answered([9, 0.004])).slowerChance).to.equal(0.125);
  });

  it("speak against the one that is slower, the more the more requests there are, and for one that is not", () => {
    const slow = (requests: number) => ranked(usual, answered([requests, 0.09])).evidence;
    expect(slow(1)).to.be.within(0, 3);
    expect(slow(20)).to.be.closeTo(20 * slow(1), 1e-9);
    expect(slow(20)).to.be.greaterThan(Math.log(100_000));
    expect(ranked(usual, usual).evidence).to.be.lessThan(0);
    expect(ranked(usual, answered([20, 0.004])).evidence).to.be.lessThan(0);
  });

  it("of a version as fast as the old one give a fair bet: one request more multiplies its odds by one at most", () => {
    for (const old of [usual, answered([900, 0.04], [100, 0.3]), answered([300, 0.02], [700, 0.3])]) {
      const requests = Object.entries({ 0.02: 0, 0.04: 0, 0.09: 0, 0.3: 0 }).map(([each]) => Number(each));
      const odds = requests.map((each, index) => {
        const upTo = old.buckets ?? {};
        const below = index === 0 ? 0 : (upTo[boundOf(requests[index - 1] ?? 0)] ?? 0);
        const part = ((upTo[boundOf(each)] ?? 0) - below) / old.timed;
        return part * Math.exp(ranked(old, answered([1, each])).evidence);
      });
      expect(odds.reduce((total, each) => total + each, 0)).to.be.at.most(1);
    }
  });

  it("of a difference that nobody feels are no evidence, however many requests show it", () => {
    const tight = answered([10_000, 0.048]);
    // Each in the next bucket, and 8 % slower.
    const next = answered([10_000, 0.052]);
    expect(ranked(tight, next)).to.include({ slowerChance: 1, evidence: 0 });
    const some = ranked(usual, answered([5500, 0.04], [4500, 0.09]));
    expect(some.slowerChance).to.be.greaterThan(0.65);
    expect(some.times).to.be.greaterThan(1.25);
    expect(some.evidence).to.be.greaterThan(0);
    const few = ranked(usual, answered([20_000, 0.02], [45_000, 0.04], [35_000, 0.09]));
    expect(few.slowerChance).to.be.lessThan(0.65);
    expect(few.evidence).to.be.at.most(0);
  });

  it("are not compared without requests, a past, or a histogram, nor by different buckets", () => {
    expect(rankLatency(undefined, usual)).to.equal(undefined);
    expect(rankLatency(answered([99, 0.04]), usual)).to.equal(undefined);
    expect(rankLatency(usual, answered([0, 0.04]))).to.equal(undefined);
    const summary = trafficBetween([], [pod({ counters: { ...counters({ requests: 500 }), buckets: {} } })]);
    expect(rankLatency(summary, usual)).to.equal(undefined);
    const other = { ...counters({ requests: 500 }), buckets: { "0.3": 400, "+Inf": 500 } };
    expect(rankLatency(usual, trafficBetween([], [pod({ counters: other })]))).to.equal("otherBuckets");
    const mixed = trafficBetween(
      [],
      [pod({ counters: other }), pod({ counters: counters({ requests: 9 }) })],
    );
    expect(mixed, "pods of one color with different ones").not.to.have.property("buckets");
    const fallen = { averageSeconds: 0.04, buckets: { "0.3": 600, "+Inf": 500 } };
    expect(rankLatency(fallen, { ...fallen })).to.equal(undefined);
  });

  it("stay comparable as JSON, whatever order that gives the bounds", () => {
    const stored = JSON.parse(JSON.stringify(usual)) as Traffic;
    expect(rankLatency(stored, usual)).to.deep.equal(rankLatency(usual, usual));
  });

  describe("after a switch", () => {
    const slow = observation([pod({ counters: counters({ requests: 600, each: 0.2 }) })]);
    const found = (within: Partial<typeof limits>, movedSeconds: number | undefined, by = usual): Finding[] =>
      evaluateObservation(
        { ...limits, ...within },
        { usual: by },
        {
          before: observation([pod()]),
          now: slow,
          seconds: 30,
          traffic: answered([600, 0.2]),
          ...(movedSeconds !== undefined && { movedSeconds }),
        },
      ).filter(({ what }) => what === "slower");

    it("are reported, and count where config says so", () => {
      const [reported] = found({}, 30);
      expect(reported?.points).to.equal(0);
      expect(reported?.text).to.equal(
        "requests take longer than before the switch in 100.0 % of pairs: 200 ms on average, 48 ms before",
      );
      expect(found({ slowerThanBefore: "count" }, 30)[0]?.points).to.be.closeTo(3, 1e-9);
      expect(found({ slowerThanBefore: "count", failureThreshold: 100 }, 30)[0]?.points).to.be.closeTo(
        30,
        1e-9,
      );
    });

    it("say nothing while the version warms up, nor where no traffic has moved", () => {
      for (const movedSeconds of [undefined, 0, 29])
        expect(found({ slowerThanBefore: "count" }, movedSeconds), String(movedSeconds)).to.deep.equal([]);
    });

    it("are said not to be compared where the versions count by different buckets", () => {
      const others = trafficBetween(
        [],
        [pod({ counters: { ...counters({ requests: 500 }), buckets: { "0.3": 400, "+Inf": 500 } } })],
      );
      expect(found({ slowerThanBefore: "count" }, 30, others)).to.deep.equal([
        { what: "slower", points: 0, text: "latency is not compared: the old color counts by other buckets" },
      ]);
    });

    it("convict in four samples, and one that is as fast as before takes the evidence back", () => {
      const score = (...points: number[]) => {
        const evidence = points.map((each, index): ScoredFinding => ({
          what: "slower",
          points: each,
          text: "",
          atSeconds: index,
        }));
        return evaluate(limits, evidence, [], points.length).score;
      };
      expect(score(3, 3, 3)).to.equal(9);
      expect(score(3, 3, 3, 3)).to.equal(12);
      expect(score(3, 3, -10, 3)).to.equal(3);
      expect(score(-10, -10, 3)).to.equal(3);
    });
  });
});

/** Of the bucket that so many seconds fall into. */
function boundOf(seconds: number): string {
  return String([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5].find((bound) => seconds <= bound));
}
