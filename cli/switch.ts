import { Argument, Command } from "commander";
import { colors, type Color } from "@bluegreen/release";
import { applyChange } from "./change";
import { colorsNow, colorWith } from "./colorsNow";
import { exitCodes } from "./exitCodes";
import { stackOption } from "./stackOption";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  yes: boolean;
  /** What traffic is to get. */
  tag?: string;
}

const help = `
Shows the plan, asks, sets activeColor in config, and runs the update: all gates, then traffic, then the analysis.
Without a color it goes to the one that is idle; typed again, back again. With --tag it goes to the color
that has this version, and nowhere else: nothing is done where it is live already. Ctrl-C before the update leaves config as it was; in the
update it ends what is under way, and says where traffic is.

Examples:
  ${bluegreen} switch
  ${bluegreen} switch green --yes
  ${bluegreen} switch --tag v1.3.0 --yes

Exit codes: 0 traffic is there, 1 the update failed, and says where traffic is, 2 nothing was changed.`;

export function switchCommand(): Command {
  return new Command("switch")
    .description("Moves all traffic to the other color, through all gates.")
    .addArgument(new Argument("[color]", "where traffic goes").choices(colors))
    .option("--tag <tag>", "only to the color that has this version")
    .addOption(stackOption())
    .option("--yes", "do not ask", false)
    .addHelpText("after", help)
    .action(run);
}

async function run(color: Color | undefined, { stack, yes, tag }: Options): Promise<void> {
  process.exitCode = await switchTraffic(color, { stack, yes, ...(tag !== undefined && { tag }) });
}

/** @returns the exit code */
export async function switchTraffic(color: Color | undefined, { stack, yes, tag }: Options): Promise<number> {
  const now = await colorsNow(stack);
  const { live, idle, activeColor } = now;
  const to = tag === undefined ? (color ?? idle) : colorWith(tag, color, now);
  if (live === to && activeColor === to) {
    console.log(`Traffic is on ${to} already, and config says so.`);
    return exitCodes.clean;
  }
  return applyChange({
    stack,
    what: `The switch to ${to}`,
    config: { activeColor: to },
    undo: { activeColor: live },
    question: yes ? undefined : `Traffic is on ${live}. Move it to ${to}?`,
  });
}
