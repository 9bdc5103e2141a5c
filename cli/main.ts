/** `bluegreen`: the releases of an app, from a command line. */
import { CommanderError } from "commander";
import { errorCodeOf, messageOf } from "@bluegreen/release/util/userError";
import { bluegreen } from "./commands";
import { exitCodes } from "./exitCodes";
import { jsonText } from "./print";

const program = bluegreen(process.argv[2]);
for (const command of [program, ...program.commands.flatMap((each) => [each, ...each.commands])])
  command.exitOverride();

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    // It has said what is wrong, or shown the help that was asked for.
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
    return;
  }
  const message = messageOf(error);
  console.error(message);
  if (process.argv.includes("--json"))
    console.log(jsonText({ error: { code: errorCodeOf(error), message } }, 2));
  process.exitCode = exitCodes.usage;
});
