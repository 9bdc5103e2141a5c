import { expect } from "chai";
import { codeOf } from "@bluegreen/components/dynamicStep";

describe("A step's code, as Pulumi keeps it in the state", () => {
  it("is this text: another one would be a change of every resource of every stack", () => {
    expect(codeOf("smokeGate")).to.equal(
      'exports.handler = () => require("@bluegreen/release/provider").dynamicProvider("smokeGate");\n',
    );
  });
});
