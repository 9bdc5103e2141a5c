import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parse } from "yaml";
import { quotaLimits } from "@bluegreen/release/config/room";
import { helpOf } from "@bluegreen/release/config/fields";
import { settingKeys, shape } from "@bluegreen/release/config/schema";
import { parseSettings, placesOf } from "@bluegreen/release/config/settings";
import { requireAppName, names } from "@bluegreen/release/app/names";
import { refusedForms, takenForms } from "../support/settingForms";

const valid = {
  activeColor: "blue",
  blueTag: "v1.2.3",
  imageRepository: "ghcr.io/you/chatgpt-app",
  host: "app.example.com",
};

function refusalOf(config: Record<string, string>, encrypted?: string[]): string {
  try {
    parseSettings("chatgpt-app", config, encrypted);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("the settings were accepted");
}

describe("Settings", () => {
  it("take the default values, and the app's own name, where nothing else is said", () => {
    const settings = parseSettings("chatgpt-app", valid);
    expect(settings).to.deep.include({
      replicas: 3,
      namespace: "chatgpt-app",
      container: "chatgpt-app",
      databaseSecret: "chatgpt-app-database",
      resources: { requests: { cpu: "250m", memory: "256Mi" }, limits: { cpu: "500m", memory: "512Mi" } },
    });
    expect(settings.livenessProbe).to.deep.equal({
      initialDelaySeconds: 30,
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    });
    expect(settings.readinessProbe).to.deep.equal({
      initialDelaySeconds: 10,
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 2,
    });
  });

  it("report every violation at once, each with field, value, rule and example", () => {
    const text = refusalOf({
      ...valid,
      activeColor: "purple",
      replicas: "0",
      host: "not a host",
      blueTag: "latest",
      greentag: "v2",
    });
    expect(text).to.contain("5 settings were refused");
    for (const key of ["activeColor", "replicas", "host", "blueTag", "greentag"]) {
      expect(text).to.match(
        new RegExp(`^  ${key} = .+\\n    rule:    .+\\n    example: pulumi config (set|rm) `, "m"),
      );
    }
    expect(text).to.contain('activeColor = "purple"');
    expect(text).to.contain("nothing was");
  });

  it("let nobody delete what serves traffic, and wait a minute for another update, unless config says otherwise", () => {
    expect(parseSettings("chatgpt-app", valid)).to.deep.include({
      deletionProtection: true,
      lockWaitSeconds: 60,
    });
    expect(
      parseSettings("chatgpt-app", { ...valid, deletionProtection: "false", lockWaitSeconds: "0" }),
    ).to.deep.include({
      deletionProtection: false,
      lockWaitSeconds: 0,
    });
    expect(refusalOf({ ...valid, deletionProtection: "yes", lockWaitSeconds: "-1" }))
      .to.contain('deletionProtection = "yes"')
      .and.contain("from 0 to 3600")
      .and.contain("pulumi config set lockWaitSeconds 60");
  });

  it("name what is missing and how to set it", () => {
    const text = refusalOf({});
    for (const key of ["activeColor", "imageRepository", "host"])
      expect(text).to.contain(`${key} = (not set)`);
    expect(text).to.contain("example: pulumi config set activeColor green");
  });

  it("need a tag for the active color, and none for the other", () => {
    expect(refusalOf({ ...valid, activeColor: "green" })).to.contain("greenTag = (not set)");
    expect(parseSettings("chatgpt-app", valid).colors.green.tag).to.equal(undefined);
  });

  it("take a digest after a tag, and nothing that only looks like one", () => {
    const pinned = `v1.3.0@sha256:${"0f".repeat(32)}`;
    expect(parseSettings("chatgpt-app", { ...valid, blueTag: pinned }).colors.blue.tag).to.equal(pinned);
    for (const blueTag of ["v1.3.0@sha256:0f", `latest@sha256:${"0f".repeat(32)}x`, "@sha256:0f", "v1:v2"])
      expect(refusalOf({ ...valid, blueTag }), blueTag).to.contain("blueTag =");
  });

  it("refuse values that only together are wrong", () => {
    const text = refusalOf({
      ...valid,
      preStopDelaySeconds: "30",
      databaseAddress: "db:5432",
    });
    expect(text).to.contain("less than terminationGracePeriodSeconds (30)");
    expect(text).to.contain("only together with databaseAdminUrl");
  });

  it("have resources as a container has: a request of its default, and a limit where limits name one", () => {
    const resources = (text: string) => parseSettings("chatgpt-app", { ...valid, resources: text }).resources;
    const whole = { requests: { cpu: "250m", memory: "256Mi" }, limits: { cpu: "500m", memory: "512Mi" } };
    expect(parseSettings("chatgpt-app", valid).resources).to.deep.equal(whole);
    expect(resources('{"requests":{"cpu":"100m"}}')).to.deep.equal({
      ...whole,
      requests: { cpu: "100m", memory: "256Mi" },
    });
    expect(resources('{"limits":{"memory":"1Gi"}}')).to.deep.equal({ ...whole, limits: { memory: "1Gi" } });
    expect(resources('{"limits":{},"requests":{"cpu":2}}').limits).to.deep.equal({});
    for (const [wrong, rule] of [
      ['{"requests":{"cpu":"2"}}', "requests.cpu at most limits.cpu"],
      ['{"requests":{"memory":"1Gi"}}', "requests.memory at most limits.memory"],
    ] as const)
      expect(refusalOf({ ...valid, resources: wrong }))
        .to.contain("resources = ")
        .and.contain(rule);
    expect(refusalOf({ ...valid, resources: '{"limits":{"cpu":"much"}}' })).to.contain(
      "resources.limits.cpu = [not shown]",
    );
    const quota = (limits: object) => ({
      ...valid,
      resources: '{"limits":{"memory":"512Mi"}}',
      quota: JSON.stringify({ enabled: true, ...limits }),
    });
    expect(quotaLimits(parseSettings("chatgpt-app", quota({})))).to.have.keys(
      "pods",
      "requests.cpu",
      "requests.memory",
      "limits.memory",
    );
    expect(refusalOf(quota({ cpuLimits: "40" }))).to.contain("no cpuLimits where resources.limits has none");
  });

  it("merge a color's variables over the common ones, of any name", () => {
    const settings = parseSettings("chatgpt-app", {
      ...valid,
      env: '{"LOG_LEVEL":"info","FLAG":true}',
      green: '{"env":{"LOG_LEVEL":"debug"}}',
    });
    expect(settings.colors.blue.env).to.deep.equal({ LOG_LEVEL: "info", FLAG: "true" });
    expect(settings.colors.green.env).to.deep.equal({ LOG_LEVEL: "debug", FLAG: "true" });
    const common = {
      APP_VERSION: "1",
      DATABASE_URL: "mysql://db",
      ENVIRONMENT: "production",
      PGAPPNAME: "a",
    };
    expect(
      parseSettings("chatgpt-app", { ...valid, env: JSON.stringify(common) }).colors.blue.env,
    ).to.deep.equal(common);
  });

  it("merge secret variables the same way, and never show one", () => {
    const settings = parseSettings("chatgpt-app", {
      ...valid,
      secretEnv: '{"TOKEN":"both","PIN":"1"}',
      green: '{"secretEnv":{"TOKEN":"own"}}',
    });
    expect(settings.colors.blue.secretEnv).to.deep.equal({
      TOKEN: "both",
      PIN: "1",
    });
    expect(settings.colors.green.secretEnv).to.deep.equal({
      TOKEN: "own",
      PIN: "1",
    });
    expect(parseSettings("chatgpt-app", valid).colors.blue.secretEnv).to.deep.equal({});
    const wrong = [
      ['{"NAME":["hunter2"]}', ".NAME"],
      ['{"NAME":""}', ".NAME"],
      ['{"A-B":"hunter2"}', '["A-B"]'],
      ["hunter2", ""],
    ] as const;
    for (const [secretEnv, path] of wrong) {
      expect(refusalOf({ ...valid, secretEnv }), secretEnv)
        .to.contain(`secretEnv${path} = [secret]`)
        .and.contain("pulumi config set --secret --path 'secretEnv.NAME'\n")
        .and.not.contain("hunter2");
    }
  });

  it("refuse a variable that is secret and readable at once", () => {
    const both = { ...valid, env: '{"TOKEN":"info"}', green: '{"env":{"PIN":"0000"}}' };
    expect(refusalOf({ ...both, green: '{"secretEnv":{"TOKEN":"hunter2"}}' }))
      .to.contain("TOKEN of green is in env")
      .and.not.contain("of blue")
      .and.not.contain("hunter2");
    expect(refusalOf({ ...both, secretEnv: '{"PIN":"hunter2"}' }))
      .to.contain("PIN of green")
      .and.not.contain("of blue");
    expect(
      parseSettings("chatgpt-app", { ...both, blue: '{"secretEnv":{"PIN":"1"}}' }).colors.blue.secretEnv,
    ).to.deep.equal({ PIN: "1" });
  });

  it("refuse a secret that the stack file holds in plain text", () => {
    const config = {
      ...valid,
      secretEnv: '{"TOKEN":"hunter2"}',
      green: '{"secretEnv":{}}',
    };
    const refusal = () => parseSettings("chatgpt-app", config, []);
    expect(refusal).to.throw(
      /1 setting was refused\n {2}secretEnv = \[secret\]\n {4}rule: {4}encrypted in the stack file/,
    );
    expect(refusal).not.to.throw("hunter2");
    const green = { ...valid, green: '{"env":{"A":"b"},"secretEnv":{"TOKEN":"hunter2"}}' };
    expect(refusalOf(green, [])).to.contain("green.secretEnv = [secret]").and.not.contain("hunter2");
    expect(parseSettings("chatgpt-app", green, ["green"]).colors.green.secretEnv).to.deep.equal({
      TOKEN: "hunter2",
    });
    expect(parseSettings("chatgpt-app", config, ["secretEnv"])).to.deep.equal(
      parseSettings("chatgpt-app", config),
    );
  });

  it("never show the value of a secret setting, not even a wrong one", () => {
    const text = refusalOf({
      ...valid,
      databaseAdminUrl: "mysql://root:hunter2@db",
      databaseAddress: "db:5432",
    });
    expect(text).to.contain("databaseAdminUrl = [secret]");
    expect(text).not.to.contain("hunter2");
  });

  it("refuse a write freeze that ends before traffic can move, and never repeat its Redis URL", () => {
    expect(parseSettings("chatgpt-app", valid).writeFreeze).to.deep.equal({
      maxSeconds: 0,
      gracePeriodMs: 1000,
      redisUrl: "",
    });
    expect(refusalOf({ ...valid, writeFreeze: '{"maxSeconds":30}' })).to.contain("redisUrl with maxSeconds");
    expect(
      parseSettings("chatgpt-app", {
        ...valid,
        writeFreeze: '{"maxSeconds":30,"redisUrl":"unix:///run/redis.sock"}',
      }).writeFreeze.redisUrl,
    ).to.equal("unix:///run/redis.sock");
    const wrong = [
      ['{"maxSeconds":1}', ""],
      ['{"maxSeconds":601}', ".maxSeconds"],
      ['{"maxSeconds":30,"gracePeriodMs":-1}', ".gracePeriodMs"],
      ['{"second":30}', ".second"],
      ['{"maxSeconds":30,"redisUrl":"redis://:hunter2@redis:6379"}', ".redisUrl"],
      ['{"maxSeconds":30,"redisUrl":"http://hunter2"}', ".redisUrl"],
    ] as const;
    for (const [freeze, path] of wrong) {
      expect(refusalOf({ ...valid, writeFreeze: freeze }), freeze)
        .to.contain(`writeFreeze${path} = [secret]`)
        .and.contain("--path writeFreeze.maxSeconds 30")
        .and.not.contain("hunter2");
    }
  });

  it("take receivers of alerts that are safe to send to, and never repeat one that is not", () => {
    const none = { slackUrl: "", webhookUrl: "", webhookSecret: "", pagerDutyKey: "" };
    expect(parseSettings("chatgpt-app", valid).alerts).to.deep.equal(none);
    const all = {
      slackUrl: "https://hooks.example.com/services/T/B/x",
      webhookUrl: "http://127.0.0.1:8080/x",
      webhookSecret: "0123456789abcdef",
      pagerDutyKey: "0123456789abcdef0123456789ABCDEF",
    };
    expect(parseSettings("chatgpt-app", { ...valid, alerts: JSON.stringify(all) }).alerts).to.deep.equal(all);
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
      expect(refusalOf({ ...valid, alerts }), alerts)
        .to.match(/^ {2}alerts(\.\w+)? = \[secret\]$/m)
        .and.contain("pulumi config set --path alerts.slackUrl --secret")
        .and.not.contain("hunter2");
    }
  });

  it("drain at a port of its own, that the app may open, for an hour at the most", () => {
    expect(parseSettings("chatgpt-app", valid).connectionDrain).to.deep.equal({
      timeoutSeconds: 30,
      port: 3001,
    });
    expect(
      parseSettings("chatgpt-app", { ...valid, connectionDrain: '{"timeoutSeconds":0,"port":0}' })
        .connectionDrain,
    ).to.deep.equal({
      timeoutSeconds: 0,
      port: 0,
    });
    for (const each of [
      { timeoutSeconds: -1 },
      { timeoutSeconds: 3601 },
      { timeoutSeconds: 1.5 },
      { port: 3000 },
      { port: 80 },
      { port: 65_536 },
      { ports: 3001 },
      "30",
    ]) {
      expect(refusalOf({ ...valid, connectionDrain: JSON.stringify(each) }), JSON.stringify(each))
        .to.match(/^ {2}connectionDrain(\.\w+)? = \[not shown\]$/m)
        .and.contain("pulumi config set --path connectionDrain.timeoutSeconds 30");
    }
  });

  it("are the same in Pulumi.yaml: every key described, and the same default", () => {
    const { config } = parse(readFileSync("Pulumi.yaml", "utf8")) as {
      config: Record<string, { default: unknown; description: string }>;
    };
    expect(Object.keys(config).sort()).to.deep.equal([...settingKeys].sort());
    const defaults = Object.entries(config).map(
      ([key, { default: value }]) =>
        [key, typeof value === "string" ? value : JSON.stringify(value)] as const,
    );
    const { namespace, container, databaseSecret, envFromSecrets } = Object.fromEntries<string>(defaults);
    expect(
      parseSettings("chatgpt-app", { ...Object.fromEntries<string>(defaults), ...valid }),
      "but for the names that the reference program gives its objects",
    ).to.deep.equal(
      parseSettings("chatgpt-app", valid, undefined, {
        namespace,
        container,
        databaseSecret,
        envFromSecrets,
      }),
    );
    for (const [key, { description }] of Object.entries(config))
      expect(description, key).to.match(/\w{3}.*\.$/);
  });

  it("release over no clusters but one, unless config names them, each once", () => {
    expect(parseSettings("chatgpt-app", valid).clusters).to.deep.equal({
      targets: [],
      rollout: "sequential",
      onFailure: "rollback",
    });
    expect(placesOf(parseSettings("chatgpt-app", { ...valid, context: "prod" }))).to.deep.equal([
      { context: "prod", together: null },
    ]);
    const [eu, us] = [
      { name: "eu", context: "prod-eu" },
      { name: "us", context: "prod-us" },
    ];
    const clusters = (...members: object[]) => ({
      ...valid,
      clusters: JSON.stringify({ targets: members, onFailure: "stop" }),
    });
    expect(placesOf(parseSettings("chatgpt-app", clusters(eu, us)))).to.deep.equal([
      { context: "prod-eu", together: { name: "eu", others: [us], onFailure: "stop" } },
      { context: "prod-us", together: { name: "us", others: [eu], onFailure: "stop" } },
    ]);
    for (const twice of [clusters(eu, { ...us, name: "eu" }), clusters(eu, { ...us, context: "prod-eu" })])
      expect(refusalOf(twice)).to.contain("clusters = ").and.contain("no name and no context twice");
    for (const [wrong, path] of [
      [clusters({ name: "EU", context: "x" }), "targets[0].name"],
      [clusters({ name: "eu" }), "targets[0].context"],
      [{ ...valid, clusters: '{"rollout":"random"}' }, "rollout"],
    ] as const)
      expect(refusalOf(wrong)).to.contain(`clusters.${path} = [not shown]`);
  });

  it("refuse with several clusters what one release over them cannot promise", () => {
    const clusters = JSON.stringify({
      targets: [
        { name: "eu", context: "prod-eu" },
        { name: "us", context: "prod-us" },
      ],
    });
    const together = {
      context: "prod",
      canaryWeight: "10",
      greenTag: "v2",
      traffic: '{"strategy":"weighted"}',
      database: '{"strategy":"streamingReplica"}',
      writeFreeze: '{"maxSeconds":30,"redisUrl":"redis://redis:6379"}',
    };
    expect(refusalOf({ ...valid, ...together, database: '{"strategy":"shared"}', clusters }))
      .to.contain("3 settings were refused")
      .and.match(/context = "prod"[^]*canaryWeight = [^]*writeFreeze = /);
    expect(refusalOf({ ...valid, database: '{"strategy":"streamingReplica"}', clusters })).to.contain(
      "strategy shared with clusters",
    );
    expect(
      parseSettings("chatgpt-app", { ...valid, ...together, database: '{"strategy":"shared"}' }),
    ).to.have.property("context", "prod");
  });

  it("show of a setting with parts which part is wrong and why, and no value: it may be a secret in the wrong place", () => {
    const wrong: [config: Record<string, string>, told: string[]][] = [
      [
        { env: '{"A-B":"hunter2","LOG_LEVEL":"hunter2"}' },
        ['env["A-B"] = [not shown]', "an object of variable names"],
      ],
      [
        { green: '{"env":{"A-B":"hunter2","A B":"hunter2"}}' },
        ['green.env["A-B"] = [not shown]', 'green.env["A B"] = [not shown]'],
      ],
      [{ blue: '{"env":{"TOKEN":{"value":"hunter2"}}}' }, ["blue.env.TOKEN = [not shown]"]],
      [{ env: "TOKEN=hunter2" }, ["env = [not shown]", "an object of variable names"]],
      [
        { database: '{"strategy":"hunter2","rebuildCommand":["rebuild","--password","hunter2",""]}' },
        [
          "database.strategy = [not shown]\n    rule:    shared, logicalReplication, streamingReplica, none\n",
          "database.rebuildCommand[3] = [not shown]",
        ],
      ],
      [
        { networkPolicy: '{"egress":"hunter2","allowFrom":[{"podLabels":{"a":"hunter2!"}}]}' },
        ["networkPolicy.egress = [not shown]", "networkPolicy.allowFrom[0].podLabels.a = [not shown]"],
      ],
      [
        { analysis: '{"webhookUrl":"https://ada:hunter2@example.com","hunter":2}' },
        [
          "analysis.webhookUrl = [not shown]\n    rule:    http(s)://HOST/PATH without a user",
          "analysis.hunter = [not shown]",
        ],
      ],
      [{ envFromSecrets: '{"TOKEN":"hunter2"}' }, ["envFromSecrets.TOKEN = [not shown]"]],
      [
        {
          podTemplate: '{"spec":{"containers":[{"name":"a","env":[{"name":"B","value":{"c":"hunter2"}}]}]}}',
        },
        ["podTemplate.spec.containers[0].env[0].value = [not shown]"],
      ],
      [{ imagePullSecrets: '["hunter2!"]' }, ["imagePullSecrets[0] = [not shown]"]],
      [
        { clusters: '{"targets":[{"name":"eu","context":""},{"name":"hunter2!","context":"b"}]}' },
        ["clusters.targets[0].context = [not shown]", "clusters.targets[1].name = [not shown]"],
      ],
      [
        { connectionDrain: '{"port":3000}', context: "hunter3" },
        ["connectionDrain = [not shown]", "another port than http.port"],
      ],
      [{ databaseAddress: "app:hunter2@db:5432" }, ["databaseAddress = [not shown]"]],
      [
        { host: "https://app.example.com/?token=hunter2" },
        ['host = "https://app.example.com/?token=[secret]"'],
      ],
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
      activeColor: "blue",
      blueTag: "hunter2",
      greenTag: "hunter2",
      imageRepository: "hunter2",
      replicas: "3",
      imagePullSecrets: "[]",
      namespace: "hunter2",
      createNamespaces: "true",
      namespacePerColor: "false",
      context: "hunter2",
      host: "hunter2",
      canaryWeight: "0",
      canaryStepSeconds: "60",
      ingressClass: "hunter2",
      clusterIssuer: "hunter2",
      container: "hunter2",
      databaseSecret: "hunter2",
      env: '{"API_TOKEN":"hunter2"}',
      minReadySeconds: "5",
      preStopDelaySeconds: "5",
      terminationGracePeriodSeconds: "30",
      progressDeadlineSeconds: "300",
      smokeTimeoutSeconds: "300",
      smokeTests: "hunter2/*.ts",
      migrationsDir: "hunter2",
      schemaVersion: "0002",
      contractMigration: "0002",
      contractDelayHours: "24",
      standbyHours: "24",
      lockWaitSeconds: "60",
      allowInPlaceUpdate: "true",
      deletionProtection: "false",
      analysis: '{"webhookUrl":"https://example.com/hunter2"}',
      database: '{"rebuildCommand":["hunter2"]}',
      databaseAddress: "hunter2:5432",
      databaseAdminUrl: "postgres://a:hunter2@b/c",
    };
    for (const key of settingKeys) {
      const { ends } = helpOf(shape[key]);
      const text = (() => {
        try {
          parseSettings("chatgpt-app", { ...valid, [key]: examples[key] ?? "" }, [key]);
          return "";
        } catch (error) {
          return String(error);
        }
      })();
      if (ends === "secret") expect(text, key).not.to.contain("not encrypted");
      else
        expect(text, key)
          .to.contain(`${key} = [secret]\n    rule:    not encrypted: it ends readable, in ${ends.place}`)
          .and.not.contain("hunter2");
    }
    const told = refusalOf({ ...valid, env: '{"API_TOKEN":"tok-1"}', green: '{"env":{"PIN":"1"}}' }, [
      "env",
      "green",
    ]);
    expect(told)
      .to.contain("a secret goes to secretEnv")
      .and.contain("pulumi config set --secret --path 'green.secretEnv.NAME'")
      .and.not.contain("tok-1");
    // Whatever breaks a rule beside it.
    expect(refusalOf({ ...valid, blueTag: "hunter2!" }, ["blueTag"]))
      .to.contain("blueTag = [secret]")
      .and.not.contain("hunter2");
    expect(
      parseSettings("chatgpt-app", { ...valid, secretEnv: '{"TOKEN":"t"}' }, ["secretEnv"]).colors.blue
        .secretEnv,
    ).to.deep.equal({ TOKEN: "t" });
  });

  it("take secrets from code, where nobody encrypts them", () => {
    const code = { secretEnv: '{"TOKEN":"t"}', env: '{"A":"b"}', green: '{"secretEnv":{"PIN":"1"}}' };
    expect(() => parseSettings("chatgpt-app", valid, [], code)).not.to.throw();
    expect(() => parseSettings("chatgpt-app", { ...valid, ...code }, [])).to.throw(
      "encrypted in the stack file",
    );
  });

  it("put variables of code and of config together, config's above", () => {
    const code = {
      env: { A: "code", B: "code" },
      green: { env: { B: "code", COLOR: "green" } },
      replicas: 7,
    };
    const { colors, replicas } = parseSettings(
      "chatgpt-app",
      {
        ...valid,
        env: '{"A":"config"}',
        green: '{"env":{"B":"config"},"secretEnv":{"C":"1"}}',
        replicas: "2",
      },
      ["green"],
      code,
    );
    expect(colors.blue.env).to.deep.equal({ A: "config", B: "code" });
    expect(colors.green.env).to.deep.equal({ A: "config", B: "config", COLOR: "green" });
    expect(colors.green.secretEnv).to.deep.equal({ C: "1" });
    expect(replicas).to.equal(2);
  });

  it("tell a number as it is written, or refuse it and say how to write it", () => {
    expect(
      parseSettings("chatgpt-app", { ...valid, env: '{"PORT":8080,"BELOW":-1,"NONE":0,"TEXT":"1.10"}' })
        .colors.blue.env,
    ).to.deep.equal({ PORT: "8080", BELOW: "-1", NONE: "0", TEXT: "1.10" });
    for (const number of ["123456789012345678", "1.10", "1.5", "1.0", "1e3", "-0", "1e400"]) {
      expect(refusalOf({ ...valid, env: `{"GUILD_ID":${number}}` }), number)
        .to.contain("env.GUILD_ID = [not shown]")
        .and.contain("in quotes")
        .and.contain("--type=string");
    }
  });

  it("have forms that Kubernetes has, too, IPv6 among them", () => {
    const [{ app: taken = [], ...takenValues }, { app: refused = [], ...refusedValues }] = [
      takenForms,
      refusedForms,
    ];
    for (const app of taken)
      expect(() => {
        requireAppName(app);
      }, app).not.to.throw();
    for (const app of refused)
      expect(() => {
        requireAppName(app);
      }, app).to.throw("at most 44 characters");
    for (const [key, values] of Object.entries(takenValues))
      for (const value of values)
        expect(
          () => parseSettings("chatgpt-app", { ...valid, ...withAll(key, value) }),
          `${key} ${value}`,
        ).not.to.throw();
    for (const [key, values] of Object.entries(refusedValues))
      for (const value of values)
        expect(refusalOf({ ...valid, ...withAll(key, value) }), `${key} ${value}`).to.match(
          new RegExp(`^ {2}${key}`, "m"),
        );
  });

  it("leave room for whatever is called after the app", () => {
    const app = "a".repeat(44);
    const tags = ["v1", "v".repeat(128)];
    const all = [
      ...Object.values(names).flatMap((name) =>
        typeof name === "string"
          ? [name]
          : [(name as (app: string, ...more: string[]) => string)(app, "green", "0123456789ab")],
      ),
      ...["-ingress-colors", "-ingress-idle", "-preview-prefix"].map((end) => `${app}${end}`),
    ];
    for (const name of all) expect(name.length, name).to.be.at.most(63);
    const sessions = [...tags, "v".repeat(127)].map((tag) => names.session(app, "green", tag));
    expect(new Set(sessions.map((name) => name.slice(0, 63))).size, "PostgreSQL tells them apart").to.equal(
      3,
    );
  });

  it("keep testers' open host apart from that of users", () => {
    expect(refusalOf({ ...valid, traffic: '{"internalHost":"app.example.com"}' })).to.contain(
      "another internalHost than host (app.example.com)",
    );
    expect(
      parseSettings("chatgpt-app", { ...valid, traffic: '{"internalHost":"preview.internal"}' }).traffic
        .internalHost,
    ).to.equal("preview.internal");
  });
});

/** A value, and what has to be said with it. */
function withAll(key: string, value: string): Record<string, string> {
  const [name = "", part] = key.split(".");
  const adminUrl = { databaseAdminUrl: "postgres://admin@db/postgres" };
  const together: Record<string, Record<string, string>> = {
    databaseAddress: adminUrl,
    databaseAdminUrl: { databaseAddress: "db:5432" },
  };
  const whole =
    part === undefined
      ? value
      : JSON.stringify({
          [part]: JSON.parse(value) as unknown,
          ...(part === "gateway" && { router: "gateway" }),
          ...(part === "requests" && { limits: {} }),
        });
  return { ...together[name], [name]: whole };
}
