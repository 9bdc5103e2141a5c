import { Command } from "commander";
import { applyChange } from "./change";
import { colorsNow, tagConfig } from "./colorsNow";
import { exitCodes } from "./exitCodes";
import { print } from "./print";
import { stackOption } from "./stackOption";
import { switchUsers } from "./switch";

interface Options {
  stack: string;
  switch: boolean;
  yes: boolean;
}

const help = `
Shows the plan of this tag on whichever color has no users, asks, sets it in config, and runs the update:
migrations, then the pods, then the smoke tests. Users stay where they are, also when config names the other color as the
active one, as it does after a rollback by the watch. A version that users have already is not deployed again.

Examples:
  npm run bluegreen -- deploy v1.3.0
  npm run bluegreen -- deploy v1.3.0 --switch --yes

Exit codes: 0 it runs (with --switch: users are there), 1 an update failed, and says where users are, 2 nothing was changed.`;

export function deployCommand(): Command {
  return new Command("deploy")
    .description("Brings a version to the color that has no users, through its gates.")
    .argument("<tag>", "of the image")
    .option("--switch", "then move users there", false)
    .addOption(stackOption())
    .option("--yes", "do not ask", false)
    .addHelpText("after", help)
    .action(run);
}

async function run(tag: string, { stack, switch: andSwitch, yes }: Options): Promise<void> {
  const { live, idle, tags, activeColor } = await colorsNow(stack);
  if (tags[live] === tag) {
    print(`Users have ${tag} already, on ${live}: nothing is deployed.`);
    return;
  }
  const stays = activeColor === live ? {} : { activeColor: live };
  const code = await applyChange({
    stack,
    what: `The deploy of ${tag} to ${idle}`,
    config: { ...stays, ...tagConfig(idle, tag) },
    undo: tagConfig(idle, tags[idle]),
    question: yes ? undefined : `Bring ${tag} to ${idle}? Users stay on ${live}.`,
  });
  process.exitCode = code === exitCodes.clean && andSwitch ? await switchUsers(idle, { stack, yes }) : code;
}
