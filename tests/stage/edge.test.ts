import { expect } from "chai";
import { readStage, startStage, type Stage } from "../../local/stage";
import { User } from "../edge/support/user";
import { killComponent, ownStageDir, runningSupervisor } from "./support/stageUnderTest";

// Programs that are not built yet are built by the first start.
const firstStartMs = 40 * 60_000;

describe("the edge of a local stage", function () {
  this.timeout(120_000);
  let removeStage: () => Promise<void>;
  let stage: Stage;
  let supervisor: number;

  const answers = async (): Promise<number> => {
    if (stage.edge === undefined) throw new Error("The stage has no edge.");
    // Nothing is routed yet; the certificate is the Gateway's.
    const user = new User(stage.edge, stage.edge.host);
    try {
      return (await user.ask("/")).status;
    } finally {
      user.close();
    }
  };

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
    expect(await answers()).to.equal(404);
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
    expect(await answers()).to.equal(404);
    expect(await runningSupervisor()).to.equal(supervisor);
  });
});
