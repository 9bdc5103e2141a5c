import { expect } from "chai";
import { figuresOf, type Switch } from "../../bench/switch/figures";
import { planBlocks } from "../../bench/switch/plan";
import { show, verdicts } from "../../bench/switch/show";
import { Histogram } from "../../local/load/histogram";
import type { Cell } from "../../local/load/generator/lines";

/** A second of ten requests that took so long, answered in the middle of it unless it is said when. */
function cell(second: number, color: string, ms: number, more: Partial<Cell> = {}): Cell {
  const latencies = new Histogram();
  for (let each = 0; each < 10; each++) latencies.record(ms);
  return {
    second,
    client: "short",
    color,
    failure: "",
    count: 10,
    firstAt: second * 1000 + 500,
    lastAt: second * 1000 + 510,
    buckets: latencies.buckets,
    ...more,
  };
}

const seconds = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Commanded at 100, traffic moves at 103.5, the command returns at 106, the next thing is done at 112. */
const up: Switch = { way: "up", to: "green", startedAt: 100_000, endedAt: 106_000, until: 112_000 };
const upCells = [
  ...seconds(100, 102).map((second) => cell(second, "blue", 8)),
  cell(103, "blue", 20),
  cell(103, "green", 20, { firstAt: 103_600 }),
  cell(104, "green", 10),
  ...seconds(105, 106).map((second) => cell(second, "green", 8)),
  ...seconds(107, 111).map((second) => cell(second, "green", 5)),
];

const rowOf = (cells: Cell[], switches: Switch[], client: string) =>
  figuresOf(cells, switches).ways[0]?.rows.find((row) => row.client === client);

describe("The figures of switches", () => {
  it("tell the seconds in which traffic moves from those of the command and from steady ones", () => {
    const row = rowOf(upCells, [up], "short");
    expect([row?.steady.requests, row?.command.requests, row?.moving.requests]).to.deep.equal([50, 40, 30]);
    expect(row?.steady.p99).to.be.closeTo(5, 0.1);
    expect(row?.command.p99).to.be.closeTo(8, 0.2);
    expect(row?.moving.p50).to.be.closeTo(20, 0.4);
    expect(row?.ratio).to.be.closeTo(4, 0.2);
    expect(row?.requests).to.equal(130);
  });

  it("say how long after the first answer of the new color the old one still answered, for each kind of client", () => {
    const kept = seconds(103, 105).map((second) => cell(second, "blue", 5, { client: "keep-alive" }));
    const cells = [...upCells, ...kept, cell(106, "green", 5, { client: "keep-alive" })];
    expect(rowOf(cells, [up], "keep-alive")?.lastOldMs).to.deep.equal([105_510 - 103_600]);
    expect(rowOf(cells, [up], "short")?.lastOldMs).to.deep.equal([0]);
    expect(rowOf(cells, [up], "all")?.requests).to.equal(170);
  });

  it("take no second for steady in which a kept connection was still at the old color", () => {
    const kept = seconds(104, 108).map((second) => cell(second, "blue", 5, { client: "keep-alive" }));
    expect(rowOf([...upCells, ...kept], [up], "short")?.steady.requests).to.equal(20);
  });

  it("count a rolling update as moving until the old color has answered its last new connection", () => {
    const rolling: Switch = { ...up, way: "rolling update" };
    const cells = seconds(100, 111).flatMap((second) => [
      ...(second < 109 ? [cell(second, "blue", 5)] : []),
      ...(second > 102 ? [cell(second, "green", 5)] : []),
    ]);
    const row = rowOf(cells, [rolling], "short");
    expect(row?.moving.requests).to.equal(6 * 20);
    expect(row?.steady.requests).to.equal(20);
  });

  it("give each second to one switch, and every failure a place", () => {
    const back: Switch = {
      way: "bare patch",
      to: "blue",
      startedAt: 112_000,
      endedAt: 112_020,
      until: 120_000,
    };
    const backCells = [
      cell(112, "blue", 5, { firstAt: 112_030 }),
      ...seconds(113, 119).map((second) => cell(second, "blue", 5)),
    ];
    const failed = (second: number, more: Partial<Cell> = {}): Cell =>
      cell(second, "", 5000, { failure: "socket hang up", count: 1, ...more });
    const figures = figuresOf(
      [
        ...upCells,
        ...backCells,
        failed(50),
        failed(111),
        failed(112),
        failed(113),
        failed(113, { client: "stream", buckets: [] }),
      ],
      [up, back],
    );
    expect(
      figures.ways.map(({ way, rows }) => [way, rows.at(-1)?.requests, rows.at(-1)?.failures]),
    ).to.deep.equal([
      ["up", 131, 1],
      ["bare patch", 82, 2],
    ]);
    expect([figures.requests, figures.failed]).to.deep.equal([214, 4]);
    expect(figures.failures.map(({ way, client, count }) => [way, client, count])).to.have.deep.members([
      ["bare patch", "short", 2],
      ["bare patch", "stream", 1],
      ["up", "short", 1],
      [undefined, "short", 1],
    ]);
  });

  it("are refused where the new color never answered", () => {
    expect(() =>
      figuresOf(
        upCells.filter(({ color }) => color === "blue"),
        [up],
      ),
    ).to.throw("No answer by green after a switch to it by up");
  });

  it("are shown with what was promised and whether it was kept", () => {
    const figures = figuresOf(upCells, [up]);
    expect(verdicts(figures).map(({ met }) => met)).to.deep.equal([true, false]);
    const text = show(figures);
    expect(text).to.match(/^up +short connections +130 +0 +5\.\d +5\.\d +5\.\d +7\.9 /m);
    expect(text)
      .to.include("met: no request of 130 failed over 1 switches: 0")
      .and.include("MISSED: p99 while traffic moves");
    expect(text).to.include("130 requests in all: none failed.");
  });
});

describe("The plan of switches", () => {
  it("lets the ways take turns, each as often as it was asked for", () => {
    const blocks = planBlocks({ up: 23, "bare patch": 9, "rolling update": 4 });
    const sum = (way: string): number =>
      blocks.filter((block) => block.way === way).reduce((total, { switches }) => total + switches, 0);
    expect([sum("up"), sum("bare patch"), sum("rolling update")]).to.deep.equal([23, 9, 4]);
    expect(Math.max(...blocks.map(({ switches }) => switches))).to.be.at.most(5);
    expect(blocks.slice(0, 3).map(({ way }) => way)).not.to.deep.equal(["up", "up", "up"]);
  });

  it("leaves out a way that nobody asked for", () => {
    expect(planBlocks({ up: 2, "bare patch": 0, "rolling update": 0 })).to.deep.equal([
      { way: "up", switches: 2 },
    ]);
  });
});
