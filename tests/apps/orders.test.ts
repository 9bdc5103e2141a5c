import { expect } from "chai";
import { poll, type Color } from "@bluegreen/release";
import type { ReleaseStatus } from "@bluegreen/release/releases/status";
import { bluegreen } from "../support/bluegreen";
import { makeOrders, next, placing, type OrdersStack } from "../support/orders";
import { startWriters, type Writers } from "../support/writers";

/** Killed half-way, and failing, its command is in tests/provider/ownGates.test.ts. */
describe("An app with node-pg-migrate and a worker: examples/orders, on a real cluster under load", function () {
  let test: OrdersStack;
  let writers: Writers;
  const placed: string[] = [];

  before(async () => {
    test = await makeOrders({ v2: next });
  });
  after(() => test.remove());
  beforeEach(async () => {
    writers = await startWriters(test.cluster, `order-${placed.length}`, placing);
  });
  afterEach(async () => {
    const { ids, refused } = await writers.stop();
    placed.push(...ids);
    expect(refused, "orders that users could not place").to.deep.equal([]);
  });

  const migrations = () => test.sql("SELECT name, run_on FROM pgmigrations ORDER BY id");
  const namesOf = (rows: Record<string, unknown>[]) => rows.map(({ name }) => name);
  /** Which versions have packed orders, one after the other. */
  const packers = async () =>
    (await test.sql("SELECT packed_by FROM parcels ORDER BY id"))
      .map(({ packed_by: version }) => version)
      .filter((version, index, all) => version !== all[index - 1]);
  const untilPackedBy = (version: string) =>
    poll(async () => ((await packers()).at(-1) === version ? true : undefined), { timeoutMs: 300_000 });
  /** What the version that takes orders knows of them: only the second one has a channel. */
  const newest = async () => {
    await writers.more(20);
    return test.sql("SELECT channel FROM orders ORDER BY placed_at DESC LIMIT 1");
  };
  const update = async () => {
    const said: string[] = [];
    await test.stack.up({ onOutput: (line) => said.push(line) });
    return said.join("\n");
  };
  /** A rollback does not wait for the pods that it starts. */
  const workersRunOn = async (color: Color) => {
    const wanted = { blue: 0, green: 0, [color]: 2 };
    await poll(
      async () => {
        const { out, said } = await bluegreen(test, "status", "--json");
        expect(out, said).not.to.equal("");
        const { workers = [] } = JSON.parse(out) as ReleaseStatus;
        expect(workers.map((each) => `${each.color}: ${each.wanted}`)).to.deep.equal([
          `blue: ${wanted.blue}`,
          `green: ${wanted.green}`,
        ]);
        return workers.every((each) => each.ready === each.wanted) ? true : undefined;
      },
      { timeoutMs: 300_000 },
    );
  };

  it("has its tables before its first pod, and packs what is ordered", async () => {
    expect(namesOf(await migrations())).to.deep.equal(["0001_orders"]);
    await untilPackedBy("v1");
    await workersRunOn("blue");
  });

  it("gets its column before the first pod of the new version, and the old one continues", async () => {
    await test.set({ greenTag: "v2" });
    expect(await update())
      .to.contain('ADD "channel" text')
      .and.contain("Migrations complete!");
    expect(namesOf(await migrations())).to.deep.equal(["0001_orders", "0002_channel"]);
    expect(await newest()).to.deep.equal([{ channel: "unknown" }]);
    await workersRunOn("blue");
    expect(await packers()).to.deep.equal(["v1"]);
  });

  it("has its command run for another pod template, which changes nothing, and for none that has run", async () => {
    const before = await migrations();
    await test.set({ green: { env: { GREETING: "hello" } } });
    expect(await update()).to.contain("No migrations to run!");
    expect(await update()).not.to.contain("migrations to run");
    expect(await migrations()).to.deep.equal(before);
  });

  it("is switched, and its worker follows", async () => {
    const { code, said } = await bluegreen(test, "switch", "green", "--yes");
    expect(code, said).to.equal(0);
    expect(await newest()).to.deep.equal([{ channel: "web" }]);
    await untilPackedBy("v2");
    expect(await packers()).to.deep.equal(["v1", "v2"]);
    await workersRunOn("green");
  });

  it("is rolled back, and its worker follows, without a migration", async () => {
    const before = await migrations();
    const { code, said } = await bluegreen(test, "rollback", "--reason", "the example rolls back", "--yes");
    expect(code, said).to.equal(0);
    expect(await newest()).to.deep.equal([{ channel: "unknown" }]);
    await untilPackedBy("v1");
    expect(await packers()).to.deep.equal(["v1", "v2", "v1"]);
    await workersRunOn("blue");
    expect(await migrations()).to.deep.equal(before);
  });

  it("has packed every order that was placed, once", async () => {
    const packed = async () =>
      (await test.sql("SELECT order_id FROM parcels")).map(({ order_id: id }) => String(id));
    await poll(
      async () => {
        const all = new Set(await packed());
        return placed.every((id) => all.has(id)) ? true : undefined;
      },
      { timeoutMs: 300_000 },
    );
    const all = await packed();
    expect(placed.length).to.be.greaterThan(100);
    expect(all.length, "orders that were packed twice").to.equal(new Set(all).size);
  });
});
