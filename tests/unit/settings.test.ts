import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parse } from "yaml";
import { parseSettings, placesOf, settingKeys } from "@bluegreen/release/settings/settings";

const valid = { activeColor: "blue", blueTag: "v1.2.3", imageRepository: "ghcr.io/you/chatgpt-app", host: "app.example.com" };

function refusalOf(config: Record<string, string>): string {
  try {
    parseSettings(config);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("the settings were accepted");
}

describe("Settings", () => {
  it("take the guide's values where nothing else is said", () => {
    const settings = parseSettings(valid);
    expect(settings).to.deep.include({ replicas: 3, namespace: "chatgpt-production", cpuRequest: "250m", memoryLimit: "512Mi" });
    expect(settings.livenessProbe).to.deep.equal({ initialDelaySeconds: 30, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 });
    expect(settings.readinessProbe).to.deep.equal({ initialDelaySeconds: 10, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 });
  });

  it("report every violation at once, each with field, value, rule and example", () => {
    const text = refusalOf({ ...valid, activeColor: "purple", replicas: "0", host: "not a host", blueTag: "latest", greentag: "v2" });
    expect(text).to.contain("5 settings were refused");
    for (const key of ["activeColor", "replicas", "host", "blueTag", "greentag"]) {
      expect(text).to.match(new RegExp(`^  ${key} = .+\\n    rule:    .+\\n    example: pulumi config (set|rm) `, "m"));
    }
    expect(text).to.contain('activeColor = "purple"');
    expect(text).to.contain("nothing was");
  });

  it("let nobody delete what serves users, and wait a minute for another update, unless config says otherwise", () => {
    expect(parseSettings(valid)).to.deep.include({ allowDelete: false, lockWaitSeconds: 60 });
    expect(parseSettings({ ...valid, allowDelete: "true", lockWaitSeconds: "0" })).to.deep.include({ allowDelete: true, lockWaitSeconds: 0 });
    expect(refusalOf({ ...valid, allowDelete: "yes", lockWaitSeconds: "-1" })).to.contain('allowDelete = "yes"').and.contain("from 0 to 3600").and.contain("pulumi config set lockWaitSeconds 60");
  });

  it("name what is missing and how to set it", () => {
    const text = refusalOf({});
    for (const key of ["activeColor", "imageRepository", "host"]) expect(text).to.contain(`${key} = (not set)`);
    expect(text).to.contain("example: pulumi config set activeColor green");
  });

  it("need a tag for the active color, and none for the other", () => {
    expect(refusalOf({ ...valid, activeColor: "green" })).to.contain("greenTag = (not set)");
    expect(parseSettings(valid).colors.green.tag).to.equal(undefined);
  });

  it("take a digest after a tag, and nothing that only looks like one", () => {
    const pinned = `v1.3.0@sha256:${"0f".repeat(32)}`;
    expect(parseSettings({ ...valid, blueTag: pinned }).colors.blue.tag).to.equal(pinned);
    for (const blueTag of ["v1.3.0@sha256:0f", `latest@sha256:${"0f".repeat(32)}x`, "@sha256:0f", "v1:v2"]) expect(refusalOf({ ...valid, blueTag }), blueTag).to.contain("blueTag =");
  });

  it("refuse values that only together are wrong", () => {
    const text = refusalOf({ ...valid, cpuRequest: "2", memoryRequest: "1Gi", drainSeconds: "30", databaseAddress: "db:5432" });
    expect(text).to.contain('cpuRequest = "2"').and.contain("at most cpuLimit (500m)");
    expect(text).to.contain('memoryRequest = "1Gi"');
    expect(text).to.contain("less than terminationGraceSeconds (30)");
    expect(text).to.contain("only together with databaseAdminUrl");
  });

  it("merge a color's variables over the common ones and keep the program's own out of reach", () => {
    const settings = parseSettings({ ...valid, environment: '{"LOG_LEVEL":"info","FLAG":true}', greenEnvironment: '{"LOG_LEVEL":"debug"}' });
    expect(settings.colors.blue.environment).to.deep.equal({ LOG_LEVEL: "info", FLAG: "true" });
    expect(settings.colors.green.environment).to.deep.equal({ LOG_LEVEL: "debug", FLAG: "true" });
    expect(refusalOf({ ...valid, environment: '{"DATABASE_URL":"postgres://elsewhere"}' })).to.contain("which the program sets");
  });

  it("merge secret variables the same way, the API key among them, and never show one", () => {
    const settings = parseSettings({ ...valid, openaiApiKey: "sk-1", secretEnvironment: '{"TOKEN":"both","PIN":"1"}', greenSecretEnvironment: '{"TOKEN":"own","OPENAI_API_KEY":"sk-2"}' });
    expect(settings.colors.blue.secretEnvironment).to.deep.equal({ OPENAI_API_KEY: "sk-1", TOKEN: "both", PIN: "1" });
    expect(settings.colors.green.secretEnvironment).to.deep.equal({ OPENAI_API_KEY: "sk-2", TOKEN: "own", PIN: "1" });
    expect(parseSettings(valid).colors.blue.secretEnvironment).to.deep.equal({});
    for (const wrong of ['{"DATABASE_URL":"hunter2"}', '{"OPENAI_API_KEY":"hunter2"}', '{"NAME":["hunter2"]}', '{"NAME":""}', '{"A-B":"hunter2"}', "hunter2"]) {
      expect(refusalOf({ ...valid, secretEnvironment: wrong }), wrong)
        .to.contain("secretEnvironment = [secret]")
        .and.contain("pulumi config set --secret --path 'secretEnvironment.NAME'\n")
        .and.not.contain("hunter2");
    }
  });

  it("refuse a variable that is secret and readable at once", () => {
    const both = { ...valid, environment: '{"TOKEN":"info"}', greenEnvironment: '{"PIN":"0000"}' };
    expect(refusalOf({ ...both, greenSecretEnvironment: '{"TOKEN":"hunter2"}' })).to.contain("TOKEN of green is in environment").and.not.contain("of blue").and.not.contain("hunter2");
    expect(refusalOf({ ...both, secretEnvironment: '{"PIN":"hunter2"}' })).to.contain("PIN of green").and.not.contain("of blue");
    expect(parseSettings({ ...both, blueSecretEnvironment: '{"PIN":"1"}' }).colors.blue.secretEnvironment).to.deep.equal({ PIN: "1" });
  });

  it("refuse a secret that the stack file holds in plain text", () => {
    const config = { ...valid, openaiApiKey: "hunter2", secretEnvironment: '{"TOKEN":"hunter2"}', greenSecretEnvironment: "{}" };
    const refusal = () => parseSettings(config, ["openaiApiKey"]);
    expect(refusal).to.throw(/1 setting was refused\n {2}secretEnvironment = \[secret\]\n {4}rule: {4}encrypted in the stack file/);
    expect(refusal).not.to.throw("hunter2");
    expect(parseSettings(config, ["openaiApiKey", "secretEnvironment"])).to.deep.equal(parseSettings(config));
  });

  it("never show the value of a secret setting, not even a wrong one", () => {
    const text = refusalOf({ ...valid, databaseAdminUrl: "mysql://root:hunter2@db", databaseAddress: "db:5432" });
    expect(text).to.contain("databaseAdminUrl = [secret]");
    expect(text).not.to.contain("hunter2");
  });

  it("refuse a Redis URL that carries a password, without repeating it", () => {
    const text = refusalOf({ ...valid, redisUrl: "redis://:hunter2@redis:6379" });
    expect(text).to.contain("without a password");
    expect(text).not.to.contain("hunter2");
  });

  it("refuse a fence that ends before traffic can move, and never repeat its Redis URL", () => {
    expect(parseSettings({ ...valid, readOnlyFence: '{"seconds":30}' }).readOnlyFence).to.deep.equal({ seconds: 30, settleMs: 1000, redisUrl: "" });
    expect(parseSettings({ ...valid, readOnlyFence: '{"seconds":30,"redisUrl":"unix:///run/redis.sock"}' }).readOnlyFence.redisUrl).to.equal("unix:///run/redis.sock");
    for (const wrong of ['{"seconds":1}', '{"seconds":601}', '{"seconds":30,"settleMs":-1}', '{"second":30}', '{"seconds":30,"redisUrl":"redis://:hunter2@redis:6379"}', '{"seconds":30,"redisUrl":"http://hunter2"}']) {
      expect(refusalOf({ ...valid, readOnlyFence: wrong }), wrong).to.contain("readOnlyFence = [secret]").and.contain("--path readOnlyFence.seconds 30").and.not.contain("hunter2");
    }
  });

  it("take receivers of alerts that are safe to send to, and never repeat one that is not", () => {
    const none = { slackUrl: "", webhookUrl: "", webhookSecret: "", pagerDutyKey: "" };
    expect(parseSettings(valid).alerts).to.deep.equal(none);
    const all = { slackUrl: "https://hooks.example.com/services/T/B/x", webhookUrl: "http://127.0.0.1:8080/x", webhookSecret: "0123456789abcdef", pagerDutyKey: "0123456789abcdef0123456789ABCDEF" };
    expect(parseSettings({ ...valid, alerts: JSON.stringify(all) }).alerts).to.deep.equal(all);
    const wrong = [
      { slackUrl: "http://hooks.example.com/hunter2" },
      { slackUrl: "http://127.0.0.1.example.com/hunter2" },
      { slackUrl: "https://ada:hunter2@hooks.example.com/" },
      { slackUrl: "hunter2" },
      { webhookUrl: "https://example.com/hunter2" },
      { webhookSecret: "hunter2-hunter2-hunter2" },
      { webhookUrl: "https://example.com/hunter2", webhookSecret: "hunter2" },
      { pagerDutyKey: "hunter2" },
      { slakUrl: "https://hooks.example.com/hunter2" },
    ];
    for (const alerts of [...wrong.map((each) => JSON.stringify(each)), "https://hunter2"]) {
      expect(refusalOf({ ...valid, alerts }), alerts).to.contain("alerts = [secret]").and.contain("pulumi config set --path alerts.slackUrl --secret").and.not.contain("hunter2");
    }
  });

  it("drain at a port of its own, that the app may open, for an hour at the most", () => {
    expect(parseSettings(valid).drain).to.deep.equal({ seconds: 30, port: 3001 });
    expect(parseSettings({ ...valid, drain: '{"seconds":0,"port":0}' }).drain).to.deep.equal({ seconds: 0, port: 0 });
    for (const each of [{ seconds: -1 }, { seconds: 3601 }, { seconds: 1.5 }, { port: 3000 }, { port: 80 }, { port: 65_536 }, { ports: 3001 }, "30"]) {
      expect(refusalOf({ ...valid, drain: JSON.stringify(each) }), JSON.stringify(each)).to.contain("drain = ").and.contain("pulumi config set --path drain.seconds 30");
    }
    expect(refusalOf({ ...valid, environment: '{"DRAIN_PORT":"1"}' })).to.contain("environment = ");
  });

  it("are the same in Pulumi.yaml: every key described, and the same default", () => {
    const { config } = parse(readFileSync("Pulumi.yaml", "utf8")) as { config: Record<string, { default: unknown; description: string }> };
    expect(Object.keys(config).sort()).to.deep.equal([...settingKeys].sort());
    const defaults = Object.entries(config).map(([key, { default: value }]) => [key, typeof value === "string" ? value : JSON.stringify(value)] as const);
    expect(parseSettings({ ...Object.fromEntries<string>(defaults), ...valid })).to.deep.equal(parseSettings(valid));
    for (const [key, { description }] of Object.entries(config)) expect(description, key).to.match(/\w{3}.*\.$/);
  });

  it("release over no clusters but one, unless config names them, each once", () => {
    expect(parseSettings(valid).clusters).to.deep.equal({ members: [], order: "inOrder", onFailure: "rollBack" });
    expect(placesOf(parseSettings({ ...valid, context: "prod" }))).to.deep.equal([{ context: "prod", together: null }]);
    const [eu, us] = [{ name: "eu", context: "prod-eu" }, { name: "us", context: "prod-us" }];
    const clusters = (...members: object[]) => ({ ...valid, clusters: JSON.stringify({ members, onFailure: "stop" }) });
    expect(placesOf(parseSettings(clusters(eu, us)))).to.deep.equal([
      { context: "prod-eu", together: { name: "eu", others: [us], onFailure: "stop" } },
      { context: "prod-us", together: { name: "us", others: [eu], onFailure: "stop" } },
    ]);
    for (const wrong of [clusters(eu, { ...us, name: "eu" }), clusters(eu, { ...us, context: "prod-eu" }), clusters({ name: "EU", context: "x" }), clusters({ name: "eu" }), { ...valid, clusters: '{"order":"random"}' }]) {
      expect(refusalOf(wrong)).to.contain("clusters = ").and.contain("no name and no context twice");
    }
  });

  it("refuse with several clusters what one release over them cannot promise", () => {
    const clusters = JSON.stringify({ members: [{ name: "eu", context: "prod-eu" }, { name: "us", context: "prod-us" }] });
    const together = { context: "prod", weights: "blue=90,green=10", greenTag: "v2", traffic: '{"mode":"route"}', database: '{"strategy":"replica"}', readOnlyFence: '{"seconds":30}' };
    expect(refusalOf({ ...valid, ...together, database: '{"strategy":"shared"}', clusters })).to.contain("3 settings were refused").and.match(/context = "prod"[^]*weights = [^]*readOnlyFence = /);
    expect(refusalOf({ ...valid, database: '{"strategy":"replica"}', clusters })).to.contain("strategy shared with clusters");
    expect(parseSettings({ ...valid, ...together, database: '{"strategy":"shared"}' })).to.have.property("context", "prod");
  });
});
