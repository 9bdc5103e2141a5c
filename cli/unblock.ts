import { Argument, Command } from "commander";
import { colors, type Color } from "@bluegreen/release";
import { unblockImages } from "@bluegreen/release/state/blockedImages";
import { clustersOf, inEach, sayFailures, succeeded } from "./clusters";
import { app, readStackSettings } from "./stackConfig";
import { exitCodes } from "./exitCodes";
import { print } from "./print";
import { stackOption } from "./stackOption";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

const help = `
A color that was rolled back is refused with the same image, until the image changes or it is
unblocked. Unblock it when the image was not to blame: a database that was down, a limit that was too low.

Examples:
  ${bluegreen} unblock green

Exit codes: 0 unblocked, 1 no image was blocked, 2 the command itself was wrong, or the cluster cannot be changed, 3 one of several cannot.`;

export function unblockCommand(): Command {
  return new Command("unblock")
    .description("Unblocks an image that was rolled back.")
    .addArgument(new Argument("<color>", "whose blocked images are unblocked").choices(colors))
    .addOption(stackOption())
    .option("--cluster <name>", "in one cluster only")
    .addHelpText("after", help)
    .action(run);
}

async function run(
  color: Color,
  { stack, cluster: only }: { stack: string; cluster?: string },
): Promise<void> {
  const places = clustersOf(
    readStackSettings(stack, ["clusters", "context", "namespace", "namespacePerColor"]),
    only,
  );
  const outcomes = await inEach(places, (cluster) => unblockImages(cluster, app, color));
  const cleared = succeeded(outcomes).flatMap(({ value }) => value);
  for (const { image, reason } of cleared)
    print(`${color} ${image} may serve traffic again; it was rolled back: ${reason}`);
  if (cleared.length === 0) console.log(`No image of ${color} is blocked.`);
  process.exitCode = sayFailures(outcomes) ?? (cleared.length === 0 ? exitCodes.findings : exitCodes.clean);
}
