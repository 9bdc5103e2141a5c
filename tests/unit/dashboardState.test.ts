import { expect } from "chai";
import {
  applied,
  linesMax,
  samplesMax,
  whyNotNow,
  type DashboardEvent,
  type DashboardState,
  type Job,
  type JobKind,
} from "../../pages/dashboard/state";
import { whatChanged } from "../../pages/dashboard/whatChanged";
import { Board } from "../../cli/dashboard/board";
import { releaseView } from "../../cli/dashboard/releaseView";
import { sampleOf, type Counted } from "../../cli/dashboard/sample";
import { status } from "./statuses";
import { counters, pod } from "./observations";

const empty: DashboardState = {
  app: "chatgpt-app",
  namespace: "shop",
  stack: "production",
  clusters: [{ name: null, release: null, away: null, samples: [], moves: [] }],
  gates: null,
  plan: null,
  jobs: {},
  isEnding: false,
};
const after = (...events: DashboardEvent[]) => events.reduce(applied, empty);
const release: DashboardEvent = { type: "release", cluster: 0, release: releaseView(status(), []) };
const job = (kind: JobKind, end: Job["end"] = null): DashboardEvent => ({
  type: "job",
  job: { kind, to: "blue", startedAt: "2026-01-02T03:04:05.678Z", end, lines: [] },
});

describe("What the dashboard shows", () => {
  it("moves traffic as soon as the Service does, before anything else is known", () => {
    const [cluster] = after(release, { type: "moved", cluster: 0, move: { at: 1, to: "blue" } }).clusters;
    expect(
      cluster?.release?.colors.map(({ color, role, weight }) => `${color} ${role} ${weight}`),
    ).to.deep.equal(["blue live 100", "green standby 0"]);
    expect(cluster?.moves).to.deep.equal([{ at: 1, to: "blue" }]);
  });

  it("forgets a plan once traffic has moved, unless it is still being made", () => {
    const plan = (state: "running" | "failed"): DashboardEvent => ({
      type: "plan",
      plan: { startedAt: "", ...(state === "running" ? { state } : { state, why: "" }) },
    });
    const moved: DashboardEvent = { type: "moved", cluster: 0, move: { at: 1, to: "blue" } };
    expect([after(plan("failed"), moved).plan, after(plan("running"), moved).plan?.state]).to.deep.equal([
      null,
      "running",
    ]);
  });

  it("keeps what it knew of a cluster that is away, and forgets that it was once it answers", () => {
    const away: DashboardEvent = {
      type: "away",
      cluster: 0,
      since: "2026-01-02T03:04:05.678Z",
      why: "connect ECONNREFUSED",
    };
    expect(after(release, away).clusters[0]).to.deep.include({
      release: release.release,
      away: { since: away.since, why: away.why },
    });
    expect(after(release, away, release).clusters[0]?.away).to.equal(null);
  });

  it("keeps so much of figures and of output, and the newest", () => {
    const samples = Array.from({ length: samplesMax + 5 }, (_, at): DashboardEvent => ({
      type: "sample",
      cluster: 0,
      sample: { at, figures: { blue: null, green: null } },
    }));
    const kept = after(...samples).clusters[0]?.samples ?? [];
    expect([kept.length, kept.at(-1)?.at]).to.deep.equal([samplesMax, samplesMax + 4]);
    const lines =
      after(
        job("switch"),
        ...Array.from({ length: linesMax + 5 }, (_, index): DashboardEvent => ({
          type: "said",
          kind: "switch",
          lines: [String(index)],
        })),
      ).jobs.switch?.lines ?? [];
    expect([lines.length, lines.at(-1)]).to.deep.equal([linesMax, String(linesMax + 4)]);
  });

  it("lets one thing be done at a time, and a rollback while a switch is analyzed", () => {
    const ended = { at: "2026-01-02T03:05:05.678Z", isWell: true, text: "traffic is there" };
    const refused = (state: DashboardState) =>
      (["switch", "rollback"] as const).map((kind) => whyNotNow(state, kind) !== undefined);
    expect(refused(empty)).to.deep.equal([false, false]);
    expect(refused(after(job("switch")))).to.deep.equal([true, false]);
    expect(refused(after(job("rollback")))).to.deep.equal([true, true]);
    expect(refused(after(job("switch", ended), job("rollback", ended)))).to.deep.equal([false, false]);
    expect(refused(after({ type: "ending" }))).to.deep.equal([true, true]);
    expect(whyNotNow(after(job("switch")), "switch")).to.equal(
      "A switch to blue is running, since 2026-01-02T03:04:05.678Z: its end comes first.",
    );
  });

  it("says in words what somebody has to hear, and nothing of what continues all the time", () => {
    const news = (...events: DashboardEvent[]) =>
      whatChanged(after(...events.slice(0, -1)), after(...events));
    expect(news(release, { type: "moved", cluster: 0, move: { at: 1, to: "blue" } })).to.equal(
      "Traffic is on blue now.",
    );
    expect(news(release, { type: "away", cluster: 0, since: "", why: "" })).to.equal(
      "The cluster cannot be read.",
    );
    expect(news(release, { type: "away", cluster: 0, since: "", why: "" }, release)).to.equal(
      "The cluster can be read again.",
    );
    expect(news(job("switch"))).to.equal("The switch to blue has begun.");
    expect(
      news(job("switch"), job("switch", { at: "", isWell: false, text: "nothing was changed" })),
    ).to.equal("The switch to blue has ended: nothing was changed");
    expect(
      news({ type: "plan", plan: { startedAt: "", state: "made", rows: [], isRefused: true } }),
    ).to.equal("The plan is made: something is refused.");
    expect(
      news(release, { type: "sample", cluster: 0, sample: { at: 1, figures: { blue: null, green: null } } }),
    ).to.equal(undefined);
    expect(news(job("switch"), { type: "said", kind: "switch", lines: ["a line"] })).to.equal(undefined);
    expect(news(release)).to.equal(undefined);
  });
});

