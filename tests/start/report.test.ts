import { expect } from "chai";
import { figuresOf } from "../../local/load/report";
import { lastAnswers, readLines, requestsIn, type LoadLog, type Sample } from "../../local/load/samples";
import { tableOf } from "../../local/load/table";

const sample = (at: number, more: Partial<Sample> = {}): Sample => ({
  at,
  client: "short",
  color: "blue",
  latencyMs: 10,
  failure: undefined,
  ...more,
});

const logOf = (samples: Sample[]): LoadLog => ({
  ready: true,
  samples,
  cells: [],
  reconnects: 2,
  sent: samples.length,
});

const marks = [
  { title: "alone", startedAt: 1000, endedAt: 1000 },
  { title: "switch", startedAt: 2000, endedAt: 5000 },
  { title: "rollback", startedAt: 8000, endedAt: 9500 },
];

describe("The report of a load", () => {
  it("counts each answer for the command that was given last", () => {
    const { phases } = figuresOf(
      logOf([sample(1999.9), sample(2000), sample(7999.9, { color: "green" }), sample(8000)]),
      marks,
    );
    expect(phases.map(({ title, clients }) => [title, clients[0]?.requests])).to.deep.equal([
      ["alone", 1],
      ["switch", 2],
      ["rollback", 1],
    ]);
  });

  it("tells when each color answered first and last, from the command on, by kind of client", () => {
    const { phases } = figuresOf(
      logOf([
        sample(2100),
        sample(4800),
        sample(4700, { color: "green" }),
        sample(7000, { color: "green" }),
        sample(6500, { client: "keep-alive" }),
        sample(6900, { client: "keep-alive", color: "green" }),
      ]),
      marks,
    );
    expect(phases[1]?.commandMs).to.equal(3000);
    expect(phases[1]?.clients[0]?.spans).to.deep.equal({
      blue: { firstMs: 100, lastMs: 2800 },
      green: { firstMs: 2700, lastMs: 5000 },
    });
    expect(phases[1]?.clients[1]?.spans).to.deep.equal({
      blue: { firstMs: 4500, lastMs: 4500 },
      green: { firstMs: 4900, lastMs: 4900 },
    });
    expect(phases[2]?.clients[0]?.spans).to.deep.equal({ blue: undefined, green: undefined });
  });

  it("takes percentiles by nearest rank, whatever the order of the answers", () => {
    const latencies = Array.from({ length: 200 }, (_, index) => ((index * 37) % 200) + 1);
    const { total } = figuresOf(
      logOf(latencies.map((latencyMs, index) => sample(1000 + index, { latencyMs }))),
      marks,
    );
    expect([total[0]?.p50Ms, total[0]?.p99Ms]).to.deep.equal([100, 198]);
  });

  it("counts failures with their texts, and takes no failed answer for one by a color", () => {
    const log = logOf([
      sample(2100, { failure: "status 500" }),
      sample(2200, { failure: "status 500" }),
      sample(2300, { color: undefined, failure: "read ECONNRESET", client: "keep-alive" }),
      sample(2400),
    ]);
    const { requests, failures, failureTexts, total } = figuresOf(log, marks);
    expect({ requests, failures }).to.deep.equal({ requests: 4, failures: 3 });
    expect(failureTexts).to.deep.equal([
      { text: "status 500", client: "short", count: 2 },
      { text: "read ECONNRESET", client: "keep-alive", count: 1 },
    ]);
    expect(total[0]?.answers).to.deep.equal({ blue: 1, green: 0 });
    expect(tableOf(figuresOf(log, marks))).to.include("2 × short connections: status 500");
  });

  it("counts the stream's messages beside the requests, and a cut as a failure", () => {
    const stream = { client: "stream", latencyMs: undefined } as const;
    const figures = figuresOf(
      logOf([
        sample(2100),
        sample(2200, stream),
        sample(2300, { ...stream, color: undefined, failure: "aborted" }),
      ]),
      marks,
    );
    expect(figures.requests).to.equal(1);
    expect(figures.failures).to.equal(1);
    expect(figures.stream).to.deep.equal({ events: 1, reconnects: 2, cut: 1 });
  });

  it("tells what each color answered in every second, also that it answered nothing", () => {
    const log = logOf([
      sample(1100, { latencyMs: 4 }),
      sample(1900, { latencyMs: 8 }),
      sample(3100, { color: "green" }),
      sample(2500, { failure: "status 500" }),
      sample(9000, { client: "stream", latencyMs: undefined }),
    ]);
    const none = { requests: 0, p50Ms: null, p99Ms: null };
    expect(figuresOf(log, marks).seconds).to.deep.equal([
      { second: 1, color: "blue", requests: 2, p50Ms: 4, p99Ms: 8 },
      { second: 1, color: "green", ...none },
      { second: 2, color: "blue", ...none },
      { second: 2, color: "green", ...none },
      { second: 3, color: "blue", ...none },
      { second: 3, color: "green", requests: 1, p50Ms: 10, p99Ms: 10 },
    ]);
    expect(figuresOf(logOf([]), marks).seconds).to.deep.equal([]);
  });

  it("shows only commands that moved traffic with first and last answers", () => {
    const log = logOf([sample(1500), sample(2100), sample(4000, { color: "green" }), sample(8100)]);
    const [, times = ""] = tableOf(figuresOf(log, marks)).split("\n\n");
    expect(times).to.match(/^switch .*3\.00 .*0\.10 +0\.10 +2\.00 +2\.00$/m);
    expect(times).not.to.include("rollback");
  });
});

describe("The lines of a load", () => {
  const batch = (seq: number): string =>
    JSON.stringify({
      type: "batch",
      seq,
      from: 1000,
      answers: [[5.5, 3, "short", "blue", ""]],
      events: [],
      cuts: [],
      reconnects: 0,
    });
  const cell = {
    second: 1,
    client: "short",
    color: "blue",
    failure: "",
    count: 3,
    firstAt: 1100,
    lastAt: 1900,
    buckets: [[50, 3]],
  };
  const seconds = (seq: number): string =>
    JSON.stringify({
      type: "seconds",
      seq,
      cells: [cell, { ...cell, client: "stream", buckets: [] }],
      reconnects: 1,
    });
  const end = (seq: number): string => JSON.stringify({ type: "end", seq, from: 2000, sent: 2 });

  it("are read from anywhere on, without what is not theirs", () => {
    const log = readLines(
      [
        "(node:1) Warning: something",
        '{"type":"ready","from":1}',
        batch(7),
        batch(8),
        end(8),
        '{"type":"ba',
      ].join("\n"),
    );
    expect(log.samples.map(({ at }) => at)).to.deep.equal([1005.5, 1005.5]);
    expect([log.ready, log.sent]).to.deep.equal([true, 2]);
  });

  it("are read as well where answers are counted by the second", () => {
    const log = readLines([seconds(1), seconds(2), end(2)].join("\n"));
    expect([requestsIn(log), log.reconnects, log.sent]).to.deep.equal([6, 1, 2]);
    expect([...lastAnswers(log)]).to.deep.equal([["blue", 1900]]);
  });

  it("are refused when one is missing", () => {
    expect(() => readLines([seconds(7), seconds(9)].join("\n"))).to.throw("line 9 follows line 7");
    expect(() => readLines([batch(7), batch(9)].join("\n"))).to.throw("line 9 follows line 7");
    expect(() => readLines([batch(7), end(8)].join("\n"))).to.throw("line 8 follows line 7");
  });
});
