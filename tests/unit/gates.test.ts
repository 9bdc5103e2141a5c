import { expect } from "chai";
import { parseSettings } from "@bluegreen/release";
import type { Gate } from "@bluegreen/release/config/gates";
import { rolesFor } from "@bluegreen/release/doctor/rights";
import { commandGate } from "@bluegreen/release/gates/commandGate";
import type { GateRun } from "@bluegreen/release/gates/gateKind";
import { CommandOutput } from "@bluegreen/release/util/runCommand";
import { failsWith } from "../support/failsWith";
import { gone } from "../support/processes";
import { allBefore, recordApp, someSettings } from "./recorder";

const gate = (part: object = {}) => ({
  name: "load",
  when: "beforeSwitch",
  command: ["k6", "run", "load.js"],
  ...part,
});
const job = { image: "grafana/k6:1.0.0" };
const parse = (...gates: object[]) =>
  parseSettings("chatgpt-app", { ...someSettings, gates: JSON.stringify(gates) });

describe("Gates of the user's, as settings", () => {
  it("have defaults for all that is left out", () => {
    expect(parse(gate(), gate({ name: "in-cluster", command: undefined, job })).gates).to.deep.equal([
      { ...gate(), job: null, env: {}, passEnv: [], timeoutSeconds: 600 },
      {
        ...gate({ name: "in-cluster", command: [] }),
        job: {
          ...job,
          command: [],
          envFromSecrets: {},
          requests: { cpu: "100m", memory: "128Mi" },
          limits: { cpu: "1", memory: "512Mi" },
        },
        env: {},
        passEnv: [],
        timeoutSeconds: 600,
      },
    ]);
  });

  for (const [why, ...gates] of [
    ["two of one name", gate(), gate({ when: "afterSwitch" })],
    ["a command and a Job", gate({ job })],
    ["neither of them", gate({ command: [] })],
    ["a time that does not come", gate({ when: "later" })],
    ["a variable that it sets itself", gate({ env: { BASE_URL: "http://elsewhere" } })],
    ["another one", gate({ env: { BLUEGREEN_COLOR: "red" } })],
    ["an image that is another one tomorrow", gate({ command: [], job: { image: "grafana/k6:latest" } })],
    ["an environment that no Job has", gate({ command: [], job, passEnv: ["TOKEN"] })],
    ["a command as a text", gate({ command: "k6 run" })],
    ["no time", gate({ timeoutSeconds: 0 })],
    ["an empty word", gate({ command: ["k6", ""] })],
    ["a name that no object could have", gate({ name: "Load test" })],
    ["what is no part of one", gate({ shell: true })],
  ] as [string, ...object[]][])
    it(`are refused with ${why}, and show no value`, async () => {
      expect(await failsWith("BG-CONFIG-INVALID", () => parse(...gates)))
        .to.contain("gates")
        .and.contain("used once")
        .and.not.contain("elsewhere");
    });

  it("need rights on Jobs only where one is a Job", () => {
    const asked = (settings: ReturnType<typeof parse>) =>
      rolesFor("shop", settings).flatMap(({ rules }) => rules.flatMap(({ resources }) => resources));
    expect(asked(parse(gate()))).to.not.include("jobs");
    expect(asked(parse(gate({ command: [], job })))).to.include.members(["jobs", "events"]);
  });
});

