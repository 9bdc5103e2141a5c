import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";

describe("What the analysis controller is made of", () => {
  let folder: string;
  let file: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bg-controller-"));
    file = join(folder, "controller.cjs");
    execFileSync(process.execPath, [join(repositoryDir, "controller", "build.mjs"), file]);
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("can run no command: nothing in it reaches the module that does", () => {
    const loaded = [
      ...readFileSync(file, "utf8").matchAll(/(?:require|import)\(\s*["'`](?:node:)?([\w/]+)["'`]\s*\)/g),
    ]
      .map(([, name = ""]) => name)
      .filter((name) => builtinModules.includes(name));
    expect(loaded).to.include("net").and.not.include("child_process").and.not.include("cluster");
  });

  it("starts from this one file: nothing in it reads another, as the parser of SQL does", () => {
    const { stderr, status } = spawnSync(process.execPath, [file], {
      cwd: folder,
      env: {},
      encoding: "utf8",
    });
    expect(stderr).to.equal("ANALYSIS_NAMESPACE is not set: the program's Deployment sets it\n");
    expect(status).to.equal(1);
  });
});
