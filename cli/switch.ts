import { Argument, Command } from "commander";
import { colors, type Color } from "@bluegreen/release";
import { applyChange } from "./change";
import { colorsNow, colorWith } from "./colorsNow";
import { exitCodes } from "./exitCodes";
import { stackOption } from "./stackOption";

interface Options {
  stack: string;
  yes: boolean;
  /** What users are to have. */
  tag?: string;
}

const help = `
Shows the plan, asks, sets activeColor in config, and runs the update: all gates, then users, then the watch.
Without a color it goes to the one that is idle; typed again, back again. With --tag it goes to the color
that has this version, and nowhere else: nothing is done where users have it already. Ctrl-C before the update leaves config as it was; in the
update it ends what is under way, and says where users are.

Examples:
  npm run bluegreen -- switch
  npm run bluegreen -- switch green --yes
  npm run bluegreen -- switch --tag v1.3.0 --yes

Exit codes: 0 users are there, 1 the update failed, and says where users are, 2 nothing was changed.`;

export function switchCommand(): Command {
  return new Command("switch")
    .description("Moves all users to the other color, through all gates.")
    .addArgument(new Argument("[color]", "where users go").choices(colors))
    .option("--tag <tag>", "only to the color that has this version")
    .addOption(stackOption())
    .option("--yes", "do not ask", false)
    .addHelpText("after", help)
    .action(run);
}

async function run(color: Color | undefined, { stack, yes, tag }: Options): Promise<void> {
  process.exitCode = await switchUsers(color, { stack, yes, ...(tag !== undefined && { tag }) });
}

/** @returns the exit code */
export async function switchUsers(color: Color | undefined, { stack, yes, tag }: Options): Promise<number> {
  const now = await colorsNow(stack);
  const { live, idle, activeColor } = now;
  const to = tag === undefined ? (color ?? idle) : colorWith(tag, color, now);
  if (live === to && activeColor === to) {
    console.log(`Users are on ${to} already, and config says so.`);
    return exitCodes.clean;
  }
  return applyChange({ stack, what: `The switch to ${to}`, config: { activeColor: to }, undo: { activeColor: live }, question: yes ? undefined : `Users are on ${live}. Take them to ${to}?` });
}
