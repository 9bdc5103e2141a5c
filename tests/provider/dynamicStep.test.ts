import { expect } from "chai";
import { storedCode } from "./stepProvider";

describe("A step's provider code, as Pulumi stores it", () => {
  it("is a few stable lines that load the package when they run", async () => {
    const text = await storedCode("smokeGate");
    expect(text.length).to.be.lessThan(6_000);
    expect(text).to.contain('require("@bluegreen/release")').and.contain("smokeGate");
  });

  it("is the same text each time, and holds nothing of this machine", async () => {
    const text = await storedCode("rollout");
    expect(await storedCode("rollout")).to.equal(text);
    expect(text).not.to.contain(process.cwd()).and.not.contain("node_modules");
  });
});
