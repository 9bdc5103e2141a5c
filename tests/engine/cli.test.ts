import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { findPulumi } from "../../local/engine/engine";
import { typescript } from "../../local/paths";
import { THINGS } from "./things";
import { makeWorkspace, type Workspace } from "./workspace";

const CLI = resolve(__dirname, "../../local/engine/cli.ts");

/** PATH without any pulumi, so that the stand-in is what runs. */
const PATH = [dirname(process.execPath), ...(process.env["PATH"] ?? "").split(delimiter)]
  .filter((folder) => findPulumi(folder) === undefined)
  .join(delimiter);

describe("the stand-in's command line", function () {
  this.timeout(240_000);
  let w: Workspace;
  before(async () => {
    w = await makeWorkspace({ config: "config:\n  value:\n    type: string\n    default: x\n  token:\n    type: string\n    secret: true\n  shape:\n    type: object\n    default: {}\n" });
    mkdirSync(join(w.directory, "world"));
    w.program(`${THINGS}
      const config = new pulumi.Config();
      new Thing("a", { value: config.require("value"), token: config.requireSecret("token") });
      export const value = config.require("value"); export const token = config.requireSecret("token"); export const shape = config.requireSecretObject("shape");`);
  });
  after(() => {
    w.remove();
  });

  const pulumi = async (args: string[], input = ""): Promise<{ code: number | null; out: string; err: string }> => {
    const child = spawn(process.execPath, ["-r", typescript, CLI, ...args], {
      cwd: w.directory,
      env: { ...process.env, ...w.env, PATH },
    });
    child.stdin.end(input);
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    return { code: child.exitCode, out, err };
  };

  it("goes from a new stack to its outputs, saying that it is a stand-in", async () => {
    expect((await pulumi(["preview"])).err).to.contain("no stack selected").and.contain("stack select");
    expect((await pulumi(["stack", "init", "dev"])).code).to.equal(0);
    expect((await pulumi(["preview"])).err).to.contain("missing configuration value 'token'").and.contain("config set token");
    expect((await pulumi(["config", "set", "tokn", "x"])).err).to.contain("'tokn' is not declared in Pulumi.yaml; it declares: value, token, shape");
    expect((await pulumi(["config", "set", "token", "x"])).err).to.contain("config set --secret token");
    expect((await pulumi(["config", "set", "--secret", "token"], "hunter2\n")).code).to.equal(0);
    expect((await pulumi(["config", "set", "value", "y"])).code).to.equal(0);
    const list = await pulumi(["config", "ls"]);
    expect(list.out).to.match(/^token +\[secret\]$/m).and.match(/^value +y$/m);
    expect((await pulumi(["config", "get", "token"])).out).to.equal("hunter2\n");

    expect((await pulumi(["config", "set", "--path", "shape.size", "3"])).code).to.equal(0);
    expect((await pulumi(["config", "set", "--path", "shape.old", "x"])).code).to.equal(0);
    expect((await pulumi(["config", "rm", "--path", "shape.old"])).code).to.equal(0);
    expect((await pulumi(["config", "set", "--secret", "--path", "shape.inner.PIN"], "0042\n")).code).to.equal(0);
    expect((await pulumi(["config", "get", "shape"])).out).to.equal('{"size":3,"inner":{"PIN":"0042"}}\n');
    expect((await pulumi(["config", "ls"])).out).to.match(/^shape +\[secret\]$/m);
    expect((await pulumi(["config", "set", "--path", "value.part", "x"])).err).to.contain("'value' is no structure").and.contain("config rm value");

    const refused = await pulumi(["up"]);
    expect(refused.code).to.not.equal(0);
    expect(refused.err).to.contain("--yes must be passed in non-interactive mode");
    const up = await pulumi(["up", "--yes"]);
    expect(up.err).to.equal("");
    expect(up.out).to.contain("stand-in engine: no pulumi CLI on PATH").and.contain("+  pulumi-nodejs:dynamic:Resource  a  created (");
    expect(up.out).to.match(/Outputs:\n {4}shape {2}\[secret\]\n {4}token {2}\[secret\]\n {4}value {2}y/).and.not.contain("hunter2");

    const preview = JSON.parse((await pulumi(["preview", "--json"])).out) as { changeSummary: unknown };
    expect(preview.changeSummary).to.deep.equal({ same: 2 });
    expect((await pulumi(["stack", "output", "token"])).out).to.equal("hunter2\n");
    expect(JSON.parse((await pulumi(["stack", "output", "--json"])).out)).to.deep.equal({ shape: "[secret]", token: "[secret]", value: "y" });
    expect((await pulumi(["stack", "export"])).out).to.contain('"version": 3').and.not.contain("hunter2");
    expect((await pulumi(["stack", "ls"])).out).to.equal("dev*\ntest\n");
    expect((await pulumi(["stack", "rm", "dev"])).err).to.contain("destroy --stack dev");
    expect((await pulumi(["destroy", "--yes"])).code).to.equal(0);
    expect((await pulumi(["stack", "rm", "dev"])).code).to.equal(0);
  });

  it("sets parts of a structure, secret ones among others", async () => {
    const set = async (args: string[], input?: string) => {
      expect((await pulumi(["config", "set", "--stack", "test", ...args], input)).err).to.equal("");
    };
    await set(["--secret", "token"], "x");
    await set(["--path", "shape.size", "3"]);
    await set(["--path", "shape.names[0]", "x"]);
    await set(["--secret", "--path", "shape.key"], "hunter2\n");
    await set(["--path", "shape.on", "true"]);
    expect(JSON.parse((await pulumi(["config", "get", "shape", "--stack", "test"])).out)).to.deep.equal({ size: 3, names: ["x"], key: "hunter2", on: true });
    expect((await pulumi(["config", "ls", "--stack", "test"])).out).to.match(/^shape +\[secret\]$/m);
    expect(readFileSync(join(w.directory, "Pulumi.test.yaml"), "utf8")).to.contain("secure: v1:").and.not.contain("hunter2");
    expect((await pulumi(["config", "set", "--stack", "test", "--path", "shap.size", "3"])).err).to.contain("is not declared in Pulumi.yaml");
  });

  it("changes one resource with --target, and lets a protected one be deleted after state unprotect", async () => {
    w.program(`${THINGS}
      const value = new pulumi.Config().require("value");
      new Thing("a", { value }, { protect: true }); new Thing("b", { value }, { protect: true });`);
    await pulumi(["stack", "init", "prod"]);
    await pulumi(["config", "set", "--secret", "token", "--stack", "prod"], "unused");
    expect((await pulumi(["up", "--yes", "--stack", "prod"])).code).to.equal(0);
    await pulumi(["config", "set", "value", "z", "--stack", "prod"]);
    const urn = (name: string) => `urn:pulumi:prod::fixture::pulumi-nodejs:dynamic:Resource::${name}`;
    expect((await pulumi(["up", "--yes", "--stack", "prod", "--target", urn("a")])).code).to.equal(0);
    expect([w.read("world/a"), w.read("world/b")]).to.deep.equal(["z", "x"]);

    expect((await pulumi(["destroy", "--yes", "--stack", "prod"])).err).to.contain(`pulumi state unprotect '${urn("a")}'`).and.contain(urn("b"));
    expect((await pulumi(["state", "unprotect", urn("nowhere"), "--yes", "--stack", "prod"])).err).to.contain("no such resource");
    expect((await pulumi(["state", "unprotect", urn("a"), "--yes", "--stack", "prod"])).out).to.contain("1 resource(s)");
    expect((await pulumi(["destroy", "--yes", "--stack", "prod"])).err).to.contain(urn("b")).and.not.contain(urn("a"));
    expect((await pulumi(["state", "unprotect", "--all", "--yes", "--stack", "prod"])).code).to.equal(0);
    expect((await pulumi(["destroy", "--yes", "--stack", "prod"])).code).to.equal(0);
  });

  it("says what is missing and what to type", async () => {
    const { err } = await pulumi(["preview", "--stack", "nowhere"]);
    expect(err).to.contain("no stack named 'nowhere' found").and.contain("stack init nowhere");
    const saved = w.env;
    w.env = { PULUMI_BACKEND_URL: saved["PULUMI_BACKEND_URL"] ?? "" };
    expect((await pulumi(["config", "set", "--secret", "token", "--stack", "test"], "x")).err).to.contain("no passphrase").and.contain("PULUMI_CONFIG_PASSPHRASE");
    w.env = saved;
  });
});
