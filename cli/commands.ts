import { Command } from "commander";
import { clearMarkCommand } from "./clearMark";
import { addCompletion } from "./completion";
import { dashboardCommand } from "./dashboard";
import { deployCommand } from "./deploy";
import { doctorCommand } from "./doctor";
import { historyCommand } from "./history";
import { initCommand } from "./init";
import { lintCommand } from "./lint";
import { migrationsCommand } from "./migrations";
import { planCommand } from "./plan";
import { reportCommand } from "./report";
import { retireCommand } from "./retire";
import { rollbackCommand } from "./rollback";
import { shiftCommand } from "./shift";
import { smokeCommand } from "./smoke";
import { chooseStack } from "./stackOption";
import { releaseStatusCommand } from "./status";
import { switchCommand } from "./switch";

/** All of it, as it is typed. */
export function bluegreen(): Command {
  const program = new Command("bluegreen").description("Releases a web app in two colors.");
  for (const command of allCommands()) program.addCommand(command);
  program.hook("preAction", (_program, command) => chooseStack(command));
  addCompletion(program);
  return program;
}

/** In the order of --help: what is needed at night comes first, then the way of a release. */
function allCommands(): Command[] {
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
    initCommand(),
    doctorCommand(),
    lintCommand(),
    migrationsCommand(),
  ];
}
