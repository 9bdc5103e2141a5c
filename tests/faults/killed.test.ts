import { expect } from "chai";
import { everyCase } from "../support/everyCase";
import { killUpdate } from "../support/killUpdate";
import { liveColor, podsOf } from "../support/read";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";

const kills = Number(process.env["KILLS"] ?? (everyCase ? 2 : 0));

/** `kill -9` in the middle of a release. Users notice nothing, and the next `up` ends it. */
describe("A release whose update is killed, on a real cluster under load", function () {
  this.timeout(900_000 + kills * 60_000);
  let test: TestStack;
  let users: Users;

  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({ activeColor: "blue", blueTag: "v1" });
    await test.stack.up();
  });
  after(() => test.remove());

  beforeEach(async () => {
    users = await startUsers(test.cluster);
  });
  afterEach(async () => {
    const { failures, requests } = await users.stop();
    expect(requests).to.be.greaterThan(20);
    expect(failures, "what users saw").to.deep.equal([]);
  });

  const moments = [
    { what: "while green rolls out", reached: async () => (await podsOf(test.cluster, "green")).length > 0 },
    {
      what: "while the smoke suite runs",
      reached: (said: string) => Promise.resolve(said.includes("smoke tests of green: 1 passed")),
    },
    { what: "right after the flip", reached: async () => (await liveColor(test.cluster)) === "green" },
  ];

  // One release, killed again and again: each update begins where the one before was killed, and none waits
  // for its lock.
  it(`${moments.map(({ what }) => what).join(", then ")}: users notice nothing, and the next update continues`, async () => {
    await test.set({ activeColor: "green", greenTag: "v2", lockWaitSeconds: 0 });
    for (const { what, reached } of moments) {
      await killUpdate(test, reached);
      expect(users.seen.failures, what).to.deep.equal([]);
    }
    await test.stack.up();
    expect(await liveColor(test.cluster)).to.equal("green");
    expect(await podsOf(test.cluster, "green")).to.have.length(2);
    expect(Object.keys((await test.stack.up()).changes), "no difference is left").to.deep.equal(["same"]);
    await users.answeredBy("green");
  });

  // Others in each run of all tests, and twenty for a soak: KILLS=20. Wherever it hits, the same is true.
  if (kills > 0)
    it("at a random point before, during or after the flip: users notice nothing, and the next update ends it", async () => {
      const started = performance.now();
      await test.set({ activeColor: "blue" });
      await test.stack.up();
      const wholeMs = performance.now() - started;
      for (let kill = 0; kill < kills; kill++) {
        const to = kill % 2 === 0 ? "green" : "blue";
        const afterMs = Math.random() * wholeMs;
        const what = `kill ${kill + 1} of ${kills}, ${Math.round(afterMs)} ms after the start of the switch to ${to}`;
        await test.set({ activeColor: to });
        const begun = performance.now();
        await killUpdate(test, () => Promise.resolve(performance.now() - begun >= afterMs)).catch(
          (error: unknown) => {
            // A switch that was quicker than the first one.
            if (!String(error).includes("ended before it could be killed")) throw error;
          },
        );
        expect(["blue", "green"], what).to.include(await liveColor(test.cluster));
        await test.stack.up();
        expect(await liveColor(test.cluster), what).to.equal(to);
        expect(Object.keys((await test.stack.up()).changes), what).to.deep.equal(["same"]);
        expect(users.seen.failures, what).to.deep.equal([]);
      }
    });
});
