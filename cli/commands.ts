import type { Command } from "commander";
import { clearMarkCommand } from "./clearMark";
import { dashboardCommand } from "./dashboard";
import { deployCommand } from "./deploy";
import { historyCommand } from "./history";
import { lintCommand } from "./lint";
import { migrationsCommand } from "./migrations";
import { planCommand } from "./plan";
import { reportCommand } from "./report";
import { retireCommand } from "./retire";
import { rollbackCommand } from "./rollback";
import { shiftCommand } from "./shift";
import { smokeCommand } from "./smoke";
import { releaseStatusCommand } from "./status";
import { switchCommand } from "./switch";

/** In the order of --help: what is needed at night comes first, then the way of a release. */
export function allCommands(): Command[] {
  return [
    rollbackCommand(),
    releaseStatusCommand(),
    dashboardCommand(),
    planCommand(),
    deployCommand(),
    smokeCommand(),
    switchCommand(),
    shiftCommand(),
    retireCommand(),
    historyCommand(),
    reportCommand(),
    clearMarkCommand(),
    lintCommand(),
    migrationsCommand(),
  ];
}
