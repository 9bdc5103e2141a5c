import { Command } from "commander";
import { connect, noUsersYet, otherColor, readLiveColor } from "@bluegreen/release";
import { rollbackSettings } from "@bluegreen/release/releases/analysisSettings";
import { rollback, takeShareBack } from "@bluegreen/release/releases/rollback";
import { readShare } from "@bluegreen/release/route/move";
import { confirm } from "./confirm";
import { exitCodes } from "./exitCodes";
import { jsonText, print } from "./print";
import { rollbackClusters } from "./rollbackClusters";
import { app, readStackSettings } from "./stackConfig";
import { stackOption } from "./stackOption";
import { bringInLine, configCommands } from "./update";

interface Options {
  stack: string;
  why: string;
  yes: boolean;
  json: boolean;
  onlyTraffic: boolean;
  fewer: boolean;
  cluster?: string;
}

const help = `
Users first: once the other color's pods are ready and its version works on the schema, the active
Service points to it, in one request. Then config and state are brought in line: activeColor is set
back, and \`pulumi up\` runs, which finds users where config wants them.

The image that users were taken from is marked: it does not come again until it changes, or until
npm run bluegreen -- clear-mark.

With --stack it asks Pulumi for nothing before users have moved: neither its backend nor a passphrase has to be there.

Examples:
  npm run bluegreen -- rollback --stack production --why "checkout fails for everybody"
  npm run bluegreen -- rollback --yes --only-traffic

With several clusters users of all of them go back at once, and one that does not answer keeps no other
from it. With --cluster only those of one; config follows once all of them agree.

Exit codes: 0 users are back and config is in line, 1 users are back and config is not, 2 nothing was moved,
3 users of some clusters are back, and of others not.`;

export function rollbackCommand(): Command {
  return new Command("rollback")
    .description("Takes users back to the other color, now.")
    .addOption(stackOption())
    .option("--why <text>", "for the history, and for whoever wakes up next", "rolled back by hand")
    .option("--cluster <name>", "users of one cluster only")
    .option("--yes", "do not ask", false)
    .option("--only-traffic", "leave config and state as they are", false)
    .option("--fewer", "go back to the pods that are ready, even if users need more", false)
    .option("--json", "for programs; needs --yes", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, why, yes, json, onlyTraffic, fewer, cluster: only }: Options): Promise<void> {
  const settings = readStackSettings(stack, ["clusters", "context", "namespace", "isolation", "database", "drain", "drainSeconds", "traffic"]);
  const { context, namespace, isolation, database: { strategy } } = settings;
  const say = (line: string) => {
    if (!json) print(line);
  };
  const asking = { mayAsk: !json, next: "npm run bluegreen -- rollback --yes" };
  if (only !== undefined || settings.clusters.members.length > 0) {
    const ask = async (question: string) => { if (!yes) await confirm(question, asking); };
    process.exitCode = await rollbackClusters({ settings: { ...settings, ...readStackSettings(stack, ["activeColor"]) }, stack, only, why, onlyTraffic, fewer, json, say, confirm: ask });
    return;
  }
  const back = rollbackSettings(settings);
  const { route } = back;
  const where = { context, namespace, isolation, app };
  const cluster = connect(where);
  const live = await readLiveColor(cluster, app);
  if (live === undefined) throw noUsersYet(cluster, app, "There is nothing to roll back");
  const share = await readShare(cluster, app, route, live);
  // A share is what there is to take back then: all the others are where they were.
  const [from, to] = share > 0 ? [otherColor(live), live] : [live, otherColor(live)];
  if (!yes) await confirm(share > 0 ? `${share} % of the users are on ${from}. Take them back to ${to}?` : `Users are on ${from}. Take them to ${to}?`, asking);
  const { seconds, image } = share > 0 && route !== null ? await takeShareBack(where, { active: to, route, settings: back, why }, say) : await rollback(where, { from, why, strategy, settings: back, fewer }, say);
  say(`Users are on ${to} (${image}): ${seconds.toFixed(2)} s. Nothing else has changed yet.`);
  const config = share > 0 ? { weights: undefined } : { activeColor: to };
  const inLine = onlyTraffic ? undefined : await bringInLine(stack, config, say);
  if (json) console.log(jsonText({ from, to, image, share: share > 0 ? share : 100, seconds, configInLine: inLine ?? false }));
  else if (inLine === true) console.log("Config says the same, and the state agrees.");
  else console.log(`Config still says what it said. To bring it in line:\n  ${[...configCommands(config, stack), `pulumi up --stack ${stack}`].join(" && ")}`);
  process.exitCode = inLine === false ? exitCodes.findings : exitCodes.clean;
}
