import { Command, Option } from "commander";
import { UserError } from "@bluegreen/release";
import { standbyOf } from "@bluegreen/release/state/record";
import { applyChange } from "./change";
import { colorsNow, tagConfig } from "./colorsNow";
import { app, readStackSettings } from "./stackConfig";
import { stackOption } from "./stackOption";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  now: boolean;
  whenDue: boolean;
  yes: boolean;
}

const help = `
Shows the plan, asks, takes the tag of the idle color out of config, and runs the update: its
pods go, and with them the rollback. Refused for standbyHours after the switch that left it, unless
--now. The live color is left alone. With --when-due, for a job that runs by the clock, it is no error that
the time has not come, and a color that was not live before the last switch is left alone, too: it may
be the next release.

Examples:
  ${bluegreen} scale-down
  ${bluegreen} scale-down --when-due --yes
  ${bluegreen} scale-down --now --yes

Exit codes: 0 it is gone, or with --when-due is not to go yet, 1 the update failed, and says where traffic is, 2 nothing was changed.`;

export function scaleDownCommand(): Command {
  return new Command("scale-down")
    .description("Takes away the idle color, once no rollback needs it.")
    .addOption(stackOption())
    .addOption(new Option("--now", "although a rollback needs it").default(false).conflicts("whenDue"))
    .option("--when-due", "only the standby whose time is over", false)
    .option("--yes", "do not ask", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, now, whenDue, yes }: Options): Promise<void> {
  const { clusters, live, idle, activeColor, tags } = await colorsNow(stack);
  const tag = tags[idle];
  if (activeColor !== live)
    throw new UserError({
      code: "BG-CONFIG-NOT-LIVE",
      what: `The scale-down of ${idle} was refused`,
      rule: `traffic is on ${live}, and config makes ${activeColor} the active color`,
      next: `pulumi config set activeColor ${live} && pulumi up, then again`,
    });
  if (tag === undefined) {
    console.log(`${idle} has no tag in config: there is nothing to scale down.`);
    return;
  }
  const { standbyHours } = readStackSettings(stack, ["standbyHours"]);
  const standbys = now
    ? []
    : await Promise.all(clusters.map((cluster) => standbyOf(cluster, app, idle, standbyHours)));
  if (whenDue && standbys.includes(undefined)) {
    console.log(
      `${idle} (${tag}) is not what was live before the last switch: it stays. To take it away: ${bluegreen} scale-down`,
    );
    return;
  }
  const kept = standbys.flatMap((each) => (each?.isOver === false ? [each.until] : []));
  const until = kept.toSorted((a, b) => b.getTime() - a.getTime())[0];
  if (until !== undefined) {
    const rule = `it is what a rollback returns to until ${until.toISOString()}: standbyHours is ${standbyHours}`;
    if (!whenDue)
      throw new UserError({
        code: "BG-STANDBY-NEEDED",
        what: `The scale-down of ${idle} (${tag}) was refused`,
        rule,
        next: `wait, or give the rollback up: ${bluegreen} scale-down --now`,
      });
    console.log(`${idle} (${tag}) stays: ${rule}.`);
    return;
  }
  process.exitCode = await applyChange({
    stack,
    what: `The scale-down of ${idle}`,
    config: tagConfig(idle, undefined),
    undo: tagConfig(idle, tag),
    question: yes
      ? undefined
      : `Take ${idle} (${tag}) away? Traffic stays on ${live}, and a rollback to it is not possible any more.`,
  });
}
