import * as errors from "@pulumi/pulumi/automation/errors.js";
import { expect } from "chai";
import type { ErrorCode } from "@bluegreen/release/util/errorCodes";
import { UserError } from "@bluegreen/release/util/userError";
import { failsWith } from "../support/failsWith";
import { pulumiError } from "../../cli/pulumi/pulumiError";

interface CommandResult {
  stdout: string;
  stderr: string;
  code: number;
  err: Error & { stderr: string };
}

/** What the Automation API makes of a process that has failed. */
const { createCommandError } = errors as unknown as { createCommandError: (result: CommandResult) => Error };

function failed(stderr: string): Error {
  const message = `Command failed with exit code 255: pulumi config set key hunter2\n${stderr}`;
  return createCommandError({
    stdout: "",
    stderr: message,
    code: -2,
    err: Object.assign(new Error(message), { stderr }),
  });
}

describe("What keeps Pulumi from something", () => {
  const saying = (code: ErrorCode, error: unknown) =>
    failsWith(code, () => {
      throw pulumiError(error, {
        stack: "production",
        what: "The update has done nothing",
        next: "pulumi up",
      });
    });

  it("is a lock, in a folder as in Pulumi Cloud: wait, or give it up", async () => {
    for (const text of [
      "error: the stack is currently locked by 1 lock(s). Either wait",
      "error: [409] Conflict: Another update is currently in progress.",
    ])
      expect(await saying("BG-STACK-LOCKED", failed(text)))
        .to.contain("The update has done nothing\n")
        .and.contain("pulumi cancel --yes --stack production");
  });

  it("is a stack that there is not, with what shows and what makes one", async () => {
    expect(await saying("BG-STACK-NOT-FOUND", failed("error: no stack named 'production' found"))).to.contain(
      "pulumi stack init production",
    );
  });

  it("is told in its own words otherwise, without arguments and passwords", async () => {
    expect(
      await saying("BG-PULUMI-FAILED", failed("error: no answer from postgres://ada:hunter2@db/states\n")),
    ).to.equal(
      "The update has done nothing\n  why:  no answer from postgres://ada:[secret]@db/states\n  next: pulumi up\n  code: BG-PULUMI-FAILED",
    );
  });

  it("is told as it is where it says already what to do", async () => {
    const error = new UserError({
      code: "BG-PULUMI-NOT-FOUND",
      what: "Pulumi was not found",
      rule: "why",
      next: "install it",
    });
    expect(await saying("BG-PULUMI-NOT-FOUND", error)).to.equal(error.message);
  });
});
