import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { colors, type Color } from "@bluegreen/release";
import { failureOf, liveColor, podsOf } from "../support/read";
import { makeStack, twoVersions, type TestStack } from "../../local/testing/testStack";
import { startUsers, type Users } from "../../local/testing/users";
import { variablesOf } from "../support/variables";

/** Releases that differ in their config, told in order: each test continues where the one before ended. */
describe("The config of a release, on a real cluster under load", function () {
  let test: TestStack;
  let users: Users;
  const said: string[] = [];
  before(async () => {
    test = await makeStack(twoVersions);
    await test.set({ activeColor: "blue", blueTag: "v1", greenTag: "v1" });
    await up();
  });
  after(() => test.remove());

  beforeEach(async () => {
    users = await startUsers(test.cluster);
  });
  afterEach(async () => {
    const { failures, requests } = await users.stop();
    expect(requests).to.be.greaterThan(5);
    expect(failures, "what users saw").to.deep.equal([]);
  });

  const up = () => test.stack.up({ onOutput: (line) => said.push(line) });

  /** Names of the ConfigMaps and Secrets that there are for a color. */
  const objectsOf = async (color: string) => {
    const { core, namespace } = test.cluster;
    const selector = { namespace, labelSelector: `app=chatgpt-app,version=${color}` };
    const found = [
      ...(await core.listNamespacedConfigMap(selector)).items,
      ...(await core.listNamespacedSecret(selector)).items,
    ];
    for (const { immutable } of found) expect(immutable).to.equal(true);
    return found.map(({ metadata }) => metadata?.name ?? "").sort();
  };

  const variables = async (color: Color) => {
    const [pod = ""] = await podsOf(test.cluster, color);
    return variablesOf(test.cluster, pod);
  };

  /** The color's own variables: these, and no others. */
  const tell = async (color: Color, env: Record<string, string>, token: string) => {
    await test.set({ [color]: { env } });
    await test.stack.setConfig({ [`${color}.secretEnv`]: { value: { TOKEN: token }, secret: true } });
  };
  const newToken = () => `${test.secrets.token}-new`;

  it("reaches the pods from objects of the color's own", async () => {
    for (const color of colors) {
      expect(await objectsOf(color)).to.have.length(2);
      expect(await variables(color)).to.include({
        ENVIRONMENT: color,
        SHUTDOWN_GRACE_SECONDS: "7",
        TOKEN: test.secrets.token,
        OPENAI_API_KEY: test.secrets.openaiApiKey,
      });
    }
  });

  it("changes with the color that takes over, and the one that is left keeps its own", async () => {
    const before = {
      pods: await podsOf(test.cluster, "blue"),
      blue: await objectsOf("blue"),
      green: await objectsOf("green"),
    };
    await test.set({ greenTag: "v2", activeColor: "green" });
    await tell("green", { LOG_LEVEL: "debug" }, newToken());
    await up();
    await users.answeredBy("green");
    expect(await variables("green")).to.include({
      LOG_LEVEL: "debug",
      TOKEN: newToken(),
      OPENAI_API_KEY: test.secrets.openaiApiKey,
    });
    const green = await objectsOf("green");
    expect(green, "the old ones are gone").to.have.length(2);
    expect(green)
      .not.to.include.members(before.green.slice(0, 1))
      .and.not.to.include.members(before.green.slice(1));
    expect(await objectsOf("blue")).to.deep.equal(before.blue);
    expect(await podsOf(test.cluster, "blue")).to.deep.equal(before.pods);
  });

  it("comes back with a rollback to pods that have never had another", async () => {
    const pods = await podsOf(test.cluster, "blue");
    await test.set({ activeColor: "blue" });
    await up();
    await users.answeredBy("blue");
    expect(await podsOf(test.cluster, "blue")).to.deep.equal(pods);
    const back = await variables("blue");
    expect(back).to.include({ TOKEN: test.secrets.token }).and.not.to.have.property("LOG_LEVEL");
    expect(Object.keys((await up()).changes), "no difference is left").to.deep.equal(["same"]);
  });

  it("may stand in the settings of both colors later, and no pod notices", async () => {
    const before = [
      await podsOf(test.cluster, "blue"),
      await objectsOf("blue"),
      await podsOf(test.cluster, "green"),
      await objectsOf("green"),
    ];
    await test.stack.setConfig({
      secretEnv: { value: { OPENAI_API_KEY: test.secrets.openaiApiKey }, secret: true },
    });
    await tell("blue", {}, test.secrets.token);
    expect(Object.keys((await up()).changes)).to.deep.equal(["same"]);
    expect([
      await podsOf(test.cluster, "blue"),
      await objectsOf("blue"),
      await podsOf(test.cluster, "green"),
      await objectsOf("green"),
    ]).to.deep.equal(before);
  });

  it("of both colors does not change with a switch: the standby would lose what a rollback needs", async () => {
    await test.set({ activeColor: "green" });
    await tell("green", { LOG_LEVEL: "debug", REGION: "eu" }, newToken());
    await tell("blue", { REGION: "eu" }, test.secrets.token);
    for (const work of [() => test.stack.preview(), up]) {
      const message = await failureOf(work());
      expect(message)
        .to.contain("the switch to green would change the variables of blue as well")
        .and.contain("--path green.env.NAME")
        .and.contain("allowInPlaceUpdate");
    }
    expect(await liveColor(test.cluster)).to.equal("blue");
    await tell("blue", {}, test.secrets.token);
    await up();
    await users.answeredBy("green");
    await test.set({ activeColor: "blue" });
    await tell("green", { LOG_LEVEL: "debug" }, newToken());
    // The previous config: traffic first, and then the color that it left has its old variables again.
    await up();
    await users.answeredBy("blue");
    expect(await variables("green")).not.to.have.property("REGION");
  });

  it("stays while a release with another one fails, and is the same when that is rolled back", async () => {
    const old = await objectsOf("green");
    const pods = await podsOf(test.cluster, "green");
    await test.set({ greenTag: "no-such-tag" });
    await tell("green", { LOG_LEVEL: "trace" }, newToken());
    expect(await failureOf(up())).to.match(/ErrImagePull|ImagePullBackOff/);
    expect(await objectsOf("green"))
      .to.include.members(old)
      .and.have.length(3);
    expect(
      await podsOf(test.cluster, "green"),
      "those of the old template are still there",
    ).to.include.members(pods);
    await test.set({ greenTag: "v2" });
    await tell("green", { LOG_LEVEL: "debug" }, newToken());
    await up();
    expect(await objectsOf("green")).to.deep.equal(old);
    expect(await podsOf(test.cluster, "green")).to.deep.equal(pods);
    expect(Object.keys((await up()).changes)).to.deep.equal(["same"]);
  });

  it("shows nobody a secret: not in previews, in what updates say, or in the state", async () => {
    await tell("green", { LOG_LEVEL: "debug" }, `${test.secrets.token}-newer`);
    const texts = new Map([
      ["preview", (await test.stack.preview()).text],
      ["updates", said.join("\n")],
    ]);
    await up();
    for (const file of await readdir(test.backend, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) texts.set(file.name, await readFile(join(file.parentPath, file.name), "utf8"));
    }
    texts.set("stack file", await readFile(`Pulumi.${test.name}.yaml`, "utf8"));
    expect(texts.get("preview")).to.match(/chatgpt-app-green-[0-9a-f]{12}/);
    for (const [where, text] of texts) {
      for (const value of [test.secrets.token, test.secrets.openaiApiKey])
        expect(text.includes(value), where).to.equal(false);
    }
  });
});
