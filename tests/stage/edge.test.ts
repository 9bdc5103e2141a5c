import { expect } from "chai";
import { layout } from "../../local/cluster/layout";
import { edgeAnswers } from "../../local/edge/edge";
import { readStage, startStage, type Stage } from "../../local/stage";
import { killComponent, ownStageDir, runningSupervisor } from "./support/stageUnderTest";

// Programs that are not built yet are built by the first start.
const firstStartMs = 40 * 60_000;

describe("the edge of a local stage", function () {
  let removeStage: () => Promise<void>;
  let stage: Stage;
  let supervisor: number;

  before(async function () {
    this.timeout(firstStartMs);
    removeStage = await ownStageDir();
    stage = await startStage();
    supervisor = await runningSupervisor();
  });

  after(async () => {
    await removeStage();
  });

  it("is not there unless somebody asks for it", () => {
    expect(stage).to.not.have.property("edge");
  });

  it("is added to the stage that runs", async function () {
    this.timeout(firstStartMs);
    stage = await startStage({ edge: true });
    expect(await runningSupervisor()).to.equal(supervisor);
    expect(await edgeAnswers(layout())).to.equal(true);
  });

  it("stays, whoever starts the stage again", async () => {
    expect(await startStage()).to.deep.equal(stage);
    expect(await startStage({ edge: true })).to.deep.equal(stage);
    expect(await readStage()).to.deep.equal(stage);
    expect(await runningSupervisor()).to.equal(supervisor);
  });

  it("comes back after kill -9", async () => {
    await killComponent("edge");
    await startStage();
    expect(await edgeAnswers(layout())).to.equal(true);
    expect(await runningSupervisor()).to.equal(supervisor);
  });
});
