import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { errorCodes } from "@bluegreen/release/util/errorCodes";
import { errorCodeOf, UserError } from "@bluegreen/release/util/userError";
import { errorsFile, errorsText } from "../../docs/errorsText";
import { repositoryDir } from "../../local/paths";

const codes = Object.keys(errorCodes);
const sources = ["bench", "cli", "components", "local", "policy", "release/src", "controller"].flatMap(
  (folder) =>
    globSync(`${folder}/**/*.ts`, { exclude: (path) => /node_modules|dist|errorCodes\.ts$/.test(path) }),
);

describe("The codes of errors", () => {
  it("are each used by some error, and listed by their alphabet", () => {
    const used = new Set(
      sources.flatMap((file) => readFileSync(file, "utf8").match(/(?<=code: ")BG-[A-Z-]+(?=")/g) ?? []),
    );
    expect(sources).not.to.be.empty;
    expect(codes.filter((code) => !used.has(code))).to.deep.equal([]);
    expect(codes).to.deep.equal([...codes].sort());
  });

  it("stand on the reference page, with cause and remedy in whole sentences", () => {
    expect(readFileSync(errorsFile, "utf8"), "run: npm run docs").to.equal(errorsText());
    for (const [code, { cause, remedy }] of Object.entries(errorCodes)) {
      expect(code).to.match(/^BG(?:-[A-Z]+)+$/);
      expect(`${cause} ${remedy}`, code).to.match(/^[A-Z`][^]*[.:)] [A-Z][^]*[.)]$/);
    }
  });

  it("are the last line of a message, and a field for programs", () => {
    const error = new UserError({ code: "BG-LOCK-HELD", what: "No", rule: "another has it", next: "wait" });
    expect([error.code, error.message]).to.deep.equal([
      "BG-LOCK-HELD",
      "No\n  why:  another has it\n  next: wait\n  code: BG-LOCK-HELD",
    ]);
    expect(errorCodeOf(new Error("more is said", { cause: error }))).to.equal("BG-LOCK-HELD");
    expect(errorCodeOf(new Error("nobody's mistake"))).to.equal(undefined);
  });

  it("are in the JSON of a command that fails, and only where JSON was asked for", function () {
    // It builds what commands load, where that is not there.
    const status = (...args: string[]) =>
      spawnSync(
        process.execPath,
        [join(repositoryDir, "cli/bluegreen.mjs"), "status", "--stack", "nobody", ...args],
        { encoding: "utf8", cwd: repositoryDir },
      );
    const { status: exit, stdout, stderr } = status("--json");
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    expect([exit, error.code]).to.deep.equal([2, "BG-STACK-NOT-FOUND"]);
    expect(stderr).to.contain(error.message);
    expect([status().status, status().stdout]).to.deep.equal([2, ""]);
  });
});
