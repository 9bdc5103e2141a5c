import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { buildActionlint } from "../../local/programs/programs";
import { repositoryDir } from "../../local/paths";

describe("The workflows, read by actionlint", function () {
  let program: string;
  before(async () => {
    program = join(await buildActionlint(() => undefined), "actionlint");
  });

  // Others' linters, where a machine happens to have them, would make it another test there.
  const lint = (...files: string[]) =>
    spawnSync(program, ["-shellcheck=", "-pyflakes=", "-no-color", ...files], {
      cwd: repositoryDir,
      encoding: "utf8",
    });

  it("have nothing that it finds", () => {
    const { status, stdout, stderr } = lint();
    expect([stdout, stderr, status]).to.deep.equal(["", "", 0]);
  });

  it("would be found out", () => {
    const folder = mkdtempSync(join(tmpdir(), "bg-workflow-"));
    try {
      const file = join(folder, "wrong.yml");
      writeFileSync(
        file,
        "on: push\njobs:\n  wrong:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ steps.nobody.outputs.it }}\n",
      );
      expect(lint(file).stdout).to.contain('property "nobody" is not defined');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
