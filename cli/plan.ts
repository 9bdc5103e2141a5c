import { Command } from "commander";
import { exitCodes } from "./exitCodes";
import { makePlan } from "./makePlan";
import { planMarkdown, planText } from "./planText";
import { stackOption } from "./stackOption";
import { bluegreen, bluegreenPiped } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  markdown: boolean;
  json: boolean;
}

const help = `
Made of a real preview, which asks the cluster and the database, and changes nothing in any of them.

Examples:
  ${bluegreen} plan
  ${bluegreenPiped} plan --markdown > comment.md

Exit codes: 0 nothing is refused, 1 something is, 2 the plan could not be made.`;

export function planCommand(): Command {
  return new Command("plan")
    .description(
      "Shows what the next update will do: to traffic, pods and schema, by which gates, and whether a rollback is possible.",
    )
    .addOption(stackOption())
    .option("--markdown", "for a comment on a pull request", false)
    .option("--json", "for programs", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, markdown, json }: Options): Promise<void> {
  const plan = await makePlan(stack);
  console.log(json ? JSON.stringify(plan, null, 2) : markdown ? planMarkdown(plan) : planText(plan));
  process.exitCode = plan.refused.length === 0 ? exitCodes.clean : exitCodes.findings;
}
