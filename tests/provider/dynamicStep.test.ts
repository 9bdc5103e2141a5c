import { expect } from "chai";
import { runtime } from "@pulumi/pulumi";
import { dynamicStep, type StepName } from "../../components/dynamicStep";

const serialize = async (step: StepName) => (await runtime.serializeFunction(() => dynamicStep(step), {})).text;

describe("A step's provider code, as Pulumi stores it", () => {
  it("is a few stable lines that load the package when they run", async () => {
    const text = await serialize("smokeGate");
    expect(text.length).to.be.lessThan(6_000);
    expect(text).to.contain('require("@bluegreen/release")').and.contain("smokeGate");
  });

  it("is the same text each time, and holds nothing of this machine", async () => {
    const text = await serialize("rollout");
    expect(await serialize("rollout")).to.equal(text);
    expect(text).not.to.contain(process.cwd()).and.not.contain("node_modules");
  });
});
