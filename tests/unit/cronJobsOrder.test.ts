import { expect } from "chai";
import type { Color } from "@bluegreen/release";
import type { Followers } from "@bluegreen/release/config/background";
import { workersStart, workersStop } from "@bluegreen/release/releases/workers";
import { rollBackRelease } from "@bluegreen/release/rollback/rollBackRelease";
import type { ApiServer } from "../support/apiServer";
import { blue, green, shop, startShop, type ShopRelease } from "../support/shopRelease";

const { app } = shop;
const followers: Followers = {
  workers: { blue: [], green: [] },
  cronJobs: { blue: ["nightly"], green: ["nightly"] },
};

interface CronJob {
  metadata: object;
  spec: { schedule: string; suspend: boolean };
  status: { lastScheduleTime?: string; active?: { name: string }[] };
}

/** What Kubernetes does with CronJobs is simulated by nothing; tests/changes/cronJobsSteps.test.ts has a real one. */
describe("The order in which CronJobs are suspended and resumed (simulated)", function () {
  let api: ApiServer;
  let release: ShopRelease;
  let close: () => Promise<void>;
  /** What happened, in its order. */
  let seen: string[];
  let lines: string[];
  /** Done as soon as one of a color is suspended or resumed. */
  let onChange: ((color: Color) => void) | undefined;

  before(async () => {
    ({ api, release, close } = await startShop());
  });
  after(() => close());
  beforeEach(() => {
    api.objects.clear();
    onChange = undefined;
    api.changed = (key) => {
      const color = /^cronjobs\/shop-(blue|green)-nightly$/.exec(key)?.[1] as Color | undefined;
      if (color !== undefined) tell(color);
      if (key === "services/shop-service") seen.push(`traffic is on ${release.liveColor()}`);
    };
    put("blue", { suspend: false, last: "2026-01-05T02:00:00.000Z" });
    put("green", { suspend: true, last: "2026-01-02T02:00:00.000Z" });
    release.begin();
    release.lead("blue");
    seen = [];
    lines = [];
  });

  const keyOf = (color: Color) => `cronjobs/shop-${color}-nightly`;
  const read = (color: Color) => api.objects.get(keyOf(color)) as CronJob;
  const put = (
    color: Color,
    of: { suspend: boolean; last?: string; schedule?: string; active?: string[] },
  ) => {
    const { suspend, last, schedule = "0 2 * * *", active = [] } = of;
    api.objects.set(keyOf(color), {
      metadata: { name: `shop-${color}-nightly` },
      spec: { schedule, suspend },
      status: {
        ...(last !== undefined && { lastScheduleTime: last }),
        active: active.map((name) => ({ name })),
      },
    });
  };
  const tell = (color: Color) => {
    const { spec, status } = read(color);
    seen.push(`${color} ${spec.suspend ? "suspended" : "runs"}, last ${status.lastScheduleTime ?? "never"}`);
    onChange?.(color);
  };
  const traffic = (version: Color) => {
    release.lead(version);
    seen.push(`traffic is on ${version}`);
  };
  const hear = (line: string) => void lines.push(line);
  const stop = (activeColor: Color) => ({ ...shop, ...followers, activeColor });
  const start = (activeColor: Color) => ({
    ...stop(activeColor),
    template: activeColor === "blue" ? blue.template : green.template,
    budgetSeconds: 30,
  });
  const switchTo = async (color: Color) => {
    await workersStop.run(stop(color), hear);
    traffic(color);
    return workersStart.run(start(color), hear);
  };

  it("of a switch: the old ones are suspended, traffic moves, the new ones begin where they have ended", async () => {
    release.note({});
    const { outcome } = await workersStop.run(stop("green"), hear);
    expect(outcome).to.equal("CronJobs nightly of blue suspended");
    traffic("green");
    expect(await workersStart.isNeeded(start("green"), start("green"))).to.equal(true);
    expect((await workersStart.run(start("green"), hear)).outcome).to.equal(
      "CronJobs nightly of green start Jobs",
    );
    expect(seen).to.deep.equal([
      "blue suspended, last 2026-01-05T02:00:00.000Z",
      "traffic is on green",
      "green suspended, last 2026-01-05T02:00:00.000Z",
      "green runs, last 2026-01-05T02:00:00.000Z",
    ]);
    expect(await workersStart.isNeeded(start("green"), start("green"))).to.equal(false);
  });

  it("never go back to an older time", async () => {
    put("green", { suspend: true, last: "2026-01-06T02:00:00.000Z" });
    release.note({});
    await switchTo("green");
    expect(read("green").status.lastScheduleTime).to.equal("2026-01-06T02:00:00.000Z");
  });

  it("that were made since the other's last Job owe nothing from before", async () => {
    const { metadata, spec } = read("green");
    const made = { ...metadata, creationTimestamp: "2026-01-05T12:00:00.000Z" };
    api.objects.set(keyOf("green"), { metadata: made, spec, status: {} });
    release.note({});
    await switchTo("green");
    expect(read("green").status).not.to.have.property("lastScheduleTime");
    expect(read("green").spec.suspend).to.equal(false);
  });

  it("count a Job that the status of the old one does not know of, and none that a person has started", async () => {
    const job = (name: string, annotations: object) => {
      const labels = { "app.kubernetes.io/name": app, version: "blue", "bluegreen.dev/worker": "nightly" };
      api.objects.set(`jobs/${name}`, { metadata: { name, labels, annotations } });
    };
    job("shop-blue-nightly-1", {
      "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-06T03:00:00+01:00",
    });
    job("by-hand", { "cronjob.kubernetes.io/instantiate": "manual" });
    release.note({});
    await switchTo("green");
    expect(read("green").status.lastScheduleTime).to.equal("2026-01-06T02:00:00.000Z");
  });

  it("with a schedule that is new or has changed owe nothing from before", async () => {
    const began = Date.now();
    put("green", { suspend: true, schedule: "0 3 * * *", last: "2026-01-02T03:00:00.000Z" });
    release.note({});
    await switchTo("green");
    const last = new Date(read("green").status.lastScheduleTime ?? "").getTime();
    // By the API server's clock, to the second.
    expect(last).to.be.at.least(began - 1000);
    expect(read("green").spec.suspend).to.equal(false);
    api.objects.delete(keyOf("green"));
    put("blue", { suspend: true });
    traffic("blue");
    await workersStart.run(start("blue"), hear);
    expect(read("blue").status).to.have.property("lastScheduleTime");
  });

  it("leave Jobs that run alone, and say so", async () => {
    put("blue", { suspend: false, active: ["shop-blue-nightly-2"] });
    api.objects.set("jobs/shop-blue-nightly-2", { metadata: { name: "shop-blue-nightly-2" } });
    release.note({});
    await switchTo("green");
    expect(api.objects.has("jobs/shop-blue-nightly-2")).to.equal(true);
    expect(lines.join()).to.match(/nightly of blue is suspended.*ends on blue: shop-blue-nightly-2/);
  });

  it("of a rollback: traffic is back first, the bad ones are suspended, the good ones run", async () => {
    put("blue", { suspend: true, last: "2026-01-05T02:00:00.000Z" });
    put("green", { suspend: false, last: "2026-01-06T02:00:00.000Z" });
    release.note({ state: "analyzing" });
    release.lead("green");
    const settings = { route: null, database: null, connectionDrainSeconds: 0, followers };
    const undone = { id: "s1", to: green, from: blue, weight: 100 };
    const told = { reason: "a test", evidence: [], by: "anna" };
    expect(await rollBackRelease({ where: shop, undone, settings, ...told }, hear)).to.equal(true);
    expect(seen).to.deep.equal([
      "traffic is on blue",
      "green suspended, last 2026-01-06T02:00:00.000Z",
      "blue suspended, last 2026-01-06T02:00:00.000Z",
      "blue runs, last 2026-01-06T02:00:00.000Z",
    ]);
  });

  it("of a rollback by config: none is suspended before traffic is back", async () => {
    release.note({ kind: "rollback" });
    await workersStop.run(stop("green"), hear);
    expect(seen).to.deep.equal([]);
    traffic("green");
    await workersStart.run(start("green"), hear);
    expect([read("blue").spec.suspend, read("green").spec.suspend]).to.deep.equal([true, false]);
  });

  it("of an update that was killed after they were suspended: the next one resumes them where they were", async () => {
    release.note({});
    await workersStop.run(stop("green"), hear);
    expect(await workersStart.isNeeded(start("blue"), start("blue"))).to.equal(true);
    await workersStart.run(start("blue"), hear);
    expect(seen).to.deep.equal([
      "blue suspended, last 2026-01-05T02:00:00.000Z",
      "blue runs, last 2026-01-05T02:00:00.000Z",
    ]);
  });

  it("of an update that was killed between its two changes: the next one ends the same", async () => {
    release.note({});
    await workersStop.run(stop("green"), hear);
    traffic("green");
    put("green", { suspend: true, last: "2026-01-05T02:00:00.000Z" });
    expect(await workersStart.isNeeded(start("green"), start("green"))).to.equal(true);
    await workersStart.run(start("green"), hear);
    expect(seen.at(-1)).to.equal("green runs, last 2026-01-05T02:00:00.000Z");
  });

  it("of a start that a rollback overtakes: those of the color that traffic is on run, and no others", async () => {
    release.note({});
    await workersStop.run(stop("green"), hear);
    traffic("green");
    onChange = (color) => {
      onChange = undefined;
      if (color === "green") traffic("blue");
    };
    const { outcome } = await workersStart.run(start("green"), hear);
    expect(outcome).to.contain("traffic is on blue");
    expect([read("blue").spec.suspend, read("green").spec.suspend]).to.deep.equal([false, true]);
  });
});
