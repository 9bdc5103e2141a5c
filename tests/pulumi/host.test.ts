import { randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { expect } from "chai";
import { poll } from "@bluegreen/release/util/poll";
import { repositoryDir } from "../../local/paths";
import { findProcesses, killProcesses } from "../../local/system/processes";

/** An exported stack, as far as these tests read it. */
interface Exported {
  deployment: {
    resources: {
      urn: string;
      type: string;
      id?: string;
      inputs?: Record<string, unknown>;
      outputs?: Record<string, unknown>;
      additionalSecretOutputs?: string[];
    }[];
    pending_operations?: unknown[];
  };
}

interface Run {
  code: number | null;
  output: string;
}

interface Running {
  interrupt(): void;
  kill(): void;
  output(): string;
  ended: Promise<Run>;
}

const passwordType = "random:index/randomPassword:RandomPassword";
const secretMark = "4dabf18193072939515e22adb298388d";

const login = (args = "length: 20") => `new random.RandomPassword("login", { ${args} });`;

/** A dynamic resource that says that it is being made, and is made when it is let. */
const slow = `
  const provider: pulumi.dynamic.ResourceProvider = {
    async create(inputs) {
      const fs = require("node:fs");
      const { promise, resolve } = Promise.withResolvers<void>();
      const watching = fs.watch(inputs.directory, () => { if (fs.existsSync(inputs.directory + "/let")) resolve(); });
      fs.writeFileSync(inputs.directory + "/begun", String(process.pid));
      await promise;
      watching.close();
      return { id: "slow", outs: {} };
    },
  };
  class Slow extends pulumi.dynamic.Resource { constructor(name: string, args: object) { super(provider, name, args); } }
  new Slow("slow", { directory: process.cwd() });
  require("node:fs").writeFileSync("program", String(process.pid));`;

/** A rule, which also says what its pack knows of the stack. */
const lengths = (file: string) => `const { PolicyPack, validateResourceOfType } = require("@pulumi/policy");
const { RandomPassword } = require("@pulumi/random");
const pulumi = require("@pulumi/pulumi");
new PolicyPack("lengths", { policies: [{
  name: "long-passwords", description: "A password has 24 characters.", enforcementLevel: "mandatory",
  validateResource: validateResourceOfType(RandomPassword, (password, args, report) => {
    require("node:fs").writeFileSync(${JSON.stringify(file)}, [pulumi.getStack(), pulumi.getProject(), new pulumi.Config("shop").get("host")].join());
    if (password.length < 24) report("The password has " + password.length + " characters.");
  }),
}] });`;

/** The CLI's folder of plugins is the one that it lies in, as in an installation. */
function homeOfPulumi(): string {
  const found = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "pulumi"))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error("there is no pulumi on PATH; `npm start` builds one");
  return process.env["PULUMI_HOME"] ?? dirname(dirname(realpathSync(found)));
}

