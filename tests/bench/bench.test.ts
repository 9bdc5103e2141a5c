import { spawn } from "node:child_process";
import { expect } from "chai";
import { endOf } from "../support/endOf";

/**
 * Each measurement in little: that it comes to figures, and not what they are. A goal that a busy machine
 * misses is no failure.
 */
describe("A measurement of bench/", function () {
  const measure = async (name: string, ...options: string[]): Promise<unknown> => {
    const { code, output, errors } = await endOf(
      spawn("npm", ["run", "--silent", `bench:${name}`, "--", "--json", ...options], {
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
    expect([0, 1], errors).to.include(code);
    expect(output, errors).to.match(/^\{.*\}\n$/);
    return JSON.parse(output);
  };

  it("tells how long a person waits for the program", async () => {
    const { measured } = (await measure("up", "--runs", "1")) as {
      measured: { what: string; seconds: number[] }[];
    };
    expect(measured).not.to.be.empty;
    for (const { what, seconds } of measured)
      expect([seconds.length, (seconds[0] ?? 0) > 0], what).to.deep.equal([1, true]);
  });

  it("tells how quickly traffic is back", async () => {
    const { rows, requests, failures } = (await measure("rollback", "--runs", "1")) as {
      rows: { way: string; client: string; firstOld: number[]; lastBad: number[] }[];
      requests: number;
      failures: number;
    };
    expect(
      rows.map(
        ({ way, client, firstOld, lastBad }) => `${way}, ${client}: ${firstOld.length}, ${lastBad.length}`,
      ),
    ).to.deep.equal([
      "rollback, short: 1, 1",
      "rollback, keep-alive: 1, 1",
      "bare patch, short: 1, 1",
      "bare patch, keep-alive: 1, 1",
    ]);
    expect(requests).to.be.greaterThan(100);
    expect(failures).to.equal(0);
  });

  it("tells what a backfill costs beside what people do without one", async () => {
    const { rows, outcomes } = (await measure("migrations", "--rows", "10000", "--limit", "30")) as {
      rows: number;
      outcomes: { rowsPerSecond: number }[];
    };
    expect(rows).to.equal(10_000);
    expect(outcomes.length).to.be.greaterThan(2);
    for (const { rowsPerSecond } of outcomes) expect(rowsPerSecond).to.be.greaterThan(0);
  });

  it("tells how long the linter's examples hold their locks", async () => {
    const { rows, measured } = (await measure("lint", "--rows", "1000", "--runs", "1")) as {
      rows: number;
      measured: Record<string, number>;
    };
    expect(rows).to.equal(1000);
    expect(measured).to.include.keys("set-not-null", "volatile-default", "create-index");
  });

  it("tells what users notice of a switch, and of other ways to switch", async () => {
    const { switches, ways, requests } = (await measure(
      "switch",
      "--switches",
      "1",
      "--beside",
      "1",
      "--rate",
      "20",
      "--spacing",
      "40",
    )) as { switches: number; ways: unknown[]; requests: number };
    expect(switches).to.equal(1);
    expect(ways).to.have.length(3);
    expect(requests).to.be.greaterThan(100);
  });

  it("tells what a release costs as pods and apps become more", async () => {
    const { pods, fleet, oneProgram } = (await measure("scale", "--apps", "2", "--pods", "10")) as Record<
      "pods" | "fleet" | "oneProgram",
      { size: number }[]
    >;
    const sizes = (rows: { size: number }[]) => [...new Set(rows.map(({ size }) => size))];
    expect([pods, fleet, oneProgram].map(sizes)).to.deep.equal([
      [5, 10],
      [1, 2],
      [1, 2],
    ]);
  });
});
