import { expect } from "chai";
import type { HistoryEntry } from "@bluegreen/release/state/history";
import { lastRelease, reportPage } from "../../cli/reportPage";
import type { ReportFacts } from "../../pages/report/facts";
import { verdictOf } from "../../pages/report/verdict";
import type { Move } from "../../pages/views";

const move = (part: Partial<Move> = {}): Move => ({
  at: "2026-01-02T03:04:05.678Z",
  kind: "switch",
  weight: 100,
  from: { color: "blue", tag: "v1" },
  to: { color: "green", tag: "v2" },
  who: "anna@laptop",
  why: "release",
  evidence: [],
  ...part,
});
const back = (part: Partial<Move> = {}): Move =>
  move({
    at: "2026-01-02T03:09:05.678Z",
    kind: "rollback",
    from: { color: "green", tag: "v2" },
    to: { color: "blue", tag: "v1" },
    why: "12 points",
    ...part,
  });

const facts = (part: Partial<ReportFacts> = {}): ReportFacts => ({
  app: "chatgpt-app",
  namespace: "shop",
  stack: "production",
  cluster: null,
  madeAt: "2026-01-02T04:00:00.000Z",
  live: "green",
  moves: [move()],
  samples: [
    {
      at: "2026-01-02T03:05:00.000Z",
      figures: { requests: 120, errorRatio: 0.25, p99Seconds: 0.05, ready: 2, pods: 2, logErrors: 3 },
      score: 6,
      found: ["30 of 120 requests failed with 5xx"],
    },
    {
      at: "2026-01-02T03:05:30.000Z",
      figures: { requests: null, errorRatio: null, p99Seconds: null, ready: 1, pods: 2, logErrors: 0 },
      score: 6,
      found: [],
    },
  ],
  analysis: {
    kind: "switch",
    to: { color: "green", tag: "v2" },
    state: "kept: the analysis is over",
    limits: {
      durationSeconds: 600,
      intervalSeconds: 30,
      failureThreshold: 10,
      latencySeconds: 5,
      logErrors: 5,
    },
  },
  gates: { passed: [{ gate: "smoke gate of green", result: "9 tests passed" }] },
  schema: { version: "0002", migrations: [] },
  rolledBack: [],
  load: {
    requests: 3000,
    failures: 1,
    failureTexts: [{ text: "status 502", client: "keep-alive", count: 1 }],
    phases: [
      {
        title: "switch to green",
        startedAt: 1_767_323_045_000,
        clients: [
          {
            client: "keep-alive",
            requests: 3000,
            failures: 1,
            answers: { blue: 1000, green: 1999 },
            p50Ms: 4.3,
            p99Ms: 28.7,
          },
        ],
      },
    ],
    seconds: [0, 1, 2].flatMap((at) =>
      (["blue", "green"] as const).map((color) => ({
        second: 1_767_323_045 + at,
        color,
        requests: color === "blue" ? 100 - 50 * at : 50 * at,
        p50Ms: 4,
        p99Ms: at === 1 ? null : 20,
      })),
    ),
  },
  ...part,
});

/** What somebody may write who means no good. */
const evil = `</style></title><script>alert(1)</script><img src=x onerror=alert(1)>"'&`;

/** Every text in it, however deep, is another one. */
function poisoned<T>(value: T): T {
  if (typeof value === "string")
    return (
      /^\d{4}-|^(switch|rollback|shift|blue|green|kept|back|open)$/.test(value) ? value : `${value}${evil}`
    ) as T;
  if (Array.isArray(value)) return value.map((each: unknown) => poisoned(each)) as T;
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, poisoned(each as unknown)]),
    ) as T;
  return value;
}

const tags = (page: string) => [...page.matchAll(/<(\/?[a-zA-Z][a-zA-Z0-9]*)/g)].map(([, tag = ""]) => tag);

