import { expect } from "chai";
import { linePath, scaleTop, withRoom, type Frame } from "../../pages/chart/geometry";

const frame: Frame = { from: 0, to: 100, top: 10, width: 200, height: 50 };

describe("A line of a chart", () => {
  it("goes from the left to the right, and up with the value", () => {
    expect(
      linePath(
        [
          { at: 0, value: 0 },
          { at: 50, value: 5 },
          { at: 100, value: 10 },
        ],
        frame,
      ),
    ).to.equal("M0 50l0 0L100 25L200 0");
  });

  it("has a gap where there is no value, and ends at the edges", () => {
    expect(
      linePath(
        [
          { at: -1, value: 1 },
          { at: 0, value: 5 },
          { at: 20, value: null },
          { at: 40, value: 5 },
          { at: 101, value: 5 },
        ],
        frame,
      ),
    ).to.equal("M0 25l0 0M80 25l0 0");
  });

  it("does not leave its frame for a value beyond the scale", () => {
    expect(linePath([{ at: 0, value: 99 }], frame)).to.equal("M0 0l0 0");
  });
});

describe("The words at the moves of a chart", () => {
  it("stand where there is room until the next one that has, the last ones first", () => {
    expect(withRoom([10, 20, 90, 100], 50)).to.deep.equal([false, true, false, true]);
    expect(withRoom([], 50)).to.deep.equal([]);
  });
});

describe("The scale of a chart", () => {
  it("ends at a round number that has room for all values, and no sooner than it may", () => {
    expect([0, 3, 10, 11, 24, 26, 240, 999].map((highest) => scaleTop(highest, 10))).to.deep.equal([
      10, 10, 10, 20, 25, 50, 250, 1000,
    ]);
    expect([0.003, 0.05, 0.051].map((highest) => scaleTop(highest, 0.01))).to.deep.equal([0.01, 0.05, 0.1]);
  });
});
