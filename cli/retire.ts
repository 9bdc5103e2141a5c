import { Command } from "commander";
import { Refusal } from "@bluegreen/release";
import { keptUntil } from "@bluegreen/release/releases/standby";
import { applyChange } from "./change";
import { colorsNow, tagConfig } from "./colorsNow";
import { app, readStackSettings } from "./stackSettings";

interface Options {
  stack: string;
  now: boolean;
  yes: boolean;
}

const help = `
Takes the tag of the color that has no users out of config, shows the plan, asks, and runs the update: its
pods go, and with them the way back. Refused for watch.standbyHours after the switch that left it, unless
--now. The live color is left alone.

Examples:
  npm run bluegreen -- retire --stack production
  npm run bluegreen -- retire --now --yes

Exit codes: 0 it is gone, 1 the update failed, and says where users are, 2 nothing was changed.`;

export function retireCommand(): Command {
  return new Command("retire")
    .description("Takes away the color that has no users, once nobody has to go back to it.")
    .option("--stack <stack>", "whose idle color", "production")
    .option("--now", "although it is the way back", false)
    .option("--yes", "do not ask", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, now, yes }: Options): Promise<void> {
  const { clusters, live, idle, activeColor, tags } = await colorsNow(stack);
  if (activeColor !== live) throw new Refusal({ what: `The retirement of ${idle} was refused`, rule: `users are on ${live}, and config makes ${activeColor} the active color`, next: `pulumi config set activeColor ${live} && pulumi up, then again` });
  if (tags[idle] === undefined) {
    console.log(`${idle} has no tag in config: there is nothing to retire.`);
    return;
  }
  const { standbyHours } = readStackSettings(stack, ["watch"]).watch;
  const ends = now ? [] : await Promise.all(clusters.map((cluster) => keptUntil(cluster, app, idle, standbyHours)));
  const until = ends.flatMap((each) => each ?? []).toSorted((a, b) => b.getTime() - a.getTime())[0];
  if (until !== undefined) throw new Refusal({ what: `The retirement of ${idle} (${tags[idle]}) was refused`, rule: `it is what a rollback goes back to until ${until.toISOString()}: watch.standbyHours is ${standbyHours}`, next: "wait, or give the way back up: npm run bluegreen -- retire --now" });
  process.exitCode = await applyChange({ stack, what: `The retirement of ${idle}`, config: [tagConfig(idle, undefined)], undo: [tagConfig(idle, tags[idle])], question: yes ? undefined : `Take ${idle} (${tags[idle]}) away? Users stay on ${live}, and cannot go back to it.` });
}