describe("The report of a release", () => {
  it("has the same elements whatever anybody has written: a reason, a name of an image, evidence, a migration, a failure", () => {
    const whole = facts({
      moves: [move(), back({ evidence: ["12 of 40 requests failed"] })],
      rolledBack: [
        {
          color: "green",
          tag: "v2",
          at: "2026-01-02T03:09:05.678Z",
          by: "analysis",
          reason: "12 points",
          evidence: ["5 points: errors"],
        },
      ],
      schema: {
        version: "0002",
        migrations: [{ name: "0003_x", phase: "expand", state: "refused", notes: ["because"] }],
      },
      cluster: "eu",
    });
    const page = reportPage(poisoned(whole));
    expect(tags(page)).to.deep.equal(tags(reportPage(whole)));
    expect(page)
      .to.contain("&lt;script>alert(1)&lt;/script>")
      .and.not.contain("<script")
      .and.not.contain("<img");
    for (const part of [
      { gates: { unreadable: "" } },
      { schema: { unreadable: "" } },
    ] satisfies Partial<ReportFacts>[])
      expect(tags(reportPage(poisoned(facts(part))))).to.deep.equal(tags(reportPage(facts(part))));
  });

  it("asks for nothing from anywhere, and forbids whatever would", () => {
    const page = reportPage(facts());
    expect(page).to.match(/^<!doctype html>\n<html lang="en">/);
    expect(page).to.match(
      /content-security-policy" content="default-src 'none'; style-src 'sha256-[\w+/]+=*'; img-src data:;/,
    );
    expect([...page.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, address]) => address)).to.deep.equal([
      "data:,",
    ]);
    expect(page).not.to.match(/ style="|@import|url\(/);
  });

  it("says who, what, why, by which gates, and what clients saw, as text and as lines with gaps", () => {
    const page = reportPage(facts());
    for (const said of [
      "anna@laptop",
      "9 tests passed",
      "Traffic is on green (v2): kept: the analysis is over.",
      "1 × keep-alive: status 502",
      "1,999",
      "Analyzed for 600 s",
    ])
      expect(page).to.contain(said);
    expect([...page.matchAll(/<figcaption>([^<]*)/g)].map(([, title]) => title)).to.deep.equal([
      "requests answered per second",
      "latency, half of all (p50)",
      "latency, 99 of 100 (p99)",
    ]);
    const [, , p99 = ""] = page.split("<figcaption>").slice(1);
    expect(
      /class="line blue"><path d="([^"]*)"/.exec(p99)?.[1]?.match(/M/g),
      "a line that begins again after a second without an answer",
    ).to.have.length(2);
  });

  it("shows each sample of the analysis with its figures, and no figure that was not measured", () => {
    const rows = [...reportPage(facts()).matchAll(/<tr>.*?<\/tr>/gs)].map(([row]) =>
      row.replaceAll(/<[^>]*>/g, "|").replaceAll(/\|+/g, "|"),
    );
    expect(rows.find((row) => row.includes("30 of 120"))).to.contain(
      "30 of 120 requests failed with 5xx|120|25.0 %|50 ms|2 of 2|3|6|",
    );
    expect(rows.find((row) => row.includes("1 of 2"))).to.contain("|no data|no data|no data|1 of 2|0|6|");
    expect(reportPage(facts({ samples: [] }))).to.contain("No sample of the analysis has been kept.");
  });

  it("is whole without a load, and before the first release", () => {
    expect(reportPage(facts({ load: null }))).not.to.contain("What clients saw");
    const none = reportPage(
      facts({ load: null, moves: [], live: null, analysis: null, gates: { passed: [] } }),
    );
    expect(none).to.contain("No color is live yet.").and.contain("No gate has been passed yet.");
  });

  it("has a verdict by what came after the switch", () => {
    const verdict = (part: Partial<ReportFacts>) => verdictOf(facts(part));
    expect(verdict({})).to.deep.include({ tone: "kept" });
    expect(verdict({ moves: [move(), back({ evidence: ["errors"] })], live: "blue" })).to.deep.equal({
      tone: "back",
      text: "Rolled back: traffic went from green (v2) to blue (v1). The analysis: 12 points",
    });
    expect(
      verdict({ moves: [move(), back({ who: "anna@laptop", why: "slow" })], live: "blue" }).text,
    ).to.match(/anna@laptop: slow$/);
    expect(verdict({ live: "blue" })).to.deep.include({ tone: "back" });
    expect(verdict({ moves: [move({ kind: "shift", weight: 20 })], live: "blue" })).to.deep.equal({
      tone: "open",
      text: "Traffic (20 %) is on green (v2): kept: the analysis is over.",
    });
  });

  it("is of the last version that traffic was moved to, with its canary weights before and whatever came since", () => {
    const entry = (kind: HistoryEntry["kind"], tag: string): HistoryEntry => ({
      kind,
      weight: kind === "shift" ? 20 : 100,
      to: { color: "green", image: `app:${tag}`, template: "t" },
      from: null,
      who: "",
      why: tag,
      at: "",
      evidence: [],
    });
    const of = (...entries: HistoryEntry[]) => lastRelease(entries).map(({ kind, why }) => `${kind} ${why}`);
    expect(of()).to.deep.equal([]);
    expect(of(entry("switch", "v1"), entry("switch", "v2"))).to.deep.equal(["switch v2"]);
    expect(
      of(
        entry("shift", "v1"),
        entry("shift", "v2"),
        entry("shift", "v2"),
        entry("switch", "v2"),
        entry("rollback", "v1"),
      ),
    ).to.deep.equal(["shift v2", "shift v2", "switch v2", "rollback v1"]);
  });
});
