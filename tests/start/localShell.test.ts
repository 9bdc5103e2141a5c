import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { localHome } from "../../local/start/home";
import { runLocal } from "./support";

describe("npm run bluegreen, beside a dev cluster", function () {
  const chosen = process.env["BLUEGREEN_STAGE_DIR"];
  let folder: string;
  let stack: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-shell-"));
    process.env["BLUEGREEN_STAGE_DIR"] = join(folder, "s");
    ({ stack } = localHome());
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
    if (chosen === undefined) delete process.env["BLUEGREEN_STAGE_DIR"];
    else process.env["BLUEGREEN_STAGE_DIR"] = chosen;
  });

  it("says nothing of a dev cluster that there is not", async () => {
    const { errors } = await runLocal("bluegreen.ts", ["status", "--stack", stack]);
    expect(errors).to.include(`Pulumi.${stack}.yaml`).and.not.include("dev cluster");
  });

  it("says on standard error that a command is about the dev cluster, and nothing for another stack", async () => {
    await mkdir(localHome().folder, { recursive: true });
    const local = await runLocal("bluegreen.ts", ["history", "--json"]);
    expect(local.errors).to.include(`Stack ${stack}, of the dev cluster. --stack NAME for another.`);
    expect(local.output).not.to.include("dev cluster");
    const other = await runLocal("bluegreen.ts", ["history", "--stack", "elsewhere"]);
    expect(other.errors).to.include("Pulumi.elsewhere.yaml").and.not.include("dev cluster");
  });
});
