import { Command, Option } from "commander";
import { Refusal } from "@bluegreen/release";
import { standbyOf } from "@bluegreen/release/releases/standby";
import { applyChange } from "./change";
import { colorsNow, tagConfig } from "./colorsNow";
import { app, readStackSettings } from "./stackConfig";
import { stackOption } from "./stackOption";

interface Options {
  stack: string;
  now: boolean;
  whenDue: boolean;
  yes: boolean;
}

const help = `
Shows the plan, asks, takes the tag of the color that has no users out of config, and runs the update: its
pods go, and with them the way back. Refused for watch.standbyHours after the switch that left it, unless
--now. The live color is left alone. With --when-due, for a job that runs by the clock, it is no error that
the time has not come, and a color that users were not on before the last switch is left alone, too: it may
be the next release.

Examples:
  npm run bluegreen -- retire
  npm run bluegreen -- retire --when-due --yes
  npm run bluegreen -- retire --now --yes

Exit codes: 0 it is gone, or with --when-due is not to go yet, 1 the update failed, and says where users are, 2 nothing was changed.`;

export function retireCommand(): Command {
  return new Command("retire")
    .description("Takes away the color that has no users, once nobody has to go back to it.")
    .addOption(stackOption())
    .addOption(new Option("--now", "although it is the way back").default(false).conflicts("whenDue"))
    .option("--when-due", "only if it was the way back, and its time is over", false)
    .option("--yes", "do not ask", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, now, whenDue, yes }: Options): Promise<void> {
  const { clusters, live, idle, activeColor, tags } = await colorsNow(stack);
  const tag = tags[idle];
  if (activeColor !== live) throw new Refusal({ what: `The retirement of ${idle} was refused`, rule: `users are on ${live}, and config makes ${activeColor} the active color`, next: `pulumi config set activeColor ${live} && pulumi up, then again` });
  if (tag === undefined) {
    console.log(`${idle} has no tag in config: there is nothing to retire.`);
    return;
  }
  const { standbyHours } = readStackSettings(stack, ["watch"]).watch;
  const standbys = now ? [] : await Promise.all(clusters.map((cluster) => standbyOf(cluster, app, idle, standbyHours)));
  if (whenDue && standbys.includes(undefined)) {
    console.log(`${idle} (${tag}) is not what users were on before the last switch: it stays. To take it away: npm run bluegreen -- retire`);
    return;
  }
  const kept = standbys.flatMap((each) => (each?.isOver === false ? [each.until] : []));
  const until = kept.toSorted((a, b) => b.getTime() - a.getTime())[0];
  if (until !== undefined) {
    const rule = `it is what a rollback goes back to until ${until.toISOString()}: watch.standbyHours is ${standbyHours}`;
    if (!whenDue) throw new Refusal({ what: `The retirement of ${idle} (${tag}) was refused`, rule, next: "wait, or give the way back up: npm run bluegreen -- retire --now" });
    console.log(`${idle} (${tag}) stays: ${rule}.`);
    return;
  }
  process.exitCode = await applyChange({ stack, what: `The retirement of ${idle}`, config: tagConfig(idle, undefined), undo: tagConfig(idle, tag), question: yes ? undefined : `Take ${idle} (${tag}) away? Users stay on ${live}, and cannot go back to it.` });
}
