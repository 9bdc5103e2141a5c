import { Command, InvalidArgumentError } from "commander";
import type { DashboardOptions } from "./dashboard/run";
import { stackOption } from "./stackOption";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

const help = `
Serves on 127.0.0.1 alone, and prints an address with a token of this run: open it in a browser. The page
shows a switch as it happens, and asks before it does anything. Ctrl-C ends it: what was started from the
page is told to end, as Ctrl-C does on the command line, and its end is waited for.

Examples:
  ${bluegreen} dashboard
  ${bluegreen} dashboard --port 8123

Exit codes: 0 ended by Ctrl-C, 1 and what was started from the page did not end well, 2 it could not start.`;

export function dashboardCommand(): Command {
  return (
    new Command("dashboard")
      .description(
        "Serves a page on this machine: both colors side by side, live, with buttons to switch and to roll back.",
      )
      .addOption(stackOption())
      .option("--port <number>", "of this machine; 0 takes a free one", portNumber, 0)
      .addHelpText("after", help)
      // Loaded only then: what draws and bundles pages would make every other command slower, a rollback at
      // night among them.
      .action((options: DashboardOptions) =>
        (require("./dashboard/run") as typeof import("./dashboard/run")).runDashboard(options),
      )
  );
}

function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
  return value;
}