describe("Pulumi's CLI with this project's language host and random provider", function () {
  let directory: string;
  let env: Record<string, string>;
  const at = (file: string) => join(directory, file);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "pulumi-test-"));
    symlinkSync(join(repositoryDir, "node_modules"), at("node_modules"));
    mkdirSync(at("state"));
    writeFileSync(at("package.json"), JSON.stringify({ name: "shop", private: true }));
    writeFileSync(
      at("tsconfig.json"),
      JSON.stringify({
        compilerOptions: { target: "es2024", module: "nodenext", moduleResolution: "nodenext" },
        "ts-node": { transpileOnly: true },
      }),
    );
    writeFileSync(at("Pulumi.yaml"), "name: shop\nruntime: nodejs\nmain: index.ts\n");
    env = {
      PULUMI_HOME: homeOfPulumi(),
      PULUMI_BACKEND_URL: `file://${at("state")}`,
      PULUMI_CONFIG_PASSPHRASE: "correct horse",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // Every process of a run inherits it.
      TEST_OF_HOST: randomUUID(),
    };
    expect((await pulumi("stack", "init", "test")).code).to.equal(0);
  });
  afterEach(async () => {
    const left = await processes();
    await killProcesses(ofRun);
    rmSync(directory, { recursive: true, force: true });
    expect(left, "left behind").to.deep.equal([]);
  });

  const ofRun = (_args: string[], environment: string[]) =>
    environment.includes(`TEST_OF_HOST=${env["TEST_OF_HOST"] ?? ""}`);
  const processes = () => findProcesses(ofRun);
  const until = (reached: () => boolean | Promise<boolean>) =>
    poll(async () => ((await reached()) ? true : undefined), { timeoutMs: 600_000, intervalMs: 20 });
  const program = (...lines: string[]) => {
    writeFileSync(
      at("index.ts"),
      `import * as pulumi from "@pulumi/pulumi";\nimport * as random from "@pulumi/random";\n${lines.join("\n")}\n`,
    );
  };

  const makePack = (code: string) => {
    mkdirSync(at("pack"));
    writeFileSync(at("pack/PulumiPolicy.yaml"), "description: Passwords\nruntime: nodejs\n");
    writeFileSync(
      at("pack/package.json"),
      JSON.stringify({ name: "lengths", version: "1.0.0", private: true, main: "index.js" }),
    );
    writeFileSync(at("pack/index.js"), code);
    return at("pack");
  };

  function start(...args: string[]): Running {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: directory,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (text: Buffer) => {
      output += text.toString();
    });
    child.stderr.on("data", (text: Buffer) => {
      output += text.toString();
    });
    return {
      interrupt: () => {
        child.kill("SIGINT");
      },
      kill: () => {
        child.kill("SIGKILL");
      },
      output: () => output,
      ended: once(child, "close").then(() => ({ code: child.exitCode, output })),
    };
  }
  const pulumi = (...args: string[]) => start(...args).ended;

  const up = async () => {
    const { code, output } = await pulumi("up", "--yes", "--skip-preview");
    expect(code, output).to.equal(0);
    return output;
  };
  const exported = async (...options: string[]) =>
    JSON.parse((await pulumi("stack", "export", ...options)).output) as Exported;
  const passwordOf = async (name: string) => {
    const { deployment } = await exported("--show-secrets");
    const resource = deployment.resources.find(({ urn }) => urn.endsWith(`${passwordType}::${name}`));
    if (resource === undefined) throw new Error(`there is no password ${name} in the state`);
    const { plaintext } = resource.outputs?.["result"] as { plaintext: string };
    return { resource, password: JSON.parse(plaintext) as string };
  };
  const stateText = () => readFileSync(at("state/.pulumi/stacks/shop/test.json"), "utf8");
  const stored = () => stateText().includes(passwordType);

  it("previews, makes, keeps and replaces, without a word of plugins or machine", async () => {
    const code = (color: string) => {
      program(
        login(`length: 20, keepers: { color: "${color}" }`).replace("new", "const made = new"),
        `
        const provider: pulumi.dynamic.ResourceProvider = { create: (inputs) => Promise.resolve({ id: "copy", outs: { of: inputs.of } }) };
        class Copy extends pulumi.dynamic.Resource { constructor(name: string, args: object) { super(provider, name, args); } }
        new Copy("copy", { of: made.result });
        export const password = made.result;`,
      );
    };
    code("blue");
    const preview = await pulumi("preview");
    expect(preview.code, preview.output).to.equal(0);
    expect(preview.output).to.match(/\+ 3 to create/);
    expect(stored()).to.equal(false);
    const outputs = [preview.output, await up()];
    const before = await passwordOf("login");
    outputs.push(await up());
    expect(outputs.at(-1)).to.match(/3 unchanged/);
    expect((await passwordOf("login")).password).to.equal(before.password);
    code("green");
    outputs.push(await up());
    expect(outputs.at(-1)).to.match(/\+-1 replaced/);
    const after = await passwordOf("login");
    expect(after.password).to.have.length(20).and.not.equal(before.password);

    expect(outputs.join("\n")).to.not.match(/warning|\$?PATH|version|plugin|update check/i);
    for (const secret of [before.password, after.password]) {
      expect(outputs.join("\n")).to.not.contain(secret);
      expect(stateText()).to.not.contain(secret);
    }
    for (const path of [directory, repositoryDir, env["PULUMI_HOME"] ?? ""])
      expect(outputs.join("\n")).to.not.contain(path);
  });

  it("stores what Pulumi's own random provider stores", async () => {
    program(login());
    await up();
    const { deployment } = await exported();
    const { resource } = await passwordOf("login");
    expect(resource).to.include({ type: passwordType, id: "none" });
    expect(resource.inputs).to.deep.equal({ length: 20 });
    expect(resource.additionalSecretOutputs).to.have.members(["bcryptHash", "result"]);
    const { result, bcryptHash, __pulumi_raw_state_delta: delta, ...plain } = resource.outputs ?? {};
    expect(plain).to.deep.equal({
      __meta: '{"schema_version":"3"}',
      id: "none",
      length: 20,
      lower: true,
      upper: true,
      number: true,
      numeric: true,
      special: true,
      minLower: 0,
      minUpper: 0,
      minNumeric: 0,
      minSpecial: 0,
    });
    for (const secret of [result, bcryptHash]) expect(secret).to.have.property(secretMark);
    const nothing = {
      [secretMark]: "1b47061264138c4ac30d75fd1eb44270",
      plaintext: '{"replace":{"raw":null}}',
    };
    expect(delta).to.deep.equal({ obj: { ps: { keepers: nothing, overrideSpecial: nothing } } });
    expect(deployment.resources.find(({ type }) => type === "pulumi:providers:random")?.inputs).to.include({
      version: "4.21.2",
    });
  });

  it("takes over a password, by a program and by pulumi import", async () => {
    program(`new random.RandomPassword("login", { length: 13 }, { import: "correct horse" });`);
    await up();
    expect((await passwordOf("login")).password).to.equal("correct horse");
    program(login("length: 13"));
    expect(await up()).to.match(/2 unchanged/);

    const imported = await pulumi(
      "import",
      passwordType,
      "other",
      "battery staple",
      "--yes",
      "--protect=false",
      "--generate-code=false",
    );
    expect(imported.code, imported.output).to.equal(0);
    const other = await passwordOf("other");
    expect(other.password).to.equal("battery staple");
    expect(other.resource.id).to.equal("none");
    expect(stateText()).to.not.contain("correct horse").and.not.contain("battery staple");
    program(login("length: 13"), `new random.RandomPassword("other", { length: 14 });`);
    expect(await up()).to.match(/3 unchanged/);
    expect((await passwordOf("other")).password).to.equal("battery staple");

    expect((await pulumi("refresh", "--yes", "--skip-preview")).output).to.match(/3 unchanged/);
    expect((await pulumi("destroy", "--yes", "--skip-preview")).output).to.match(/3 deleted/);
    expect(stored()).to.equal(false);
  });

  it("refuses in a preview what breaks a rule, and what it cannot make", async () => {
    program(login("length: 3, minUpper: 2, minLower: 2"));
    const rules = await pulumi("preview");
    expect(rules.code).to.not.equal(0);
    expect(rules.output).to.contain(
      "length is 3, and minLower, minUpper, minNumeric and minSpecial ask for 4 characters: set length to 4 or more",
    );

    program(`new random.RandomId("suffix", { byteLength: 4 });`);
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const kind = await pulumi(...command);
      expect(kind.code).to.not.equal(0);
      expect(kind.output)
        .to.contain("random:index/randomId:RandomId")
        .and.contain("has RandomPassword alone")
        .and.contain("https://www.pulumi.com/docs/install/");
    }
    expect(stateText()).to.not.contain("randomId");
  });

  it("shows the error of a program once, and how one ended that gave none", async () => {
    program(login(), `throw new Error("no such color");`);
    const thrown = await pulumi("preview");
    expect(thrown.code).to.not.equal(0);
    expect(thrown.output.match(/Error: no such color/g)).to.have.length(1);
    expect(thrown.output).to.not.contain("exit code");

    program(`process.exit(7);`);
    const silent = await pulumi("preview");
    expect(silent.code).to.not.equal(0);
    expect(silent.output).to.contain("the program ended with exit code 7 and gave Pulumi no error");

    program(`console.log("to stdout"); console.error("to stderr");`);
    expect((await pulumi("preview")).output)
      .to.contain("to stdout")
      .and.contain("to stderr");
  });

  it("runs policy packs, which know the stack", async () => {
    const pack = makePack(lengths(at("seen")));
    expect((await pulumi("config", "set", "host", "shop.test")).code).to.equal(0);
    program(login());
    const refused = await pulumi("up", "--yes", "--skip-preview", "--policy-pack", pack);
    expect(refused.code).to.not.equal(0);
    expect(refused.output).to.contain("long-passwords").and.contain("The password has 20 characters.");
    expect(readFileSync(at("seen"), "utf8")).to.equal("test,shop,shop.test");
    expect(stored()).to.equal(false);

    program(login("length: 24"));
    const passed = await pulumi(
      "up",
      "--yes",
      "--skip-preview",
      "--policy-pack",
      pack,
      "--policy-pack",
      join(repositoryDir, "policy"),
    );
    expect(passed.code, passed.output).to.equal(0);
    expect(passed.output).to.contain("lengths@v1.0.0").and.contain("bluegreen@v");
  });

  it("says of a policy pack that does not start why", async () => {
    program(login());
    const { code, output } = await pulumi(
      "preview",
      "--policy-pack",
      makePack(`throw new Error("no such rule");`),
    );
    expect(code).to.not.equal(0);
    expect(output).to.contain("no such rule").and.contain("policy pack not started");
  });

  it("finishes what it makes when it is interrupted, and ends the program", async () => {
    program(slow);
    const update = start("up", "--yes", "--skip-preview");
    await until(() => existsSync(at("begun")));
    const pid = Number(readFileSync(at("program"), "utf8"));
    update.interrupt();
    await until(() => update.output().includes("^C received"));
    await until(async () => !(await processes()).includes(pid));
    writeFileSync(at("let"), "");
    const { code, output } = await update.ended;
    expect(code).to.not.equal(0);
    expect(output).to.not.contain("exit code");
    const { deployment } = await exported();
    expect(deployment.pending_operations ?? []).to.deep.equal([]);
    expect(deployment.resources.map(({ id }) => id)).to.include("slow");
    expect(await up()).to.match(/2 unchanged/);
  });

  it("leaves no process behind when it is interrupted twice", async () => {
    program(slow);
    const update = start("up", "--yes", "--skip-preview");
    await until(() => existsSync(at("begun")));
    update.interrupt();
    await until(() => update.output().includes("^C received"));
    update.interrupt();
    expect((await update.ended).code).to.not.equal(0);
    expect(await processes()).to.deep.equal([]);
    const { deployment } = await exported();
    expect(deployment.pending_operations).to.have.length(1);
  });

  it("leaves no process behind when it is killed", async () => {
    const pack = makePack(lengths(at("seen")));
    program(
      login("length: 24"),
      slow,
      `process.on("SIGINT", () => undefined); setInterval(() => undefined, 1000);`,
    );
    const update = start("up", "--yes", "--skip-preview", "--policy-pack", pack);
    await until(() => existsSync(at("begun")) && existsSync(at("seen")));
    // CLI, language host, program, policy pack, random and dynamic provider.
    expect((await processes()).length).to.be.at.least(6);
    update.kill();
    await update.ended;
    await until(async () => (await processes()).length === 0);
    // The provider did not continue: nobody let it.
    expect(existsSync(at("let"))).to.equal(false);
    expect((await pulumi("cancel", "--yes")).code).to.equal(0);
  });
});
