import { join } from "node:path";
import { expect } from "chai";
import { names } from "@bluegreen/release";
import type { ReleaseStatus } from "@bluegreen/release/releases/status";
import { repositoryDir } from "../../local/paths";
import { loadBundles } from "../../local/stage";
import { bluegreen } from "../support/bluegreen";
import { makeStack, type TestStack } from "../../local/testing/testStack";

const workDir = join(repositoryDir, "examples", "shop");

describe("Another app in another program: examples/shop, on a real cluster", function () {
  let test: TestStack;

  before(async () => {
    const bundle = join(workDir, "server.js");
    await loadBundles(["v1", "v2"].map((tag) => ({ reference: `bluegreen.local/shop:${tag}`, bundle })));
    test = await makeStack([], { workDir });
    // It has no database, and no secrets of its own.
    await test.stack.removeConfig(["databaseAdminUrl", "databaseAddress", "secretEnv", "env", "host"]);
    await test.set({
      imageRepository: "bluegreen.local/shop",
      activeColor: "blue",
      blueTag: "v1",
      greenTag: "v2",
    });
  });
  after(() => test.remove());

  const status = async () => {
    const { out, errors } = await bluegreen(test, "status", "--json");
    expect(out, errors).not.to.equal("");
    return JSON.parse(out) as ReleaseStatus & { attention: string[] };
  };

  it("releases it by its own port, paths and tests, without a database", async () => {
    await test.stack.up();
    const { app, live, colors, schema, attention } = await status();
    expect({ app, live, schema, attention }).to.deep.equal({
      app: "shop",
      live: "blue",
      schema: { version: null, pending: [] },
      attention: [],
    });
    expect(colors.map(({ image, ready }) => [image, ready])).to.deep.equal([
      ["bluegreen.local/shop:v1", 2],
      ["bluegreen.local/shop:v2", 2],
    ]);
    const { items } = await test.cluster.core.listNamespacedSecret({ namespace: test.cluster.namespace });
    expect(
      items.map(({ metadata }) => metadata?.name ?? "").filter((name) => /credentials|database/.test(name)),
      "Secrets of a database",
    ).to.deep.equal([]);
  });

  it("plans a switch, makes it, and takes it back, by the same commands", async () => {
    const plan = await bluegreen(test, "plan");
    expect(plan.code, plan.said).to.equal(0);
    const switched = await bluegreen(test, "switch", "green", "--yes");
    expect(switched.code, switched.said).to.equal(0);
    const { live, rollback } = await status();
    expect({ live, rollback }).to.deep.equal({ live: "green", rollback: { possible: true, to: "blue" } });
    const back = await bluegreen(test, "rollback", "--reason", "the example takes it back", "--yes");
    expect(back.code, back.said).to.equal(0);
    const service = await test.cluster.core.readNamespacedService({
      name: names.activeService("shop"),
      namespace: test.cluster.namespace,
    });
    expect(service.spec?.selector).to.include({ app: "shop", version: "blue" });
  });
});
