import { expect } from "chai";
import { selects } from "@bluegreen/release/capacity/others";

describe("Pods that somebody else's PodDisruptionBudget selects", () => {
  const labels = { app: "shop", version: "blue" };

  it("are those of its labels, and of no selector none", () => {
    expect(selects(undefined, labels)).to.equal(false);
    expect(selects({}, labels)).to.equal(true);
    expect(selects({ matchLabels: { app: "shop" } }, labels)).to.equal(true);
    expect(selects({ matchLabels: { app: "shop", version: "green" } }, labels)).to.equal(false);
  });

  for (const [key, operator, values, expected] of [
    ["version", "In", ["blue", "green"], true],
    ["version", "In", ["green"], false],
    ["tier", "In", ["web"], false],
    ["version", "NotIn", ["blue"], false],
    ["tier", "NotIn", ["web"], true],
    ["app", "Exists", undefined, true],
    ["tier", "Exists", undefined, false],
    ["tier", "DoesNotExist", undefined, true],
    ["app", "DoesNotExist", undefined, false],
  ] as const)
    it(`are ${expected ? "" : "not "}those of ${key} ${operator} ${values?.join(", ") ?? ""}`, () => {
      const expression = { key, operator, ...(values !== undefined && { values: [...values] }) };
      expect(selects({ matchExpressions: [expression] }, labels)).to.equal(expected);
    });
});
