import { Command } from "commander";
import { connect, noActiveService, otherColor, readLiveColor } from "@bluegreen/release";
import { rollbackSettings } from "@bluegreen/release/config/analysisSettings";
import { askedDatabase } from "@bluegreen/release/migrations/ownMigrations";
import { rollback, rollBackShift } from "@bluegreen/release/rollback/rollback";
import { readCanaryWeight } from "@bluegreen/release/traffic/move";
import { confirm } from "./confirm";
import { exitCodes } from "./exitCodes";
import { jsonText, print } from "./print";
import { rollbackClusters } from "./rollbackClusters";
import { followersOf } from "@bluegreen/release/config/background";
import { app, readStackSettings } from "./stackConfig";
import { readStackFollowers } from "./stackFollowers";
import { stackOption } from "./stackOption";
import { bringInLine, configCommands } from "./update";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  reason: string;
  yes: boolean;
  json: boolean;
  trafficOnly: boolean;
  allowFewerReplicas: boolean;
  cluster?: string;
}

const help = `
Traffic first: once the other color's pods are ready and its version works on the schema, the active
Service points to it, in one request. Then config and state are brought in line: activeColor is set
back, and \`pulumi up\` runs, which finds traffic where config wants it.

The image that traffic was taken from is blocked until it changes, or until
${bluegreen} unblock.

With --stack it asks Pulumi for nothing before traffic has moved: neither its backend nor a passphrase has to be there.

Examples:
  ${bluegreen} rollback --stack production --reason "checkout fails for everybody"
  ${bluegreen} rollback --yes --traffic-only

With several clusters traffic of all of them returns at once, and one that does not answer keeps no other
from it. With --cluster only those of one; config follows once all of them agree.

Exit codes: 0 traffic is back and config is in line, 1 traffic is back and config is not, 2 nothing was moved,
3 traffic of some clusters is back, and of others not.`;

export function rollbackCommand(): Command {
  return new Command("rollback")
    .description("Moves traffic back to the previous color, now.")
    .addOption(stackOption())
    .option("--reason <text>", "for the history, and for whoever wakes up next", "rolled back by hand")
    .option("--cluster <name>", "traffic of one cluster only")
    .option("--yes", "do not ask", false)
    .option("--traffic-only", "leave config and state as they are", false)
    .option(
      "--allow-fewer-replicas",
      "roll back to the pods that are ready, even if traffic needs more",
      false,
    )
    .option("--json", "for programs; needs --yes", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({
  stack,
  reason: why,
  yes,
  json,
  trafficOnly,
  allowFewerReplicas: fewer,
  cluster: only,
}: Options): Promise<void> {
  const settings = readStackSettings(stack, [
    "clusters",
    "context",
    "namespace",
    "namespacePerColor",
    "database",
    "databaseSecret",
    "migrationsDir",
    "schemaVersion",
    "contractMigration",
    "connectionDrain",
    "preStopDelaySeconds",
    "traffic",
  ]);
  const { context, namespace, namespacePerColor, databaseSecret } = settings;
  const { runIn } = settings.database;
  const followers = followersOf(readStackFollowers(stack));
  const strategy = askedDatabase(settings) ?? "none";
  const say = (line: string) => {
    if (!json) print(line);
  };
  const asking = { mayAsk: !json, next: `${bluegreen} rollback --yes` };
  if (only !== undefined || settings.clusters.targets.length > 0) {
    const ask = async (question: string) => {
      if (!yes) await confirm(question, asking);
    };
    process.exitCode = await rollbackClusters({
      settings: { ...settings, ...readStackSettings(stack, ["activeColor"]), followers },
      stack,
      only,
      why,
      trafficOnly,
      fewer,
      json,
      say,
      confirm: ask,
    });
    return;
  }
  const back = rollbackSettings({ ...settings, followers });
  const { route } = back;
  const where = { context, namespace, namespacePerColor, app };
  const cluster = connect(where);
  const live = await readLiveColor(cluster, app);
  if (live === undefined) throw noActiveService(cluster, app, "There is nothing to roll back");
  const weight = await readCanaryWeight(cluster, app, route, live);
  // The canary weight is what there is to roll back then: all other traffic has not moved.
  const [from, to] = weight > 0 ? [otherColor(live), live] : [live, otherColor(live)];
  if (!yes)
    await confirm(
      weight > 0
        ? `${weight} % of traffic is on ${from}. Move it back to ${to}?`
        : `Traffic is on ${from}. Move it to ${to}?`,
      asking,
    );
  const { seconds, image } =
    weight > 0 && route !== null
      ? await rollBackShift(where, { active: to, route, settings: back, why }, say)
      : await rollback(where, { from, why, strategy, databaseSecret, runIn, settings: back, fewer }, say);
  say(`Traffic is on ${to} (${image}): ${seconds.toFixed(2)} s. Nothing else has changed yet.`);
  const config = weight > 0 ? { canaryWeight: undefined } : { activeColor: to };
  const inLine = trafficOnly ? undefined : await bringInLine(stack, config, say);
  if (json)
    console.log(
      jsonText({
        from,
        to,
        image,
        weight: weight > 0 ? weight : 100,
        seconds,
        configInLine: inLine ?? false,
      }),
    );
  else if (inLine === true) console.log("Config says the same, and the state agrees.");
  else
    console.log(
      `Config still says what it said. To bring it in line:\n  ${[...configCommands(config, stack), `pulumi up --stack ${stack}`].join(" && ")}`,
    );
  process.exitCode = inLine === false ? exitCodes.findings : exitCodes.clean;
}
