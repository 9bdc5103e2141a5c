import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { BlueGreenApp, configArgs, type BlueGreenAppArgs } from "../../components";
import { record } from "./recorder";

const shop: BlueGreenAppArgs = {
  activeColor: "blue",
  blueTag: "v1",
  imageRepository: "ghcr.io/you/shop",
  host: "shop.example.com",
};
const later = (text: string) => pulumi.output(Promise.resolve(text));
const whole: BlueGreenAppArgs = {
  ...shop,
  alerts: { slackUrl: later("https://hooks.example.com/hunter2") },
  writeFreeze: { maxSeconds: 30, redisUrl: later("redis://cache:7000") },
  databaseAdminUrl: later("postgres://admin:hunter2@db/postgres?sslmode=require"),
  databaseAddress: later("db:5433"),
  networkPolicy: { egress: "restricted" },
};

describe("Arguments that other resources give", function () {
  after(() => {
    pulumi.runtime.setAllConfig({});
  });

  for (const [way, argsOf] of [
    ["as they are", () => whole],
    ["below config", () => configArgs("shop", whole)],
  ] as const)
    it(`end where they belong, secret ones unreadable: ${way}`, async () => {
      const recorder = await record("shops", () => new BlueGreenApp("shop", argsOf()));
      expect(recorder.one("kubernetes:core/v1:Secret", "shop-alerts").inputs["stringData"]).to.deep.equal({
        "slack-url": "https://hooks.example.com/hunter2",
      });
      expect(
        recorder.one("pulumi-nodejs:dynamic/bluegreen:WriteFreeze", "shop-write-freeze").inputs["redisUrl"],
      ).to.equal("redis://cache:7000");
      expect(recorder.one("kubernetes:core/v1:Secret", "shop-database").inputs["stringData"]).to.deep.equal({
        url: "postgres://shop:generated-shop-database@db:5433/shop?sslmode=require",
        "direct-url": "postgres://shop:generated-shop-database@db/shop?sslmode=require",
      });
      expect(
        JSON.stringify(
          recorder.one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "shop-blue-network").inputs,
        ),
      ).to.contain('"port":5433');
      for (const { type, name, readable } of recorder.recorded)
        expect(readable, `${type} ${name}`).not.to.match(/hunter2|late\.invalid|latelate/);
    });

  it("give way to what config says", () => {
    pulumi.runtime.setAllConfig({ "shop:databaseAddress": "other:5432" });
    const { databaseAddress, databaseAdminUrl } = configArgs("shop", whole);
    pulumi.runtime.setAllConfig({});
    expect(databaseAddress).to.equal("other:5432");
    expect(pulumi.Output.isInstance(databaseAdminUrl)).to.equal(true);
  });

  it("leave pods as they were: the lock compares them without", async () => {
    const lockOf = async (args: BlueGreenAppArgs) =>
      (await record("shops", () => new BlueGreenApp("shop", args))).one(
        "pulumi-nodejs:dynamic/bluegreen:LiveLock",
        "shop-live-lock",
      ).inputs;
    expect(await lockOf(whole)).to.deep.equal(await lockOf({ ...whole, databaseAddress: "db:5433" }));
  });
});
