import { expect } from "chai";
import { attention, type ReleaseStatus } from "@bluegreen/release/releases/status";
import type { LiveNote } from "@bluegreen/release/state/liveNote";
import { statusLine, statusText } from "../../cli/statusText";
import { blue, green, lastSwitch, status } from "./statuses";

const observed: LiveNote = {
  color: "green",
  from: "2026-01-02T04:00:00.123Z",
  at: "2026-01-02T04:01:00.456Z",
  state: "unharmed",
  requests: 1200,
  errorRatio: 0,
  runs: [
    { moment: "before the update", passed: 8, failures: 1, failed: ["Shop has the new page"] },
    { moment: "after migrations 0002", passed: 9, failures: 0, failed: [] },
  ],
  reason: "",
  evidence: [],
};
const harmed: LiveNote = {
  ...observed,
  state: "harmed",
  reason: "12 points, 10 end it",
  evidence: ["✗ Users finds one: 500", "the pods of blue were taken away"],
};

describe("The status of a release", () => {
  it("tells what an update has seen of the live color beside which it worked", () => {
    expect(statusText(status({ observed })))
      .to.match(
        /live color +green, beside an update, 2026-01-02T04:00:00Z to 2026-01-02T04:01:00Z: 1200 requests, 0\.0 % errors, no harm seen\n/,
      )
      .and.contain("smoke tests before the update: 8 passed, 1 failed (Shop has the new page)")
      .and.contain("smoke tests after migrations 0002: 9 passed, 0 failed\n");
    const cutOff: LiveNote = { ...observed, state: "observing", requests: null, errorRatio: null };
    expect(statusText(status({ observed: cutOff }))).to.contain(
      "04:01:00Z, which continues or was cut off: requests unknown\n",
    );
    expect(statusText(status())).not.to.contain("live color");
  });

  it("needs attention when the last update has harmed the color that is live, until something comes of it", () => {
    const [said, ...others] = attention(status({ observed: harmed }));
    expect(others).to.deep.equal([]);
    expect(said).to.contain("harmed green").and.contain("12 points, 10 end it");
    expect(statusText(status({ observed: harmed })))
      .to.contain("harmed: 12 points, 10 end it")
      .and.contain("✗ Users finds one: 500");
    const later = lastSwitch({ at: "2026-01-02T05:00:00.000Z" });
    expect(attention(status({ observed: harmed, lastSwitch: later }))).to.deep.equal([]);
    expect(attention(status({ observed: { ...harmed, color: "blue" } }))).to.deep.equal([]);
  });

  it("needs no attention when traffic is where config wants it, on pods that are ready", () => {
    expect(attention(status())).to.deep.equal([]);
  });

  const wrong: { what: string; part: Partial<ReleaseStatus>; says: string }[] = [
    { what: "there was no release", part: { live: null }, says: "No color is live yet" },
    {
      what: "traffic was rolled back, and config does not say so",
      part: { activeColor: "blue" },
      says: "Config says blue, and traffic is on green",
    },
    {
      what: "a pod of the live color is not ready",
      part: { colors: [blue(), green({ ready: 1 })] },
      says: "green has 1 of 2 pods ready",
    },
    {
      what: "the live color was scaled to nothing",
      part: { colors: [blue(), green({ ready: 0, wanted: 0 })] },
      says: "green has 0 of 0 pods ready",
    },
    {
      what: "the standby is not whole",
      part: { colors: [blue({ ready: 0 }), green()] },
      says: "blue has 0 of 2 pods ready",
    },
    {
      what: "the database is away",
      part: { schema: { unreadable: "connect ECONNREFUSED" } },
      says: "could not be read",
    },
    {
      what: "a migration is refused",
      part: {
        schema: {
          version: "0002",
          pending: [{ id: "0003", name: "drop", phase: "expand", state: "refused", notes: [] }],
        },
      },
      says: "0003_drop is refused",
    },
    {
      what: "a switch was cut off",
      part: { lastSwitch: lastSwitch({ state: "approved" }) },
      says: "has not been noted",
    },
    {
      what: "an analyzed switch has no rollback",
      part: { lastSwitch: lastSwitch({ state: "standby" }), rollback: { possible: false, why: "no pods" } },
      says: "there is no rollback",
    },
    {
      what: "what was rolled back still runs",
      part: {
        blockedImages: [
          {
            color: "blue",
            image: "registry:5000/app:v1",
            reason: "12 points",
            evidence: [],
            at: "2026-01-02T03:04:05.000Z",
            by: "analysis",
          },
        ],
      },
      says: "was rolled back: 12 points",
    },
  ];
  for (const { what, part, says } of wrong) {
    it(`needs attention when ${what}`, () => {
      const found = attention(status(part));
      expect(found).to.have.length(1);
      expect(found[0]).to.contain(says);
    });
  }

  it("needs none for a blocked image of an image that is gone, nor for a first release, which has no rollback", () => {
    const blockedImages = [
      {
        color: "blue" as const,
        image: "registry:5000/app:v0",
        reason: "",
        evidence: [],
        at: "2026-01-02T03:04:05.000Z",
        by: "analysis",
      },
    ];
    expect(attention(status({ blockedImages }))).to.deep.equal([]);
    expect(
      attention(
        status({
          lastSwitch: lastSwitch({ from: null, state: "standby" }),
          rollback: { possible: false, why: "first" },
        }),
      ),
    ).to.deep.equal([]);
  });

  it("is a page for people, and one line for a log whatever texts it is made of", () => {
    const why = "The rollback to blue was refused\n  why:  its pods\n  next: kubectl get pods";
    const shown = status({
      rollback: { possible: false, why },
      schema: { unreadable: "two\nlines" },
      lastSwitch: lastSwitch({ state: "standby" }),
    });
    expect(statusText(shown)).to.match(
      /^chatgpt-app in shop: traffic is on green\n\ncolor +role +image +traffic +ready\nblue +standby +v1 +0 % +2 of 2\ngreen +live +v2 +100 % +2 of 2\n\nschema +could not be read: two\n +lines\nlast switch +2026-01-02T03:04:05Z +switch to green v2 from blue v1\n/,
    );
    expect(statusText(shown)).to.contain("not possible: The rollback to blue was refused\n");
    expect(statusLine(shown).split("\n")).to.have.length(1);
    const seen = status({
      samples: [
        {
          at: "2026-01-02T03:04:35.678Z",
          line: "analysis of green 0:30 of 10:00 · 9 requests",
          figures: { requests: 9, errorRatio: 1 / 3, p99Seconds: null, ready: 2, pods: 2, logErrors: 0 },
          score: 6,
          findings: [{ what: "serverErrors", points: 6, text: "3 of 9 requests failed with 5xx" }],
        },
      ],
    });
    expect(statusText(seen))
      .to.match(/analysis +at +requests +errors +p99 +ready +log errors +score\n/)
      .and.match(/03:04:35 +9 +33\.3 % +no data +2 of 2 +0 +6\n/)
      .and.contain("3 of 9 requests failed with 5xx");
    expect(statusLine(seen)).to.contain(" · analysis of green 0:30 of 10:00 · 9 requests");
    expect(statusLine(status())).to.equal(
      "live green · blue standby v1 2/2 · green live v2 2/2 · schema 0002 · rollback possible",
    );
  });
});
