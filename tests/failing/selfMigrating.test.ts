import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { names, poll, type Color } from "@bluegreen/release";
import { podsOfColor } from "@bluegreen/release/kubernetes/pods";
import { readLiveNote } from "@bluegreen/release/state/liveNote";
import { failureOf } from "../support/read";
import { makeOrders, placing, type OrdersStack } from "../support/orders";
import { everyMs, startWriters, type Writers } from "../support/writers";

/** Takes away a column that the version before writes, and then works on for longer than anybody waits. */
const server = `
const { Client } = require("pg");
require("node:http")
  .createServer((request, response) => response.writeHead(request.url === "/healthz" ? 200 : 503).end())
  .listen(8080);
process.on("SIGTERM", () => process.exit(0));
async function migrate() {
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  await client.query("ALTER TABLE orders DROP COLUMN IF EXISTS email");
  await client.query("SELECT pg_sleep(600)");
}
void migrate();
`;

/** Of ten seconds: all that users place in them. */
const mostRefused = 10_000 / everyMs;

/** What is seen, and how fast it is evaluated: tests/provider/liveGuard.test.ts. */
describe("A version that migrates when it starts, and takes a column from the live one, on a real cluster under load", function () {
  let test: OrdersStack;
  let writers: Writers | undefined;

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "bg-migrates-"));
    await writeFile(join(folder, "server.js"), server);
    // Samples as they are in production.
    const analysis = { durationSeconds: 60, intervalSeconds: 15 };
    test = await makeOrders({ "v2-migrates": folder }, { analysis });
    await rm(folder, { recursive: true });
  });
  after(async () => {
    await writers?.stop();
    await test.remove();
  });

  const podsOf = async (color: Color) =>
    (await podsOfColor(test.cluster, { app: "orders", color })).map(({ metadata }) => metadata?.name).sort();
  const replicasOf = async (color: Color) => {
    const { spec } = await test.cluster.apps.readNamespacedDeployment({
      name: names.deployment("orders", color),
      namespace: test.cluster.namespace,
    });
    return spec?.replicas;
  };

  it("is stopped before ten seconds' worth of orders are refused; users are served once the column is back", async () => {
    const blue = await podsOf("blue");
    writers = await startWriters(test.cluster, "order", placing);
    const { refused } = writers.written;
    await writers.more(50);
    expect(refused).to.deep.equal([]);
    await test.set({ greenTag: "v2-migrates" });
    const failing = failureOf(test.stack.up());
    const hasRefused = () => Promise.resolve(refused.length > 0 ? true : undefined);
    const first = poll(hasRefused, { timeoutMs: 300_000, intervalMs: 20 });
    expect(await Promise.race([first, failing]), "users notice it before the update ends").to.equal(true);
    const since = performance.now();
    await poll(async () => ((await replicasOf("green")) === 0 ? true : undefined), {
      timeoutMs: 300_000,
      intervalMs: 50,
    });
    const until = { refused: refused.length, seconds: (performance.now() - since) / 1000 };
    console.log(`      ${until.refused} orders refused in ${until.seconds.toFixed(1)} s`);
    expect(await failing)
      .to.contain("BG-LIVE-HARMED")
      .and.contain("green got a new pod template")
      .and.contain("Live traffic stays on blue");
    expect(until.refused).to.be.within(1, mostRefused);
    expect(new Set(refused)).to.deep.equal(new Set(["HTTP 500"]));
    const note = await readLiveNote(test.cluster, "orders");
    expect(note).to.deep.include({ color: "blue", state: "harmed" });
    expect(note?.evidence).to.include("the pods of green were taken away");
    expect(await podsOf("blue"), "the live color has the pods that it had").to.deep.equal(blue);
    await test.sql("ALTER TABLE orders ADD COLUMN email text NOT NULL DEFAULT ''");
    await writers.more(20);
    const before = refused.length;
    await writers.more(20);
    expect(refused).to.have.length(before);
  });
});
