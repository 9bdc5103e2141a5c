import { expect } from "chai";
import type { ErrorCode } from "@bluegreen/release/util/errorCodes";
import { UserError } from "@bluegreen/release/util/userError";

/** Expects the user error of a code. @returns its text, for the facts in it. @throws whatever else it was */
export async function failsWith(code: ErrorCode, work: () => unknown, about = ""): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.code, `${about} ${error.message}`).to.equal(code);
    return error.message;
  }
  throw new Error(`it succeeded ${about}`);
}
