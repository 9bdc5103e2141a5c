import { expect } from "chai";
import { longestFirst } from "../runner/schedule";
import type { Batch, Suite } from "../runner/suites";

const serial: Suite = { name: "serial", stage: "cluster", serial: true };
const free: Suite = { name: "free", stage: "cluster" };
const batch = (suite: Suite, file: string): Batch => ({ suite, files: [file] });
const took = (seconds: number) => ({ seconds, cpuSeconds: 0, updates: 0 });

describe("The order in which test files run", () => {
  it("begins with what takes longest, and takes a serial suite for one as long as all of its files", () => {
    const times = {
      long: took(900),
      short: took(500),
      first: took(400),
      second: took(350),
      third: took(300),
    };
    const order = longestFirst(
      [
        batch(free, "short"),
        batch(serial, "third"),
        batch(free, "long"),
        batch(serial, "first"),
        batch(serial, "second"),
      ],
      times,
    );
    expect(order.flatMap(({ files }) => files)).to.deep.equal(["first", "second", "third", "long", "short"]);
  });
});
