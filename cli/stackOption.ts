import { Option, type Command } from "commander";
import { messageOf, UserError } from "@bluegreen/release/util/userError";
import { askPulumi } from "./pulumi/ask";
import { app, requireProject } from "./stackConfig";

/** Of every command that is about a stack. */
export function stackOption(): Option {
  return new Option("--stack <stack>", "stack name (default: Pulumi's selected stack)");
}

/**
 * Before a command runs: where it is about a stack, and none was given, it is about the one that Pulumi would
 * take.
 * @throws UserError when there is none
 */
export async function chooseStack(command: Command): Promise<void> {
  const isAbout = command.options.some(({ long }) => long === "--stack");
  if (isAbout && command.getOptionValue("stack") === undefined)
    command.setOptionValue("stack", await selectedStack());
}

/**
 * Only the backend knows whether a selected stack is still there: a command that has to work without it is
 * given one.
 */
async function selectedStack(): Promise<string> {
  const named = process.env["PULUMI_STACK"];
  if (named !== undefined && named !== "") return named;
  requireProject();
  try {
    // Of another organization than the user's own the short name would be another stack.
    return shortest(await askPulumi(["stack", "--show-name", "--fully-qualify-stack-names"]), app);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      {
        code: "BG-STACK-NOT-SELECTED",
        what: "No stack was given",
        rule: `and Pulumi has none selected: ${messageOf(error)}`,
        next: "pulumi stack select NAME, or --stack NAME",
      },
      { cause: error },
    );
  }
}

/**
 * The name as a person types it in the folder of its project. Backends without organizations call theirs all
 * the same.
 */
export function shortest(name: string, project: string): string {
  const [stack = "", ofProject, organization] = name.trim().split("/").reverse();
  if (organization === undefined || ofProject !== project) return name.trim();
  return organization === "organization" ? stack : `${organization}/${stack}`;
}
