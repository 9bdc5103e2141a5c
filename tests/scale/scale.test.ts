import { expect } from "chai";
import { readRelease } from "@bluegreen/release/state/record";
import { Subject, app, type AppCost } from "../../bench/scale/subject";
import { withoutLeases } from "../../bench/scale/rows";
import type { RequestCounts } from "../../local/testing/countedApi";
import { simulatedKey } from "../../local/simulated/names";
import { startSimulatedNodes, type SimulatedNodes } from "../../local/simulated/nodes";
import { readStage, type Stage } from "../../local/stage";
import { liveColor } from "../support/read";

const few = 2;
const many = 20;

describe("A release at scale, on simulated nodes", function () {
  // The first run builds kwok.
  let stage: Stage;
  let nodes: SimulatedNodes;
  let subject: Subject;
  const measured = new Map<number, AppCost>();

  before(async () => {
    const running = await readStage();
    if (running === undefined)
      throw new Error("the local stage is not running: npm start, or npm test, which starts it");
    stage = running;
    nodes = await startSimulatedNodes(2);
    subject = await Subject.make(stage.kubeconfig, { namespace: nodes.namespace("app") });
    for (const size of [few, many]) {
      await subject.resize(size);
      measured.set(size, await subject.measure());
    }
  });

  after(async () => {
    await subject.remove();
    await nodes.stop();
  });

  /** The guard of the live color reads its pods' metrics and logs, as the analysis does. */
  const parted = ({
    "get pods/log": logs = 0,
    "connect pods/portforward": forwards = 0,
    ...same
  }: RequestCounts) => ({
    same,
    ofPods: logs + forwards,
  });

  const at = (size: number): AppCost => {
    const cost = measured.get(size);
    if (cost === undefined) throw new Error(`nothing was measured with ${size} pods`);
    return cost;
  };

  it("has every pod of both colors ready on simulated nodes, and no other pod there", async () => {
    const { core, namespace } = subject.test.cluster;
    const { items } = await core.listPodForAllNamespaces();
    const simulated = items.filter(({ spec }) => spec?.nodeName?.startsWith(`simulated-${nodes.id}-`));
    expect(simulated.filter(({ metadata }) => metadata?.namespace !== namespace)).to.deep.equal([]);
    expect(
      simulated.filter(({ status }) =>
        status?.conditions?.some(({ type, status: state }) => type === "Ready" && state === "True"),
      ),
    ).to.have.length(2 * many);
    expect(simulated.every(({ spec }) => spec?.nodeSelector?.[simulatedKey] === nodes.id)).to.equal(true);
    expect(
      items.filter(
        ({ metadata, spec }) =>
          metadata?.namespace === namespace &&
          !simulated.some((pod) => pod.spec?.nodeName === spec?.nodeName),
      ),
    ).to.deep.equal([]);
  });

  it("moves traffic there and back again", async () => {
    const { cluster } = subject.test;
    expect(await liveColor(cluster)).to.equal("blue");
    expect(await readRelease(cluster, app)).to.deep.include({ kind: "rollback", state: "kept" });
  });

  for (const part of ["preview", "switch", "rollback"] as const) {
    it(`asks the API server for the same in a ${part}, however many pods there are, but for the guard's reads`, () => {
      const [of, ofMany] = [few, many].map((size) => parted(withoutLeases(at(size)[part].requests)));
      expect(of?.same).to.include.keys("get services");
      expect(ofMany?.same).to.deep.equal(of?.same);
      // It ends with the gates, and each pod that it has come to by then was read once. A preview has none.
      const more = part === "preview" ? 0 : 2 * many;
      expect(ofMany?.ofPods ?? 0).to.be.at.most((of?.ofPods ?? 0) + more);
    });
  }

  it("asks each pod in the analysis alone: twice at a reading, for its metrics and its log", () => {
    const { requests } = at(many).analysis.observation;
    expect(requests).to.deep.equal({
      "list pods": 2,
      "connect pods/portforward": many,
      "get pods/log": many,
    });
  });

  it("asks the pods of both colors before it moves traffic, to compare with", () => {
    const { requests } = at(many).analysis.baseline;
    expect(requests).to.deep.equal({
      "list pods": 2,
      "connect pods/portforward": 2 * many,
      "get pods/log": 2 * many,
    });
  });
});
