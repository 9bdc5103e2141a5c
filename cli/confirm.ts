import { createInterface } from "node:readline/promises";
import { UserError } from "@bluegreen/release/util/userError";

export interface Asking {
  /** Not with --json: output is for a program then. */
  mayAsk: boolean;
  /** The command that does not ask. */
  next: string;
}

/** @throws UserError unless somebody says yes */
export async function confirm(question: string, { mayAsk, next }: Asking): Promise<void> {
  const refuse = (rule: string) =>
    new UserError({ code: "BG-NOT-CONFIRMED", what: "Nothing was changed", rule, next });
  if (!mayAsk || !process.stdin.isTTY)
    throw refuse("there is nobody to ask: input is no terminal, or --json was given");
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`${question} [y/N] `).finally(() => {
    prompt.close();
  });
  if (!/^y(es)?$/i.test(answer.trim())) throw refuse(`the answer was ${JSON.stringify(answer)}`);
}
