import { z } from "zod";
import { messageOf, UserError } from "@bluegreen/release/util/userError";
import { wordsOf } from "./ask";

export interface Failed {
  stack: string;
  /** What has not been done. */
  what: string;
  /** Where nothing better is known. */
  next: string;
}

/** What keeps Pulumi from something, for whoever typed it. */
export function pulumiError(error: unknown, { stack, what, next }: Failed): UserError {
  if (error instanceof UserError) return error;
  // By name: their classes are loaded only where something runs.
  const name = error instanceof Error ? error.name : "";
  if (name === "ConcurrentUpdateError") {
    return new UserError(
      {
        code: "BG-STACK-LOCKED",
        what,
        rule: `stack ${stack} is locked by another update, or by one that was killed`,
        next: `wait for its end; if it was killed, pulumi cancel --yes --stack ${stack}, then the same command again`,
      },
      { cause: error },
    );
  }
  if (name === "StackNotFoundError") {
    return new UserError(
      {
        code: "BG-STACK-NOT-FOUND",
        what,
        rule: `there is no stack ${stack} in Pulumi's backend`,
        next: `pulumi stack ls shows those that there are; pulumi stack init ${stack} makes it`,
      },
      { cause: error },
    );
  }
  return new UserError({ code: "BG-PULUMI-FAILED", what, rule: saidBy(error), next }, { cause: error });
}

const commandError = z.object({ commandResult: z.object({ err: z.object({ stderr: z.string().min(1) }) }) });

/** A CommandError's own message is all that is known of a process, arguments and output, twice. */
function saidBy(error: unknown): string {
  const { data } = commandError.safeParse(error);
  return data === undefined ? messageOf(error) : wordsOf(data.commandResult.err.stderr);
}
