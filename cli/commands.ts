import { Command } from "commander";
import { addCompletion } from "./completion";
import { chooseStack } from "./stackOption";

/** In the order of --help: what is needed at night comes first, then the way of a release. */
const commands = {
  rollback: () => (require("./rollback") as typeof import("./rollback")).rollbackCommand(),
  status: () => (require("./status") as typeof import("./status")).releaseStatusCommand(),
  dashboard: () => (require("./dashboard") as typeof import("./dashboard")).dashboardCommand(),
  plan: () => (require("./plan") as typeof import("./plan")).planCommand(),
  deploy: () => (require("./deploy") as typeof import("./deploy")).deployCommand(),
  smoke: () => (require("./smoke") as typeof import("./smoke")).smokeCommand(),
  switch: () => (require("./switch") as typeof import("./switch")).switchCommand(),
  shift: () => (require("./shift") as typeof import("./shift")).shiftCommand(),
  "scale-down": () => (require("./scaleDown") as typeof import("./scaleDown")).scaleDownCommand(),
  history: () => (require("./history") as typeof import("./history")).historyCommand(),
  report: () => (require("./report") as typeof import("./report")).reportCommand(),
  unblock: () => (require("./unblock") as typeof import("./unblock")).unblockCommand(),
  init: () => (require("./init") as typeof import("./init")).initCommand(),
  doctor: () => (require("./doctor") as typeof import("./doctor")).doctorCommand(),
  lint: () => (require("./lint") as typeof import("./lint")).lintCommand(),
  migrations: () => (require("./migrations") as typeof import("./migrations")).migrationsCommand(),
};

/**
 * All of it, as it is typed.
 * @param typed the command that runs: it does not wait for what the others load. @default all of them
 */
export function bluegreen(typed = ""): Command {
  const program = new Command("bluegreen").description("Releases a web app in two colors.");
  const wanted = Object.hasOwn(commands, typed)
    ? [commands[typed as keyof typeof commands]]
    : Object.values(commands);
  for (const load of wanted) program.addCommand(load());
  program.hook("preAction", (_program, command) => chooseStack(command));
  if (wanted.length > 1) addCompletion(program);
  return program;
}
