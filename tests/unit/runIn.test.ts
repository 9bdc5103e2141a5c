import { expect } from "chai";
import { parseSettings } from "@bluegreen/release";
import { rolesFor } from "@bluegreen/release/doctor/rights";
import { attention } from "@bluegreen/release/releases/status";
import { statusText } from "../../cli/statusText";
import { recordApp, someSettings, type Recorder } from "./recorder";
import { status } from "./statuses";

const controllerImage = "ghcr.io/you/analysis-controller:1";
const cluster = {
  ...someSettings,
  analysis: JSON.stringify({ controllerImage }),
  database: '{"runIn":"cluster"}',
};

const relayed = ({ recorded }: Recorder) =>
  recorded.flatMap(({ name, inputs }) => ("relay" in inputs ? [[name, inputs["relay"]] as const] : []));
const refusalOf = (config: Record<string, string>) => {
  try {
    parseSettings("chatgpt-app", config);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("the settings were accepted");
};

describe("A database that only the cluster reaches", () => {
  it("is asked through a pod by every step that asks it, and by no other", async () => {
    const recorder = await recordApp({
      ...cluster,
      allowInPlaceUpdate: "true",
      imagePullSecrets: '["registry"]',
      labels: '{"team":"shop"}',
    });
    const relay = {
      app: "chatgpt-app",
      namespace: "chatgpt-production",
      image: controllerImage,
      imagePullSecrets: ["registry"],
      labels: { team: "shop" },
      annotations: {},
    };
    const found = relayed(recorder);
    expect(found.map(([name]) => name)).to.have.members([
      "chatgpt-app-migrations",
      "chatgpt-app-preflight",
      "chatgpt-app-blue-schema",
      "chatgpt-app-green-schema",
      "chatgpt-app-switch",
    ]);
    for (const [name, inputs] of found) expect(inputs, name).to.deep.equal(relay);
  });

  it("is asked where the active color's pods are, by the account's step as well", async () => {
    const recorder = await recordApp({
      ...cluster,
      traffic: '{"strategy":"weighted","router":"traefik"}',
      namespacePerColor: "true",
      databaseAdminUrl: "postgres://a@b/c",
      databaseAddress: "b:5432",
    });
    const found = new Map(relayed(recorder));
    expect(found.get("chatgpt-app-database")).to.deep.include({ namespace: "chatgpt-production-blue" });
  });

  it("registers nothing new for any other app, one without migrations of its own among them", async () => {
    expect(relayed(await recordApp())).to.deep.equal([]);
    const without = await recordApp({
      ...cluster,
      migrationsDir: "no-such-folder",
      allowInPlaceUpdate: "true",
    });
    expect(
      relayed(without).map(([name]) => name),
      "nobody asks it",
    ).to.deep.equal([]);
  });

  it("needs the image of the pod, and one database for both colors", () => {
    expect(refusalOf({ ...cluster, analysis: "{}" })).to.contain(
      "a controllerImage with database.runIn cluster: the relay pod runs it",
    );
    for (const strategy of ["logicalReplication", "streamingReplica", "none"])
      expect(refusalOf({ ...cluster, database: JSON.stringify({ strategy, runIn: "cluster" }) })).to.contain(
        `runIn update with strategy ${strategy}`,
      );
    expect(refusalOf({ ...cluster, database: '{"runIn":"pod"}' })).to.contain("update, cluster");
  });

  it("takes the rights of Jobs, and of nothing else", () => {
    const rights = (config: Record<string, string>) =>
      rolesFor("chatgpt-app", parseSettings("chatgpt-app", config)).flatMap(({ rules }) =>
        rules.flatMap(({ resources, verbs }) =>
          resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
        ),
      );
    const before = new Set(rights({ ...cluster, database: "{}" }));
    expect(rights(cluster).filter((each) => !before.has(each))).to.have.members([
      "get jobs",
      "create jobs",
      "delete jobs",
      "list events",
    ]);
  });

  it("is no trouble to status, which says that it does not ask", () => {
    const schema = { unreadable: "not asked: database.runIn is cluster", notAsked: true as const };
    expect(attention(status({ schema }))).to.deep.equal([]);
    expect(statusText(status({ schema }))).to.match(/schema +not asked: database\.runIn is cluster/);
  });
});
