import { rm } from "node:fs/promises";
import { expect } from "chai";
import { localHome, stackFile } from "../../local/start/home";
import { expectRelease, linksIn, runLocal, runTimeoutMs, testRate } from "../start/support";
import { ownStageDir } from "../stage/support/stageUnderTest";

describe("npm start, once more", function () {
  this.timeout(runTimeoutMs);
  let removeStage: () => Promise<void>;
  before(async () => {
    removeStage = await ownStageDir();
  });
  after(async () => {
    await removeStage();
    await rm(stackFile(localHome()), { force: true });
  });

  it("begins again from where traffic is, without a failed request, and keeps its links", async () => {
    const first = await runLocal("start.ts", ["--json", "--rate", testRate]);
    expectRelease(first);
    const links = linksIn(first.errors);
    const switched = await runLocal("bluegreen.ts", ["switch", "--yes"]);
    expect(switched.code, switched.errors).to.equal(0);
    const again = await runLocal("start.ts", ["--json", "--rate", testRate]);
    expectRelease(again);
    expect(linksIn(again.errors)).to.deep.equal(links);
    expect(await (await fetch(links.app)).text()).to.include(">blue<");
  });
});
