import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";

describe("What the analysis controller is made of", () => {
  it("can run no command: nothing in it reaches the module that does", () => {
    const folder = mkdtempSync(join(tmpdir(), "bg-controller-"));
    try {
      const file = join(folder, "controller.cjs");
      execFileSync(process.execPath, [join(repositoryDir, "controller", "build.mjs"), file]);
      const loaded = [
        ...readFileSync(file, "utf8").matchAll(/(?:require|import)\(\s*["'`](?:node:)?([\w/]+)["'`]\s*\)/g),
      ]
        .map(([, name = ""]) => name)
        .filter((name) => builtinModules.includes(name));
      expect(loaded).to.include("net").and.not.include("child_process").and.not.include("cluster");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
