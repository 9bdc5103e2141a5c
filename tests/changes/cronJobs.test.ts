import { expect } from "chai";
import { colors, type Color } from "@bluegreen/release";
import { isSuspended, readCronJob } from "@bluegreen/release/kubernetes/cronJob";
import type { ReleaseStatus } from "@bluegreen/release/releases/status";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { bluegreen } from "../support/bluegreen";
import { failureOf } from "../support/read";

/** None of its Jobs comes while the test runs; tests/changes/cronJobsSteps.test.ts has some. */
const nightly = { name: "nightly", schedule: "0 0 1 1 *", command: ["node", "--version"] };

describe("CronJobs of a program, through a switch, a rollback and changes on a real cluster", function () {
  let test: TestStack;
  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({ activeColor: "blue", blueTag: "v1", cronJobs: [nightly] });
    await test.stack.up();
  });
  after(() => test.remove());

  const read = (color: Color) => readCronJob(test.cluster, { app: "chatgpt-app", color, name: "nightly" });
  const suspended = () => Promise.all(colors.map(async (color) => isSuspended(await read(color))));
  /** What an update would change of them. */
  const planned = async () =>
    (await test.stack.preview()).steps
      .filter(({ op, name }) => op !== "same" && name.endsWith("-nightly"))
      .map(({ op, name }) => `${op} ${name}`);

  it("start Jobs on the live color after the first release, and stay so", async () => {
    expect(await suspended()).to.deep.equal([false, true]);
    expect(await planned()).to.deep.equal([]);
  });

  it("do not change on the live color in place", async () => {
    await test.set({ cronJobs: [{ ...nightly, schedule: "0 0 2 1 *" }] });
    expect(await failureOf(test.stack.up())).to.contain("BG-LIVE-COLOR-CHANGED");
    await test.set({ cronJobs: [nightly] });
    expect((await read("blue"))?.spec.schedule).to.equal("0 0 1 1 *");
    expect(await suspended()).to.deep.equal([false, true]);
  });

  it("change over with a switch, and the next update leaves them so", async () => {
    await test.set({ greenTag: "v2", activeColor: "green" });
    await test.stack.up();
    expect(await suspended()).to.deep.equal([true, false]);
    expect(await planned()).to.deep.equal([]);
  });

  it("return with a rollback, and status finds nothing wrong with them", async () => {
    const back = await bluegreen(test, "rollback", "--reason", "a test", "--yes");
    expect(back.code, back.said).to.equal(0);
    expect(await suspended()).to.deep.equal([false, true]);
    const { out } = await bluegreen(test, "status", "--json");
    const { cronJobs, attention } = JSON.parse(out) as ReleaseStatus & { attention: string[] };
    expect(cronJobs).to.deep.equal([
      { color: "blue", name: "nightly", suspended: false, running: 0 },
      { color: "green", name: "nightly", suspended: true, running: 0 },
    ]);
    expect(attention.filter((line) => line.includes("CronJob"))).to.deep.equal([]);
  });

  it("change on the idle color, which an update does not resume", async () => {
    await test.set({
      activeColor: "blue",
      green: { cronJobs: [{ ...nightly, schedule: "0 0 2 1 *" }] },
    });
    await test.stack.up();
    expect((await read("green"))?.spec.schedule).to.equal("0 0 2 1 *");
    expect((await read("blue"))?.spec.schedule).to.equal("0 0 1 1 *");
    expect(await suspended()).to.deep.equal([false, true]);
    expect(await planned()).to.deep.equal([]);
  });
});
