import { Argument, Command } from "commander";
import { colors, connect, type Color } from "@bluegreen/release";
import { clearMarks } from "@bluegreen/release/releases/marks";
import { app, readStackSettings } from "./stackSettings";
import { exitCodes } from "./exitCodes";

const help = `
A color that was rolled back is refused with the same image, until the image changes or its mark is
cleared. Clear it when the image was not to blame: a database that was down, a limit that was too low.

Examples:
  npm run bluegreen -- clear-mark green --stack production

Exit codes: 0 cleared, 1 there was no mark, 2 the command itself was wrong, or the cluster cannot be changed.`;

export function clearMarkCommand(): Command {
  return new Command("clear-mark")
    .description("Lets an image serve users again that was rolled back.")
    .addArgument(new Argument("<color>", "whose marks are cleared").choices(colors))
    .option("--stack <stack>", "whose cluster is asked", "production")
    .addHelpText("after", help)
    .action(run);
}

async function run(color: Color, { stack }: { stack: string }): Promise<void> {
  const where = readStackSettings(stack, ["context", "namespace", "isolation"]);
  const cleared = await clearMarks(connect(where), app, color);
  for (const { image, reason } of cleared) console.log(`${color} ${image} may serve users again; it was rolled back: ${reason}`);
  if (cleared.length === 0) console.log(`No image of ${color} is marked.`);
  process.exitCode = cleared.length === 0 ? exitCodes.findings : exitCodes.clean;
}
