import { expect } from "chai";
import { makeProgramFolder } from "../support/programFolder";
import { allBefore, recordApp, someSettings, type Recorder } from "./recorder";

const members = [
  { name: "us", context: "prod-us" },
  { name: "eu", context: "prod-eu" },
];
const clustered = (how: object = {}, more: Record<string, string> = {}) =>
  recordApp({ ...someSettings, clusters: JSON.stringify({ targets: members, ...how }), ...more });
const dynamic = (kind: string) => `pulumi-nodejs:dynamic/bluegreen:${kind}`;
const both = (name: string) => [`us/${name}`, `eu/${name}`];

describe("One release over several clusters", () => {
  let recorder: Recorder;
  before(async () => {
    recorder = await clustered();
  });
  const earlier = (name: string, of = recorder) => [...allBefore(of, name)];

  it("calls objects the same in each, and Pulumi's resources by the cluster", () => {
    for (const name of both("chatgpt-app-service")) {
      expect(recorder.one("kubernetes:core/v1:Service", name).inputs["metadata"]).to.deep.include({
        name: "chatgpt-app-service",
        namespace: "chatgpt-production",
      });
    }
    expect(recorder.one("pulumi:providers:kubernetes", "eu/chatgpt-app").inputs).to.deep.include({
      context: "prod-eu",
    });
    const lock = recorder.one(dynamic("LiveLock"), "eu/chatgpt-app-live-lock").inputs;
    expect(lock).to.deep.include({
      context: "prod-eu",
      together: { name: "eu", others: [members[0]], onFailure: "rollback" },
    });
  });

  it("has the same resources in each: of one and the same thing for all of them there is one", () => {
    const kinds = (prefix: string) =>
      recorder.recorded
        .filter(({ name }) => name.startsWith(prefix))
        .map(({ type, name }) => `${type} ${name.slice(prefix.length)}`);
    expect(kinds("eu/").filter((each) => !kinds("us/").includes(each))).to.deep.equal([
      `${dynamic("SwitchTurn")} chatgpt-app-switch-turn`,
    ]);
    expect(kinds("us/").filter((each) => !kinds("eu/").includes(each))).to.deep.equal([]);
    expect(
      recorder.recorded
        .filter(({ name }) => !/^(eu|us)\//.test(name))
        .map(({ type, name }) => `${type} ${name}`),
    ).to.deep.equal(
      ["chatgpt-app-ingress-preview", "chatgpt-app-ingress-preview-password"].map(
        (name) => `random:index/randomPassword:RandomPassword ${name}`,
      ),
    );
  });

  it("makes one database account, and a Secret of it in each", async () => {
    const own = await clustered(
      {},
      { databaseAdminUrl: "postgres://admin@localhost/postgres", databaseAddress: "10.0.0.1:5432" },
    );
    const [us, eu] = both("chatgpt-app-database").map((name) => own.one("kubernetes:core/v1:Secret", name));
    expect(us?.inputs).to.deep.equal(eu?.inputs);
    for (const type of [dynamic("DatabaseAccount"), "random:index/randomPassword:RandomPassword"])
      expect(own.one(type, "chatgpt-app-database")).to.have.property("name");
  });

  it("keeps what a stack of one cluster has in the first of them", () => {
    const plain = recorder.recorded.filter(({ name }) => name.startsWith("us/"));
    for (const { name, aliases } of plain) expect(aliases, name).to.include(name.slice("us/".length));
    for (const { name, aliases } of recorder.recorded.filter((each) => each.name.startsWith("eu/")))
      expect(
        aliases.filter((alias) => alias !== ""),
        name,
      ).to.deep.equal([]);
  });

  it("takes all locks, in the order of the names however they are listed, before it touches anything", () => {
    expect(recorder.one(dynamic("LiveLock"), "us/chatgpt-app-live-lock").dependsOn).to.include(
      "eu/chatgpt-app-live-lock",
    );
    expect(earlier("eu/chatgpt-app-live-lock")).to.not.include("us/chatgpt-app-live-lock");
    const touched = recorder.recorded.filter(
      ({ type, name }) => type.startsWith("kubernetes:") && !/\/chatgpt-app$/.test(name),
    );
    expect(touched.length).to.be.above(20);
    for (const { name } of touched)
      expect(earlier(name), name).to.include.members(both("chatgpt-app-live-lock"));
  });

  it("moves no user of any cluster before the gates of all have let it through", async () => {
    const gates = ["blue-rollout", "blue-schema", "blue-smoke", "switch-gate"].flatMap((gate) =>
      both(`chatgpt-app-${gate}`),
    );
    for (const order of ["sequential", "parallel"]) {
      const recorded = await clustered({ rollout: order });
      for (const service of both("chatgpt-app-service"))
        expect(earlier(service, recorded), `${service} ${order}`).to.include.members(gates);
    }
  });

  it("moves traffic of one after the other, each analyzed and asked again before the next; or of all at once", async () => {
    expect(earlier("eu/chatgpt-app-service")).to.include.members([
      "us/chatgpt-app-service",
      "us/chatgpt-app-analysis",
      "eu/chatgpt-app-switch-turn",
    ]);
    expect(earlier("us/chatgpt-app-service")).to.not.include("eu/chatgpt-app-service");
    expect(earlier("eu/chatgpt-app-switch-turn")).to.include("us/chatgpt-app-analysis");
    const atOnce = await clustered({ rollout: "parallel" });
    expect(earlier("eu/chatgpt-app-service", atOnce)).to.not.include("us/chatgpt-app-service");
    expect(atOnce.recorded.filter(({ type }) => type === dynamic("SwitchTurn"))).to.deep.equal([]);
  });

  it("touches the other color nowhere, and notes no switch, before traffic of all has moved", () => {
    for (const name of both("chatgpt-app-green"))
      expect(earlier(name), name).to.include.members(both("chatgpt-app-analysis"));
    for (const name of both("chatgpt-app-switch"))
      expect(earlier(name), name).to.include.members(both("chatgpt-app-service"));
  });

  it("lets what may work on one database take turns, and contract migrations wait for everything everywhere", async () => {
    const folder = makeProgramFolder();
    folder.write("0001_one.sql", "-- phase: expand\nCREATE TABLE one (id int PRIMARY KEY, old text)");
    folder.write("0002_drop_old.sql", "-- phase: contract\nALTER TABLE one DROP COLUMN old");
    const contracting = await clustered({}, { migrationsDir: folder.path, contractMigration: "0002" });
    folder.remove();
    for (const name of both("chatgpt-app-contract"))
      expect(earlier(name, contracting), name).to.include.members([
        ...both("chatgpt-app-switch"),
        ...both("chatgpt-app-green"),
        ...both("chatgpt-app-green-smoke"),
      ]);
    for (const step of ["migrations", "switch", "contract"])
      expect(
        contracting.recorded.find(
          ({ name, type }) => name === `eu/chatgpt-app-${step}` && type.startsWith("pulumi-nodejs:"),
        )?.dependsOn,
        step,
      ).to.include(`us/chatgpt-app-${step}`);
    for (const name of both("chatgpt-app-release-unlock"))
      expect(earlier(name, contracting), name).to.include.members(both("chatgpt-app-contract"));
  });
});
