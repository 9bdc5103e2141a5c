import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import type { ReleaseStatus } from "@bluegreen/release/releases/status";
import { repositoryDir } from "../../local/paths";
import { makeStack, type TestStack } from "../support/testStack";

type Shown = ReleaseStatus & { attention: string[] };

/** A release as somebody does it who types nothing but `bluegreen`. */
describe("A release from the command line, on a real cluster", function () {
  this.timeout(240_000);
  let test: TestStack;
  before(async () => {
    test = await makeStack([
      { tag: "v1", release: "v1", fault: "none" },
      { tag: "v2", release: "v2", fault: "none" },
    ]);
    console.log(`      engine: ${test.engine.name}`);
    await test.set({ activeColor: "blue", blueTag: "v1", schemaVersion: "0001" });
  });
  after(() => test.remove());

  const start = (...args: string[]) => spawn(process.execPath, [join(repositoryDir, "cli/bluegreen.mjs"), ...args, "--stack", test.name], { cwd: repositoryDir, env: { ...process.env, ...test.env }, stdio: ["ignore", "pipe", "pipe"] });
  const bluegreen = async (...args: string[]) => {
    const child = start(...args);
    const [out, all]: [string[], string[]] = [[], []];
    child.stdout.setEncoding("utf8").on("data", (text: string) => { out.push(text); all.push(text); });
    child.stderr.setEncoding("utf8").on("data", (text: string) => all.push(text));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out: out.join(""), said: all.join("") };
  };
  const status = async () => {
    const { code, out, said } = await bluegreen("status", "--json");
    expect(out, said).not.to.equal("");
    return { code, ...(JSON.parse(out) as Shown) };
  };

  it("tells where it stands: before the first one, and after it", async () => {
    expect((await status()).live).to.equal(null);
    await test.stack.up();
    const { code, live, colors, schema, rollback, attention } = await status();
    expect({ code, live, attention }).to.deep.equal({ code: 0, live: "blue", attention: [] });
    expect(colors.map(({ color, role, ready, users }) => `${color} ${role} ${ready} ${users}`)).to.deep.equal(["blue live 2 100", "green off 0 0"]);
    expect(schema).to.include({ version: "0001" });
    expect(rollback.possible).to.equal(false);
  });
});
