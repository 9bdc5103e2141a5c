import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { names } from "@bluegreen/release";
import type { ReleaseStatus } from "@bluegreen/release/releases/status";
import { repositoryDir } from "../../local/paths";
import { loadBundles } from "../../local/stage";
import { bluegreen } from "../support/bluegreen";
import { failureOf } from "../support/read";
import { makeProgramFolder } from "../support/programFolder";
import { makeStack, type TestStack } from "../../local/testing/testStack";

const workDir = join(repositoryDir, "examples", "shop");

/** Settings of every test stack that the shop has no use for: it has no database, and no secrets of its own. */
const ofReferenceApp = ["databaseAdminUrl", "databaseAddress", "secretEnv", "env", "host"];

describe("Another app in another program: examples/shop, on a real cluster", function () {
  let test: TestStack;

  before(async () => {
    const bundle = join(workDir, "server.js");
    await loadBundles(["v1", "v2"].map((tag) => ({ reference: `bluegreen.local/shop:${tag}`, bundle })));
    test = await makeStack([], { workDir });
    await test.stack.removeConfig(ofReferenceApp);
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

  it("plans a switch, makes it, and rolls it back, by the same commands", async () => {
    const plan = await bluegreen(test, "plan");
    expect(plan.code, plan.said).to.equal(0);
    const switched = await bluegreen(test, "switch", "green", "--yes");
    expect(switched.code, switched.said).to.equal(0);
    const { live, rollback } = await status();
    expect({ live, rollback }).to.deep.equal({ live: "green", rollback: { possible: true, to: "blue" } });
    const back = await bluegreen(test, "rollback", "--reason", "the example rolls back", "--yes");
    expect(back.code, back.said).to.equal(0);
    const service = await test.cluster.core.readNamespacedService({
      name: names.activeService("shop"),
      namespace: test.cluster.namespace,
    });
    expect(service.spec?.selector).to.include({ app: "shop", version: "blue" });
  });
});

/** Adds an annotation to the pods of each Deployment, as a team's own convention may. */
const transform = `
({ type, props, opts }) => {
  if (type !== "kubernetes:apps/v1:Deployment") return undefined;
  const { template } = props.spec;
  const annotations = { ...template.metadata.annotations, "example.com/added": "behind the program" };
  const metadata = { ...template.metadata, annotations };
  return { props: { ...props, spec: { ...props.spec, template: { ...template, metadata } } }, opts };
}`;

describe("Pods that a transform changes, with the real engine", () => {
  let test: TestStack;
  let folder: ReturnType<typeof makeProgramFolder>;

  before(async () => {
    folder = makeProgramFolder();
    const program = join(repositoryDir, folder.path);
    await cp(workDir, program, { recursive: true });
    const code = await readFile(join(program, "index.ts"), "utf8");
    folder.write(
      "index.ts",
      code.replace(/^ {2}\}\),\n\);$/m, `  }),\n  { transforms: [${transform}] },\n);`),
    );
    test = await makeStack([], { workDir: program });
    await test.stack.removeConfig(ofReferenceApp);
    await test.set({ imageRepository: "bluegreen.local/shop", activeColor: "blue", blueTag: "v1" });
  });
  after(async () => {
    await test.remove();
    folder.remove();
  });

  it("are refused in preview, with what was changed and what to do", async () => {
    expect(await failureOf(test.stack.preview()))
      .to.contain("BG-PODS-TRANSFORMED")
      .and.contain("Deployment shop-blue was refused: spec.template is not what the program gives");
  });
});
