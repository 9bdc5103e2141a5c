/** Whether a command of Pulumi's or of `bluegreen` is about the stack of the dev cluster. */
import type { StackHome } from "./home";

/**
 * Commands that use no stack, or choose one or where it is kept: what is kept in the dev cluster's folder is
 * gone after `npm run stop`.
 */
const withoutStack: ReadonlySet<string> = new Set([
  "complete",
  "help",
  "init",
  "lint",
  "login",
  "logout",
  "new",
  "plugin",
  "schema",
  "stack init",
  "stack select",
  "version",
]);

/** Flags that turn any command into one that only tells about itself. */
const telling: ReadonlySet<string> = new Set(["--help", "-h", "--version"]);

/**
 * True when a command line is about the stack of the dev cluster: because it names it, or because nothing
 * names a stack or a backend. Whether there is such a stack is another question.
 * @param args what was typed after `npm run pulumi --` or `npm run bluegreen --`
 */
export function isOfLocalStack(
  args: string[],
  env: NodeJS.ProcessEnv,
  { stack }: Pick<StackHome, "stack">,
): boolean {
  if (isGiven(env["PULUMI_BACKEND_URL"])) return false;
  const end = args.indexOf("--");
  const typed = end === -1 ? args : args.slice(0, end);
  const [command, sub] = typed;
  if (
    command === undefined ||
    withoutStack.has(command) ||
    withoutStack.has(`${command} ${sub ?? ""}`) ||
    typed.some((each) => telling.has(each))
  )
    return false;
  const named = stackFlag(typed) ?? env["PULUMI_STACK"];
  return !isGiven(named) || named === stack;
}

/** The last one, as both command lines take it. */
function stackFlag(args: string[]): string | undefined {
  return args
    .map((each, index) =>
      each === "--stack" || each === "-s" ? args[index + 1] : /^(?:--stack=|-s=?)(.+)$/.exec(each)?.[1],
    )
    .findLast((each) => each !== undefined);
}

function isGiven(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}
