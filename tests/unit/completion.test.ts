import { spawnSync } from "node:child_process";
import { expect } from "chai";

describe("Completion in a shell", function () {
  // Each starts the whole command line.
  const bluegreen = (...args: string[]) =>
    spawnSync(process.execPath, ["cli/bluegreen.mjs", ...args], { encoding: "utf8" });
  const completed = (...words: string[]) =>
    bluegreen("complete", "--", ...words)
      .stdout.split("\n")
      .map((line) => line.split("\t")[0]);

  it("knows commands, options, colors, and the stacks of the folder", () => {
    expect(completed("roll")).to.include("rollback");
    expect(completed("status", "--")).to.include.members(["--stack", "--watch", "--json"]);
    expect(completed("switch", "gr")).to.include("green").and.not.to.include("blue");
    expect(completed("status", "--stack", "prod")).to.include("production");
  });

  it("prints a script that the shell can read", () => {
    const script = bluegreen("completion", "bash").stdout;
    expect(spawnSync("bash", ["-n"], { input: script, encoding: "utf8" }), script).to.include({
      status: 0,
      stderr: "",
    });
    expect(script).to.contain("complete -F __bluegreen_complete bluegreen");
  });

  it("refuses a shell that it does not know, and names those that it does", () => {
    const { status, stderr } = bluegreen("completion", "tcsh");
    expect(status).to.equal(2);
    expect(stderr).to.match(/Allowed choices are zsh, bash, fish, powershell/);
  });
});
