import * as errors from "@pulumi/pulumi/automation/errors.js";
import { expect } from "chai";
import { Refusal } from "@bluegreen/release/refusal";
import { pulumiRefusal } from "../../cli/pulumi/refusal";

interface CommandResult { stdout: string; stderr: string; code: number; err: Error & { stderr: string } }

/** What the Automation API makes of a process that has failed. */
const { createCommandError } = errors as unknown as { createCommandError: (result: CommandResult) => Error };

function failed(stderr: string): Error {
  const message = `Command failed with exit code 255: pulumi config set key hunter2\n${stderr}`;
  return createCommandError({ stdout: "", stderr: message, code: -2, err: Object.assign(new Error(message), { stderr }) });
}

describe("What keeps Pulumi from something", () => {
  const saying = (error: unknown) => pulumiRefusal(error, { stack: "production", what: "The update has done nothing", next: "pulumi up" }).message;
  const said = (why: string, next: string) => `The update has done nothing\n  why:  ${why}\n  next: ${next}`;
  const locked = "stack production is locked by another update, or by one that was killed";

  it("is a lock, in a folder as in Pulumi Cloud: wait, or give it up", () => {
    for (const text of ["error: the stack is currently locked by 1 lock(s). Either wait", "error: [409] Conflict: Another update is currently in progress."]) {
      expect(saying(failed(text))).to.equal(said(locked, "wait for its end; if it was killed, pulumi cancel --yes --stack production, then the same command again"));
    }
  });

  it("is a stack that there is not, with what shows and what makes one", () => {
    expect(saying(failed("error: no stack named 'production' found"))).to.contain("there is no stack production in Pulumi's backend").and.contain("pulumi stack init production");
  });

  it("is told in its own words otherwise, without arguments and passwords", () => {
    expect(saying(failed("error: no answer from postgres://ada:hunter2@db/states\n"))).to.equal(said("no answer from postgres://ada:[secret]@db/states", "pulumi up"));
  });

  it("is told as it is where it says already what to do", () => {
    expect(saying(new Refusal({ what: "Pulumi was not found", rule: "why", next: "install it" }))).to.equal("Pulumi was not found\n  why:  why\n  next: install it");
  });
});
