import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Command } from "commander";
import { failsWith } from "../support/failsWith";
import { chooseStack, shortest, stackOption } from "../../cli/stackOption";

/** What a command that is about a stack, or about none, is run with. */
async function runWith(args: string[], isAboutStack = true): Promise<unknown> {
  let given: unknown;
  const command = new Command("status").action((options: { stack?: string }) => {
    given = options.stack;
  });
  if (isAboutStack) command.addOption(stackOption());
  await new Command()
    .addCommand(command)
    .hook("preAction", (_program, each) => chooseStack(each))
    .parseAsync(["status", ...args], { from: "user" });
  return given;
}

describe("The stack of a command", () => {
  const { PULUMI_STACK, PATH } = process.env;
  let empty: string;
  before(() => {
    empty = mkdtempSync(join(tmpdir(), "no-pulumi-"));
  });
  beforeEach(() => {
    // Whatever asks Pulumi fails here.
    process.env["PATH"] = empty;
    process.env["PULUMI_STACK"] = "";
  });
  after(() => {
    rmSync(empty, { recursive: true });
    process.env["PATH"] = PATH;
    delete process.env["PULUMI_STACK"];
    if (PULUMI_STACK !== undefined) process.env["PULUMI_STACK"] = PULUMI_STACK;
  });

  it("is the one that is given, and Pulumi is not asked", async () => {
    process.env["PULUMI_STACK"] = "staging";
    expect(await runWith(["--stack", "acme/production"])).to.equal("acme/production");
  });

  it("is the environment's where none is given, as for Pulumi itself", async () => {
    process.env["PULUMI_STACK"] = "staging";
    expect(await runWith([])).to.equal("staging");
  });

  it("is Pulumi's otherwise, without which the command ends with what to type", async () => {
    expect(await failsWith("BG-PULUMI-NOT-FOUND", () => runWith([]))).to.contain(
      "there is no pulumi on PATH",
    );
  });

  it("is none of a command that is about none", async () => {
    expect(await runWith([], false)).to.equal(undefined);
  });

  it("is called as one types it in the folder of its project", () => {
    const names = {
      "organization/shop/production": "production",
      "acme/shop/production": "acme/production",
      "acme/other/production": "acme/other/production",
      "production\n": "production",
    };
    expect(Object.keys(names).map((name) => shortest(name, "shop"))).to.deep.equal(Object.values(names));
  });
});
