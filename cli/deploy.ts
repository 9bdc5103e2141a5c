import { Command } from "commander";
import { applyChange } from "./change";
import { colorsNow, tagConfig } from "./colorsNow";
import { exitCodes } from "./exitCodes";
import { print } from "./print";
import { stackOption } from "./stackOption";
import { switchTraffic } from "./switch";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  switch: boolean;
  yes: boolean;
}

const help = `
Shows the plan of this tag on the idle color, asks, sets it in config, and runs the update:
migrations, then the pods, then the smoke tests. Traffic stays where it is, also when config names the other color as the
active one, as it does after a rollback by the analysis. A version that is live already is not deployed again.

Examples:
  ${bluegreen} deploy v1.3.0
  ${bluegreen} deploy v1.3.0 --switch --yes

Exit codes: 0 it runs (with --switch: traffic is there), 1 an update failed, and says where traffic is, 2 nothing was changed.`;

export function deployCommand(): Command {
  return new Command("deploy")
    .description("Brings a version to the idle color, through its gates.")
    .argument("<tag>", "of the image")
    .option("--switch", "then move traffic there", false)
    .addOption(stackOption())
    .option("--yes", "do not ask", false)
    .addHelpText("after", help)
    .action(run);
}

async function run(tag: string, { stack, switch: andSwitch, yes }: Options): Promise<void> {
  const { live, idle, tags, activeColor } = await colorsNow(stack);
  if (tags[live] === tag) {
    print(`Version ${tag} is live already, on ${live}: nothing is deployed.`);
    return;
  }
  const stays = activeColor === live ? {} : { activeColor: live };
  const code = await applyChange({
    stack,
    what: `The deploy of ${tag} to ${idle}`,
    config: { ...stays, ...tagConfig(idle, tag) },
    undo: tagConfig(idle, tags[idle]),
    question: yes ? undefined : `Bring ${tag} to ${idle}? Traffic stays on ${live}.`,
  });
  process.exitCode = code === exitCodes.clean && andSwitch ? await switchTraffic(idle, { stack, yes }) : code;
}
