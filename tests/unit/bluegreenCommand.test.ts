import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { typed } from "@bluegreen/release/util/bluegreenCommand";

describe("bluegreen, as the next command of a message names it", () => {
  const folder = mkdtempSync(join(tmpdir(), "bg-typed-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("is what was typed: a script of npm's, or npx", () => {
    expect(typed({ npm_lifecycle_event: "bluegreen", npm_command: "run" }, folder)).to.equal(
      "npm run bluegreen --",
    );
    expect(typed({ npm_lifecycle_event: "npx", npm_command: "exec" }, process.cwd())).to.equal(
      "npx bluegreen",
    );
  });

  it("is, where Pulumi was typed, what the program's folder has", () => {
    expect(typed({ npm_lifecycle_event: "pulumi" }, process.cwd())).to.equal("npm run bluegreen --");
    expect(typed({}, folder)).to.equal("npx bluegreen");
    for (const text of ["{", "[]", '{"scripts":null}', '{"scripts":{"start":"node ."}}']) {
      writeFileSync(join(folder, "package.json"), text);
      expect(typed({}, folder), text).to.equal("npx bluegreen");
    }
  });
});
