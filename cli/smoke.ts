import { Argument, Command } from "commander";
import { colors, UserError, type Color } from "@bluegreen/release";
import { runSuite } from "@bluegreen/release/gates/smoke";
import { untilInterrupted } from "@bluegreen/release/util/interrupt";
import { readServed } from "@bluegreen/release/state/record";
import { colorsNow, colorWith } from "./colorsNow";
import { exitCodes } from "./exitCodes";
import { print, printError } from "./print";
import { app, readStackSettings } from "./stackConfig";
import { stackOption } from "./stackOption";
import { tagOf } from "./tagOf";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

const help = `
The suite of the smoke gate, through the API server to a ready pod of the color. Changes nothing, and no
gate counts it. Without a color it asks the idle one; with --tag, the one that has this version.

Examples:
  ${bluegreen} smoke
  ${bluegreen} smoke blue

Exit codes: 0 every test passed, 1 one failed, or there was no pod to test, 2 the command itself was wrong, or the cluster cannot be read.`;

export function smokeCommand(): Command {
  return new Command("smoke")
    .description("Runs the smoke tests against a color, now.")
    .addArgument(new Argument("[color]", "which is tested").choices(colors))
    .option("--tag <tag>", "only the color that has this version")
    .addOption(stackOption())
    .addHelpText("after", help)
    .action(run);
}

async function run(asked: Color | undefined, { stack, tag }: { stack: string; tag?: string }): Promise<void> {
  const now = await colorsNow(stack);
  const { clusters, idle } = now;
  const {
    smokeTests: suite,
    smokeEnv: suiteEnv,
    smokeTimeoutSeconds: budgetSeconds,
  } = readStackSettings(stack, ["smokeTests", "smokeEnv", "smokeTimeoutSeconds"]);
  const color = tag === undefined ? (asked ?? idle) : colorWith(tag, asked, now);
  try {
    for (const cluster of clusters) {
      const version = tagOf((await readServed(cluster, app, color))?.image ?? "none");
      const passed = await untilInterrupted((signal) =>
        runSuite(cluster, { app, color, version, suite, suiteEnv, budgetSeconds }, printError, signal),
      );
      print(
        `${color} (${version}) passed ${passed} smoke tests${clusters.length > 1 ? ` in ${cluster.config.getCurrentContext()}` : ""}.`,
      );
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exitCode = exitCodes.findings;
  }
}
