import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parse } from "yaml";
import { helpOf } from "@bluegreen/release/settings/fields";
import { shape } from "@bluegreen/release/settings/schema";
import { parseSettings, placesOf, settingKeys } from "@bluegreen/release/settings/settings";
import { requireAppName } from "@bluegreen/release/appName";
import { names } from "@bluegreen/release/names";
import { refusedForms, takenForms } from "../support/settingForms";

const valid = { activeColor: "blue", blueTag: "v1.2.3", imageRepository: "ghcr.io/you/chatgpt-app", host: "app.example.com" };

function refusalOf(config: Record<string, string>, encrypted?: string[]): string {
  try {
    parseSettings(config, encrypted);
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
    const wrong = [['{"DATABASE_URL":"hunter2"}', ".DATABASE_URL"], ['{"OPENAI_API_KEY":"hunter2"}', ".OPENAI_API_KEY"], ['{"NAME":["hunter2"]}', ".NAME"], ['{"NAME":""}', ".NAME"], ['{"A-B":"hunter2"}', '["A-B"]'], ["hunter2", ""]] as const;
    for (const [secretEnvironment, path] of wrong) {
      expect(refusalOf({ ...valid, secretEnvironment }), secretEnvironment)
        .to.contain(`secretEnvironment${path} = [secret]`)
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
    const wrong = [['{"seconds":1}', ""], ['{"seconds":601}', ".seconds"], ['{"seconds":30,"settleMs":-1}', ".settleMs"], ['{"second":30}', ".second"], ['{"seconds":30,"redisUrl":"redis://:hunter2@redis:6379"}', ".redisUrl"], ['{"seconds":30,"redisUrl":"http://hunter2"}', ".redisUrl"]] as const;
    for (const [fence, path] of wrong) {
      expect(refusalOf({ ...valid, readOnlyFence: fence }), fence).to.contain(`readOnlyFence${path} = [secret]`).and.contain("--path readOnlyFence.seconds 30").and.not.contain("hunter2");
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
      expect(refusalOf({ ...valid, alerts }), alerts).to.match(/^ {2}alerts(\.\w+)? = \[secret\]$/m).and.contain("pulumi config set --path alerts.slackUrl --secret").and.not.contain("hunter2");
    }
  });

  it("drain at a port of its own, that the app may open, for an hour at the most", () => {
    expect(parseSettings(valid).drain).to.deep.equal({ seconds: 30, port: 3001 });
    expect(parseSettings({ ...valid, drain: '{"seconds":0,"port":0}' }).drain).to.deep.equal({ seconds: 0, port: 0 });
    for (const each of [{ seconds: -1 }, { seconds: 3601 }, { seconds: 1.5 }, { port: 3000 }, { port: 80 }, { port: 65_536 }, { ports: 3001 }, "30"]) {
      expect(refusalOf({ ...valid, drain: JSON.stringify(each) }), JSON.stringify(each)).to.match(/^ {2}drain(\.\w+)? = \[not shown\]$/m).and.contain("pulumi config set --path drain.seconds 30");
    }
    expect(refusalOf({ ...valid, environment: '{"DRAIN_PORT":"1"}' })).to.contain("environment.DRAIN_PORT = ");
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
    for (const twice of [clusters(eu, { ...us, name: "eu" }), clusters(eu, { ...us, context: "prod-eu" })]) expect(refusalOf(twice)).to.contain("clusters = ").and.contain("no name and no context twice");
    for (const [wrong, path] of [[clusters({ name: "EU", context: "x" }), "members[0].name"], [clusters({ name: "eu" }), "members[0].context"], [{ ...valid, clusters: '{"order":"random"}' }, "order"]] as const) expect(refusalOf(wrong)).to.contain(`clusters.${path} = [not shown]`);
  });

  it("refuse with several clusters what one release over them cannot promise", () => {
    const clusters = JSON.stringify({ members: [{ name: "eu", context: "prod-eu" }, { name: "us", context: "prod-us" }] });
    const together = { context: "prod", weights: "blue=90,green=10", greenTag: "v2", traffic: '{"mode":"route"}', database: '{"strategy":"replica"}', readOnlyFence: '{"seconds":30}' };
    expect(refusalOf({ ...valid, ...together, database: '{"strategy":"shared"}', clusters })).to.contain("3 settings were refused").and.match(/context = "prod"[^]*weights = [^]*readOnlyFence = /);
    expect(refusalOf({ ...valid, database: '{"strategy":"replica"}', clusters })).to.contain("strategy shared with clusters");
    expect(parseSettings({ ...valid, ...together, database: '{"strategy":"shared"}' })).to.have.property("context", "prod");
  });

  it("show of a setting with parts which part is wrong and why, and no value: it may be a secret in the wrong place", () => {
    const wrong: [config: Record<string, string>, told: string[]][] = [
      [{ environment: '{"OPENAI_API_KEY":"hunter2","LOG_LEVEL":"hunter2"}' }, ["environment.OPENAI_API_KEY = [not shown]", "which the program sets"]],
      [{ greenEnvironment: '{"DATABASE_URL":"postgres://app:hunter2@db/app","A B":"hunter2"}' }, ["greenEnvironment.DATABASE_URL = [not shown]", 'greenEnvironment["A B"] = [not shown]']],
      [{ blueEnvironment: '{"TOKEN":{"value":"hunter2"}}' }, ["blueEnvironment.TOKEN = [not shown]"]],
      [{ environment: "TOKEN=hunter2" }, ["environment = [not shown]", "an object of variable names"]],
      [{ database: '{"strategy":"hunter2","rebuildCommand":["rebuild","--password","hunter2",""]}' }, ["database.strategy = [not shown]\n    rule:    shared, perColor, replica, none\n", "database.rebuildCommand[3] = [not shown]"]],
      [{ networkPolicy: '{"egress":"hunter2","from":[{"podLabels":{"a":"hunter2!"}}]}' }, ["networkPolicy.egress = [not shown]", "networkPolicy.from[0].podLabels.a = [not shown]"]],
      [{ watch: '{"webhookUrl":"https://ada:hunter2@example.com","hunter":2}' }, ["watch.webhookUrl = [not shown]\n    rule:    http(s)://HOST/PATH without a user", "watch.hunter = [not shown]"]],
      [{ secretVariables: '{"TOKEN":"hunter2"}' }, ["secretVariables.TOKEN = [not shown]"]],
      [{ imagePullSecrets: '["hunter2!"]' }, ["imagePullSecrets[0] = [not shown]"]],
      [{ clusters: '{"members":[{"name":"eu","context":""},{"name":"hunter2!","context":"b"}]}' }, ["clusters.members[0].context = [not shown]", "clusters.members[1].name = [not shown]"]],
      [{ drain: '{"port":3000}', context: "hunter3" }, ["drain = [not shown]", "another port than http.port"]],
      [{ databaseAddress: "app:hunter2@db:5432" }, ["databaseAddress = [not shown]"]],
      [{ host: "https://app.example.com/?token=hunter2" }, ['host = "https://app.example.com/?token=[secret]"']],
    ];
    for (const [config, told] of wrong) {
      const text = refusalOf({ ...valid, ...config });
      for (const each of told) expect(text, JSON.stringify(config)).to.contain(each);
      expect(text).not.to.contain("hunter2");
    }
  });

  it("never undo an encryption: what ends readable may not be encrypted, whatever it is", () => {
    const examples: Record<string, string> = {
      ...Object.fromEntries(settingKeys.map((key) => [key, "{}"])),
      activeColor: "blue", blueTag: "hunter2", greenTag: "hunter2", imageRepository: "hunter2", replicas: "3", imagePullSecrets: "[]", namespace: "hunter2", makeNamespaces: "true", isolation: "shared", context: "hunter2", host: "hunter2", weights: "blue=100,green=0", shareSeconds: "60", ingressClass: "hunter2", clusterIssuer: "hunter2", redisUrl: "redis://hunter2:6379",
      environment: '{"API_TOKEN":"hunter2"}', cpuRequest: "250m", cpuLimit: "500m", memoryRequest: "256Mi", memoryLimit: "512Mi", minReadySeconds: "5", drainSeconds: "5", terminationGraceSeconds: "30", rolloutBudgetSeconds: "300", smokeBudgetSeconds: "300", smokeSuite: "hunter2/*.ts", migrationsFolder: "hunter2", schemaVersion: "0002", contractVersion: "0002", contractAfterHours: "24", watcherImage: "hunter2:v1", lockWaitSeconds: "60", allowLiveChange: "true", allowDelete: "true",
      watch: '{"webhookUrl":"https://example.com/hunter2"}', database: '{"rebuildCommand":["hunter2"]}', databaseAddress: "hunter2:5432", databaseAdminUrl: "postgres://a:hunter2@b/c", openaiApiKey: "hunter2",
    };
    for (const key of settingKeys) {
      const { ends } = helpOf(shape[key]);
      const text = (() => {
        try {
          parseSettings({ ...valid, [key]: examples[key] ?? "" }, [key]);
          return "";
        } catch (error) {
          return String(error);
        }
      })();
      if (ends === "secret") expect(text, key).not.to.contain("not encrypted");
      else expect(text, key).to.contain(`${key} = [secret]\n    rule:    not encrypted: it ends readable, in ${ends.place}`).and.not.contain("hunter2");
    }
    const told = refusalOf({ ...valid, environment: '{"API_TOKEN":"tok-1"}', greenEnvironment: '{"PIN":"1"}' }, ["environment", "greenEnvironment"]);
    expect(told).to.contain("a secret goes to secretEnvironment").and.contain("pulumi config set --secret --path 'greenSecretEnvironment.NAME'").and.not.contain("tok-1");
    // Whatever breaks a rule beside it.
    expect(refusalOf({ ...valid, blueTag: "hunter2!" }, ["blueTag"])).to.contain("blueTag = [secret]").and.not.contain("hunter2");
    expect(parseSettings({ ...valid, secretEnvironment: '{"TOKEN":"t"}' }, ["secretEnvironment"]).colors.blue.secretEnvironment).to.deep.equal({ TOKEN: "t" });
  });

  it("take secrets from code, where nobody encrypts them", () => {
    const config = { ...valid, secretEnvironment: '{"TOKEN":"t"}', environment: '{"A":"b"}' };
    expect(() => parseSettings(config, [], ["secretEnvironment", "environment"])).not.to.throw();
    expect(() => parseSettings(config, [])).to.throw("encrypted in the stack file");
  });

  it("tell a number as it is written, or refuse it and say how to write it", () => {
    expect(parseSettings({ ...valid, environment: '{"PORT":8080,"BELOW":-1,"NONE":0,"TEXT":"1.10"}' }).colors.blue.environment).to.deep.equal({ PORT: "8080", BELOW: "-1", NONE: "0", TEXT: "1.10" });
    for (const number of ["123456789012345678", "1.10", "1.5", "1.0", "1e3", "-0", "1e400"]) {
      expect(refusalOf({ ...valid, environment: `{"GUILD_ID":${number}}` }), number).to.contain("environment.GUILD_ID = [not shown]").and.contain("in quotes").and.contain("--type string");
    }
  });

  it("have forms that Kubernetes has, too, IPv6 among them", () => {
    const [{ app: taken = [], ...takenValues }, { app: refused = [], ...refusedValues }] = [takenForms, refusedForms];
    for (const app of taken) expect(() => { requireAppName(app); }, app).not.to.throw();
    for (const app of refused) expect(() => { requireAppName(app); }, app).to.throw("at most 44 characters");
    for (const [key, values] of Object.entries(takenValues)) for (const value of values) expect(() => parseSettings({ ...valid, ...withAll(key, value) }), `${key} ${value}`).not.to.throw();
    for (const [key, values] of Object.entries(refusedValues)) for (const value of values) expect(refusalOf({ ...valid, ...withAll(key, value) }), `${key} ${value}`).to.match(new RegExp(`^ {2}${key}`, "m"));
  });

  it("leave room for whatever is called after the app", () => {
    const app = "a".repeat(44);
    const tags = ["v1", "v".repeat(128)];
    const all = [
      ...Object.values(names).flatMap((name) => (typeof name === "string" ? [name] : [(name as (app: string, ...more: string[]) => string)(app, "green", "0123456789ab")])),
      names.tlsSecret(app, true),
      ...["-ingress-colors", "-ingress-idle", "-preview-prefix"].map((end) => `${app}${end}`),
    ];
    for (const name of all) expect(name.length, name).to.be.at.most(63);
    const sessions = [...tags, "v".repeat(127)].map((tag) => names.session(app, "green", tag));
    expect(new Set(sessions.map((name) => name.slice(0, 63))).size, "PostgreSQL tells them apart").to.equal(3);
  });

  it("keep testers' open host apart from that of users", () => {
    expect(refusalOf({ ...valid, traffic: '{"internalHost":"app.example.com"}' })).to.contain("another internalHost than host (app.example.com)");
    expect(parseSettings({ ...valid, traffic: '{"internalHost":"preview.internal"}' }).traffic.internalHost).to.equal("preview.internal");
  });
});

/** A value, and what has to be said with it. */
function withAll(key: string, value: string): Record<string, string> {
  const [name = "", part] = key.split(".");
  const adminUrl = { databaseAdminUrl: "postgres://admin@db/postgres" };
  const together: Record<string, Record<string, string>> = {
    databaseAddress: adminUrl,
    databaseAdminUrl: { databaseAddress: "db:5432" },
    cpuRequest: { cpuLimit: "999999999" },
    memoryRequest: { memoryLimit: "900T" },
  };
  const whole = part === undefined ? value : JSON.stringify({ [part]: JSON.parse(value) as unknown, ...(part === "gateway" && { route: "gateway" }) });
  return { ...together[name], [name]: whole };
}
