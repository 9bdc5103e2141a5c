import type { Command } from "commander";
import { clearMarkCommand } from "./clearMark";
import { historyCommand } from "./history";
import { lintCommand } from "./lint";
import { migrationsCommand } from "./migrations";
import { rollbackCommand } from "./rollback";
import { shiftCommand } from "./shift";
import { releaseStatusCommand } from "./status";

/** In the order of --help: what is needed at night comes first. */
export function allCommands(): Command[] {
  return [rollbackCommand(), releaseStatusCommand(), shiftCommand(), historyCommand(), clearMarkCommand(), lintCommand(), migrationsCommand()];
}