describe("A sample of what both colors answer", () => {
  const counted = (at: number, requests: number, serverErrors = 0): Counted => ({
    at,
    pods: {
      blue: [pod({ name: "a", counters: counters({ requests, serverErrors, each: 0.04 }) })],
      green: [],
    },
  });

  it("is of all observations that are given, and has nothing of a color without pods", () => {
    const { figures } = sampleOf([counted(0, 100), counted(1000, 150, 10), counted(3000, 200, 10)], 7);
    expect(figures.green).to.equal(null);
    expect(figures.blue).to.deep.include({
      requestsPerSecond: 100 / 3,
      errorRatio: 0.1,
      pods: 1,
      measuredPods: 1,
    });
    expect(figures.blue?.p50Seconds).to.be.within(0.025, 0.05);
  });

  it("has no ratio and no latency without requests, and nothing at the first observation", () => {
    expect(sampleOf([counted(0, 5), counted(1000, 5)], 7).figures.blue).to.deep.include({
      requestsPerSecond: 0,
      errorRatio: null,
      p50Seconds: null,
      p99Seconds: null,
    });
    expect(sampleOf([counted(0, 5)], 7).figures).to.deep.equal({ blue: null, green: null });
  });
});

describe("A pause between two questions to a cluster", () => {
  const anHour = 3_600_000;

  it("is over as soon as somebody opens a page", async () => {
    const board = new Board(empty);
    const pause = board.pause(anHour, new AbortController().signal);
    board.listen(() => undefined);
    await pause;
  });

  it("is over at its signal, whether a page is open or not", async () => {
    const board = new Board(empty);
    const over = new AbortController();
    const pauses = [board.pause(anHour, over.signal)];
    board.listen(() => undefined);
    pauses.push(board.pause(anHour, over.signal));
    over.abort();
    await Promise.all(pauses);
  });
});