describe("Gates of the user's, in the order of a release", () => {
  it("stand where their time comes, one after the other", async () => {
    const recorder = await recordApp({
      ...someSettings,
      gates: JSON.stringify([
        gate({ name: "scan", when: "beforeRollout" }),
        gate({ name: "approval", when: "beforeRollout" }),
        gate(),
        gate({ name: "real", when: "afterSwitch" }),
        gate({ name: "last", when: "beforeScaleDown" }),
      ]),
    });
    const before = (name: string) => [...allBefore(recorder, name)];
    for (const color of ["blue", "green"]) {
      expect(before(`chatgpt-app-${color}`)).to.include.members([
        `chatgpt-app-${color}-scan-before-rollout`,
        `chatgpt-app-${color}-approval-before-rollout`,
      ]);
      expect(before(`chatgpt-app-${color}-approval-before-rollout`)).to.include(
        `chatgpt-app-${color}-scan-before-rollout`,
      );
    }
    expect(before("chatgpt-app-load-before-switch")).to.include("chatgpt-app-blue-smoke");
    expect(before("chatgpt-app-switch-gate")).to.include("chatgpt-app-load-before-switch");
    expect(before("chatgpt-app-real-after-switch"))
      .to.include("chatgpt-app-service")
      .and.not.include("chatgpt-app-analysis", "nobody goes without analysis meanwhile");
    expect(before("chatgpt-app-green")).to.include("chatgpt-app-real-after-switch");
    expect(
      recorder.recorded.map(({ name }) => name),
      "green keeps its pods",
    ).to.not.include("chatgpt-app-last-before-scale-down");
  });

  it("come before the standby loses its pods, where config takes its tag", async () => {
    const gates = JSON.stringify([
      gate({ name: "last", when: "beforeScaleDown" }),
      gate({ name: "scan", when: "beforeRollout" }),
    ]);
    const recorder = await recordApp({ ...someSettings, greenTag: "", gates });
    expect([...allBefore(recorder, "chatgpt-app-green")])
      .to.include("chatgpt-app-last-before-scale-down")
      .and.not.include("chatgpt-app-green-scan-before-rollout");
    expect(
      recorder.one(
        "pulumi-nodejs:dynamic/bluegreen:GateBeforeScaleDown",
        "chatgpt-app-last-before-scale-down",
      ).inputs,
      "it checks the color that stays",
    ).to.include({ color: "blue", standby: "green", version: "v1.2.3" });
  });

  it("come before the idle color gets a canary weight, and of all traffic none is analyzed before it has moved", async () => {
    const recorder = await recordApp({
      ...someSettings,
      canaryWeight: "10",
      traffic: '{"strategy":"weighted"}',
      gates: JSON.stringify([gate(), gate({ name: "real", when: "afterSwitch" })]),
    });
    expect([...allBefore(recorder, "chatgpt-app-shift-switch-gate")]).to.include(
      "chatgpt-app-shift-load-before-switch",
    );
    expect(recorder.recorded.map(({ name }) => name)).to.not.include("chatgpt-app-real-after-switch");
  });

  it("run migrations by command after them, before the pods of either color, with the pods' own template", async () => {
    const recorder = await recordApp({
      ...someSettings,
      migrations: '{"command":["/app/migrate","up"]}',
      gates: JSON.stringify([gate({ name: "scan", when: "beforeRollout" })]),
    });
    for (const color of ["blue", "green"]) {
      const step = `chatgpt-app-${color}-migration-command`;
      expect([...allBefore(recorder, `chatgpt-app-${color}`)]).to.include(step);
      expect([...allBefore(recorder, step)]).to.include(`chatgpt-app-${color}-scan-before-rollout`);
      const { inputs } = recorder.one("pulumi-nodejs:dynamic/bluegreen:MigrationCommand", step);
      const { spec } = recorder.one("kubernetes:apps/v1:Deployment", `chatgpt-app-${color}`).inputs as {
        spec: { template: { spec: object } };
      };
      expect(inputs).to.deep.include({ command: ["/app/migrate", "up"], container: "mcp-server" });
      expect(inputs["pod"]).to.deep.equal(spec.template.spec);
    }
    await failsWith("BG-CONFIG-INVALID", () =>
      parseSettings("chatgpt-app", {
        ...someSettings,
        migrations: '{"command":["/app/migrate"]}',
        database: '{"strategy":"logicalReplication"}',
      }),
    );
  });
});

describe("An app without migration files", () => {
  it("is asked for no database, and keeps the variable that leads its pods there", async () => {
    const { recorded } = await recordApp({
      ...someSettings,
      migrationsDir: "no-such-folder",
      migrations: '{"command":["/app/migrate"]}',
    });
    const steps = recorded.map(({ type }) => type.split(":").at(-1) ?? "");
    expect(steps).to.include.members(["MigrationCommand", "SmokeGate", "SwitchGate"]);
    expect(steps.filter((step) => ["Migrations", "SchemaGate", "SwitchRecord"].includes(step))).to.deep.equal(
      [],
    );
    const blue = recorded.find(
      ({ type, name }) => type.endsWith(":Deployment") && name === "chatgpt-app-blue",
    );
    expect(JSON.stringify(blue?.inputs)).to.contain('"DATABASE_URL"');
  });
});

