import { expect } from "chai";
import { deadlockIn, restartOf } from "@bluegreen/release/gates/podProblem";

describe("Pods that failed while they started", () => {
  const status = { name: "app", image: "shop:v2", imageID: "", ready: true };

  it("are told with how often, and by which code", () => {
    const pod = (restartCount: number, exitCode?: number) => ({
      metadata: { name: "shop-green-a" },
      status: {
        containerStatuses: [
          {
            ...status,
            restartCount,
            ...(exitCode !== undefined && { lastState: { terminated: { exitCode } } }),
          },
        ],
      },
    });
    expect(restartOf(pod(0))).to.deep.equal([]);
    expect(restartOf(pod(1, 1))).to.deep.equal(["shop-green-a (once, exit code 1)"]);
    expect(restartOf(pod(3))).to.deep.equal(["shop-green-a (3 times)"]);
    expect(restartOf({})).to.deep.equal([]);
  });

  it("are told with the deadlock of their database", () => {
    expect(deadlockIn(["well\nready", 'pq: ERROR: deadlock detected (SQLSTATE 40P01)"\nbye'])).to.contain(
      "40P01",
    );
    expect(deadlockIn(["Deadlock found when trying to get lock"])).to.contain("Deadlock");
    expect(deadlockIn(["no deadlock here"])).to.equal(undefined);
  });
});
