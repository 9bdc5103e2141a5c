import { expect } from "chai";
import { colors, names, otherColor, poll, type Color } from "@bluegreen/release";
import {
  isSuspended,
  jobsOf,
  readCronJob,
  setLastScheduled,
  setSuspended,
} from "@bluegreen/release/kubernetes/cronJob";
import { podsOfWorkers } from "@bluegreen/release/kubernetes/pods";
import { liveColor } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { blue, green, makeTrafficOnly, type TrafficOnly } from "../support/trafficOnly";
import { startStep, type RunningStep } from "../provider/stepProvider";

const app = "chatgpt-app";
const template = { blue: "a", green: "b" };
const workers = { blue: [], green: [] };

/** One comes in a year: no Job starts in a test but for a time that its CronJob has missed. */
const schedule = "0 0 1 1 *";
/** A CronJob that started a Job last at that time has missed one since, or two. */
const longAgo = new Date(Date.now() - 550 * 24 * 3_600_000);

/** It ends at once, unless it is to last. */
const program = `
if (process.env.LASTS !== "1") process.exit(0);
process.on("SIGTERM", () => process.exit(0));
setInterval(() => undefined, 1000);
`;

describe("CronJobs around a switch, in Pulumi's provider process and on a real cluster", function () {
  let traffic: TrafficOnly;
  let test: TestNamespace;
  let stop: RunningStep;
  let start: Omit<RunningStep, "beside" | "close">;

  before(async () => {
    test = await makeNamespace();
    traffic = await makeTrafficOnly(test, "cron-job", program);
  });
  after(() => test.remove());
  beforeEach(async () => {
    stop = await startStep("workersStop", { KUBECONFIG: test.stage.kubeconfig });
    start = stop.beside("workersStart");
  });
  afterEach(() => stop.close());

  const deploy = (color: Color, name: string, suspend: boolean, lasts = false) => {
    const labels = { "app.kubernetes.io/name": app, version: color, "bluegreen.dev/worker": name };
    const container = {
      name: "job",
      image: traffic.image,
      env: [{ name: "LASTS", value: lasts ? "1" : "0" }],
    };
    return test.cluster.batch.createNamespacedCronJob({
      namespace: test.namespace,
      body: {
        metadata: { name: names.worker(app, color, name) },
        spec: {
          schedule,
          concurrencyPolicy: "Forbid",
          suspend,
          jobTemplate: {
            metadata: { labels },
            spec: {
              template: {
                metadata: { labels },
                spec: {
                  restartPolicy: "OnFailure",
                  terminationGracePeriodSeconds: 5,
                  containers: [container],
                },
              },
            },
          },
        },
      },
    });
  };
  const lastOf = (color: Color, name: string, at: Date) =>
    setLastScheduled(test.cluster, { app, color, name }, at);
  /** As it is on any day: the live color has served the last time, and the idle one was away for long. */
  const arrange = async (name: string, { live, lasts = false }: { live: Color; lasts?: boolean }) => {
    await traffic.point(live);
    for (const color of colors) await deploy(color, name, color !== live, lasts);
    await lastOf(live, name, new Date());
    await lastOf(otherColor(live), name, longAgo);
  };
  const followers = (name: string) => ({ workers, cronJobs: { blue: [name], green: [name] } });
  const inputs = (activeColor: Color, name: string) => ({ ...test.where, activeColor, ...followers(name) });
  const starting = (activeColor: Color, name: string) => ({
    ...inputs(activeColor, name),
    template: template[activeColor],
    budgetSeconds: 120,
  });
  const suspended = (name: string) =>
    Promise.all(
      colors.map(async (color) => isSuspended(await readCronJob(test.cluster, { app, color, name }))),
    );
  const jobs = (color: Color, name: string) => jobsOf(test.cluster, { app, color, name });
  const jobCounts = (name: string) =>
    Promise.all(colors.map(async (color) => (await jobs(color, name)).length));
  /** Until the controller of CronJobs has started a Job for one that is resumed after all that was done before. */
  const controllerIsThere = async () => {
    const name = `witness-${Math.random().toString(36).slice(2, 8)}`;
    await deploy("blue", name, true);
    await lastOf("blue", name, longAgo);
    await setSuspended(test.cluster, { app, color: "blue", name }, false);
    await poll(async () => ((await jobs("blue", name)).length > 0 ? true : undefined), {
      timeoutMs: 300_000,
    });
  };
  const rollBackToBlue = async (name: string) => {
    const { isBack, said } = await traffic.rollBack(followers(name));
    expect(isBack, said).to.equal(true);
  };

  it("start Jobs where traffic is, and are not resumed again", async () => {
    const name = "first";
    await traffic.point("blue");
    for (const color of colors) await deploy(color, name, true);
    expect(await start.changes(starting("blue", name), starting("blue", name))).to.equal("some");
    expect(await start.create(starting("blue", name))).to.deep.include({
      outcome: `CronJobs ${name} of blue start Jobs`,
    });
    expect(await suspended(name)).to.deep.equal([false, true]);
    expect(await start.changes(starting("blue", name), starting("blue", name))).to.equal("none");
    expect(await stop.changes(inputs("blue", name), inputs("blue", name))).to.equal("none");
  });

  it("that are resumed without more than that make up for a time that they have missed", async () => {
    // What the release has to keep from happening: without it the next tests would show nothing.
    await controllerIsThere();
  });

  it("change over with a switch, and do not make up for what the old color has done", async () => {
    const name = "nightly";
    await arrange(name, { live: "blue" });
    await traffic.note("switch", green, blue);
    expect(await stop.changes(inputs("blue", name), inputs("green", name))).to.equal("some");
    expect(await stop.create(inputs("green", name))).to.deep.include({
      outcome: `CronJobs ${name} of blue suspended`,
    });
    expect(await suspended(name)).to.deep.equal([true, true]);
    await traffic.point("green");
    expect(await start.create(starting("green", name))).to.deep.include({
      outcome: `CronJobs ${name} of green start Jobs`,
    });
    expect(await suspended(name)).to.deep.equal([true, false]);
    await controllerIsThere();
    expect(await jobCounts(name)).to.deep.equal([0, 0]);
    expect(await start.changes(starting("green", name), starting("green", name))).to.equal("none");
  });

  it("return with a rollback, after traffic, and do not make up for what the bad version has done", async () => {
    const name = "undone";
    await arrange(name, { live: "green" });
    await traffic.note("switch", green, blue);
    await rollBackToBlue(name);
    expect(await liveColor(test.cluster)).to.equal("blue");
    expect(await suspended(name)).to.deep.equal([false, true]);
    await controllerIsThere();
    expect(await jobCounts(name)).to.deep.equal([0, 0]);
  });

  it("start one Job for a time that came while both colors' were suspended", async () => {
    const name = "missed";
    await arrange(name, { live: "blue" });
    await traffic.note("switch", green, blue);
    await stop.create(inputs("green", name));
    await lastOf("blue", name, longAgo);
    await traffic.point("green");
    await start.create(starting("green", name));
    await poll(async () => ((await jobs("green", name)).length > 0 ? true : undefined), {
      timeoutMs: 300_000,
    });
    await controllerIsThere();
    expect(await jobCounts(name)).to.deep.equal([0, 1]);
    // Back with it: the time that has had its Job gets no second one.
    await traffic.note("switch", green, blue);
    await rollBackToBlue(name);
    expect(await suspended(name)).to.deep.equal([false, true]);
    await controllerIsThere();
    expect(await jobCounts(name)).to.deep.equal([0, 1]);
  });

  it("are left alone by a rollback until traffic has moved", async () => {
    const name = "waiting";
    await arrange(name, { live: "blue" });
    await traffic.note("rollback", green, blue);
    expect((await stop.create(inputs("green", name)))["outcome"]).to.match(/traffic returns first/);
    expect(await suspended(name)).to.deep.equal([false, true]);
  });

  it("that an update has suspended and left so are resumed by the next one", async () => {
    const name = "killed";
    await arrange(name, { live: "blue" });
    await traffic.note("switch", green, blue);
    await stop.create(inputs("green", name));
    expect(await suspended(name)).to.deep.equal([true, true]);
    // Killed here: config is put back, or is not.
    expect(await stop.changes(inputs("green", name), inputs("green", name))).to.equal("some");
    expect(await start.changes(starting("blue", name), starting("blue", name))).to.equal("some");
    await start.update(starting("blue", name), starting("blue", name));
    expect(await suspended(name)).to.deep.equal([false, true]);
    await controllerIsThere();
    expect(await jobCounts(name)).to.deep.equal([0, 0]);
  });

  it("of both colors that start Jobs, whoever has left them so, are one color's after the next update", async () => {
    const name = "both";
    await arrange(name, { live: "blue" });
    await lastOf("green", name, new Date());
    await setSuspended(test.cluster, { app, color: "green", name }, false);
    expect(await start.changes(starting("blue", name), starting("blue", name))).to.equal("some");
    await start.update(starting("blue", name), starting("blue", name));
    expect(await suspended(name)).to.deep.equal([false, true]);
  });

  it("leave a Job alone that runs when traffic moves, and say so", async () => {
    const name = "long";
    await arrange(name, { live: "blue", lasts: true });
    await lastOf("blue", name, longAgo);
    const running = async () =>
      (await podsOfWorkers(test.cluster, { app, color: "blue" }, [name])).filter(
        ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase === "Running",
      );
    const [pod] = await poll(
      async () => {
        const pods = await running();
        return pods.length > 0 ? pods : undefined;
      },
      { timeoutMs: 300_000 },
    );
    await traffic.note("switch", green, blue);
    await stop.create(inputs("green", name));
    await stop.shows(`CronJob ${name} of blue is suspended`);
    await traffic.point("green");
    await start.create(starting("green", name));
    await controllerIsThere();
    expect(await jobCounts(name)).to.deep.equal([1, 0]);
    expect((await running()).map(({ metadata }) => metadata?.uid)).to.deep.equal([pod?.metadata?.uid]);
  });
});