describe("A gate's command", () => {
  const run = async (part: object, env: Record<string, string> = {}) => {
    const [parsed] = parse(gate(part)).gates as [Gate];
    const said: string[] = [];
    const gateRun: GateRun = {
      // What has no pods yet is asked nothing of the cluster.
      cluster: undefined as unknown as GateRun["cluster"],
      inputs: {
        context: "",
        namespace: "shop",
        namespacePerColor: false,
        app: "shop",
        color: "green",
        version: "v2",
        template: "abc",
        account: "shop-green",
        imagePullSecrets: [],
        labels: {},
        annotations: {},
        gate: parsed,
      },
      hasPods: false,
      say: (line) => said.push(line),
      signal: new AbortController().signal,
    };
    Object.assign(process.env, env);
    try {
      const output = new CommandOutput("gate load", await commandGate.secrets(gateRun), gateRun.say);
      return { end: await commandGate.run(gateRun, output), said, lines: output.lines };
    } finally {
      for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name);
    }
  };
  const node = (script: string) => [process.execPath, "-e", script];

  it("gets what config names of the environment, what it is about, and nothing else", async () => {
    const { end, lines } = await run(
      {
        command: node("console.log(JSON.stringify(Object.keys(process.env).sort()))"),
        env: { USERS: 5, FAST: true },
        passEnv: ["GATE_TOKEN"],
      },
      { GATE_TOKEN: "hunter2", OTHER_TOKEN: "hunter3" },
    );
    expect(end).to.deep.equal({ hasPassed: true, timedOut: false, how: "ended with code 0" });
    expect(JSON.parse(lines[0] ?? "")).to.deep.equal([
      "BLUEGREEN_APP",
      "BLUEGREEN_COLOR",
      "BLUEGREEN_VERSION",
      "FAST",
      "GATE_TOKEN",
      "HOME",
      "PATH",
      "USERS",
    ]);
  });

  it("shows each line, without the secrets that it got", async () => {
    const { said } = await run(
      {
        command: node("console.log('token ' + process.env.GATE_TOKEN); console.error('\\u001b[2Jsecond')"),
        passEnv: ["GATE_TOKEN"],
      },
      { GATE_TOKEN: "hunter2" },
    );
    expect(said).to.have.members(["gate load: token [secret]", "gate load: second"]);
  });

  it("is not run without a variable that it is to get", async () => {
    expect(await failsWith("BG-GATE-NOT-RUN", () => run({ passEnv: ["NOT_THERE"] }))).to.contain(
      "export NOT_THERE=…",
    );
  });

  it("says by which code it has ended, and when it could not be started", async () => {
    expect((await run({ command: node("process.exit(3)") })).end).to.deep.equal({
      hasPassed: false,
      timedOut: false,
      how: "ended with code 3",
    });
    const { end } = await run({ command: ["no-such-program"] });
    expect(end.hasPassed).to.equal(false);
    expect(end.how).to.contain("could not be started").and.contain("ENOENT");
  });

  it("is ended with everything that it has started when its time is over", async () => {
    const { end, lines } = await run({
      command: ["sh", "-c", "sleep 600 & echo $!; wait"],
      timeoutSeconds: 1,
    });
    expect(end).to.deep.equal({ hasPassed: false, timedOut: true, how: "ran out of its 1 s" });
    await gone(Number(lines[0]));
  });
});

describe("What a program of the user's writes", () => {
  const write = (lines: string[], secrets: string[] = []) => {
    const said: string[] = [];
    const output = new CommandOutput("gate load", secrets, (line) => said.push(line));
    lines.forEach(output.take);
    return { said, lines: output.lines };
  };

  it("is kept up to its last lines, each of them short", () => {
    const { said, lines } = write([...Array(3000).keys()].map((each) => `line ${each}`));
    expect(said).to.have.length(2001);
    expect(said.at(-1)).to.contain("further ones are not shown");
    expect(lines).to.have.length(20);
    expect(lines.at(-1)).to.equal("line 2999");
    expect(write(["x".repeat(10_000)]).lines[0]).to.have.length(500);
  });

  it("shows no secret, whole or by its lines, nor a password of a URL among them, nor a key", () => {
    const { lines } = write(
      [
        "a first-line b",
        "second-line",
        "password p%40ss and p@ss",
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBg",
        "-----END PRIVATE KEY-----",
        "after",
        "no such a word as abc is hidden",
      ],
      ["first-line\nsecond-line\n", "postgres://app:p%40ss@db/app", "abc"],
    );
    expect(lines).to.deep.equal([
      "a [secret] b",
      "[secret]",
      "password [secret] and [secret]",
      "[secret]",
      "after",
      "no such a word as abc is hidden",
    ]);
  });
});
