import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { stacksHere } from "./stackConfig";
import { bluegreenPiped } from "@bluegreen/release/util/bluegreenCommand";

const help = `
Examples:
  source <(${bluegreenPiped} completion bash)
  ${bluegreenPiped} completion fish > ~/.config/fish/completions/bluegreen.fish

It completes a command called bluegreen: docs/reference/cli.md#completion says how to have one.`;

/**
 * `completion`, for shells: commands, options and colors as they are declared, and the stacks of this folder.
 */
export function addCompletion(program: Command): void {
  const known = tab(program, { completionCommandName: "completion" });
  for (const { options } of known.commands.values()) {
    const stack = options.get("stack");
    if (stack === undefined) continue;
    stack.handler = (complete) => {
      for (const name of stacksHere()) complete(name, "");
    };
  }
  program.commands
    .find((command) => command.name() === "completion")
    ?.description("Prints what a shell needs to complete commands.")
    .addHelpText("after", help);
}
