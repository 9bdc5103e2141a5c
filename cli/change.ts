import { readFileSync, writeFileSync } from "node:fs";
import { messageOf } from "@bluegreen/release";
import { untilInterrupted } from "@bluegreen/release/interrupt";
import { Refusal } from "@bluegreen/release/refusal";
import { readReleaseStatus } from "@bluegreen/release/releases/status";
import { confirm } from "./confirm";
import { exitCodes } from "./exitCodes";
import { makePlan } from "./makePlan";
import { planText } from "./planText";
import { print } from "./print";
import { stackPath } from "./stackConfig";
import { statusRefsOf } from "./statusRef";
import { statusLine } from "./statusText";
import { changeConfig, configCommands, updateStack, type ConfigChange } from "./update";

/** A release that is a change of config: what it needs, and what a person would type to take it back. */
export interface Change {
  stack: string;
  /** What it is, as in "The deploy of v2 to green". */
  what: string;
  config: ConfigChange;
  /** The same, for the way back. */
  undo: ConfigChange;
  /** Put to whoever sees the plan. Undefined: nobody is asked. */
  question: string | undefined;
}

/**
 * Sets config, shows the plan, asks, and runs the update. Until the update begins, config goes back
 * to what it was whatever comes between: a refusal, a no, Ctrl-C.
 * @returns the exit code
 * @throws Refusal when nothing was changed
 */
export async function applyChange(change: Change): Promise<number> {
  const { stack, what } = change;
  const file = stackPath(stack);
  const before = readFileSync(file, "utf8");
  try {
    await prepare(change);
    return await update(change);
  } catch (error) {
    // Nothing was done: the plan refused it, nobody wanted it, or another update has the stack.
    writeFileSync(file, before);
    if (error instanceof Refusal) throw error;
    throw new Refusal({ what: `${what} has not begun`, rule: messageOf(error), next: "the same command again; config is what it was before" }, { cause: error });
  }
}

async function update({ stack, what, undo }: Change): Promise<number> {
  const { isWell, stopped } = await untilInterrupted(async (signal) => ({ isWell: await updateStack(stack, print), stopped: signal.aborted }));
  console.log(await whereItStands(stack));
  if (isWell) return exitCodes.clean;
  const back = [...configCommands(undo, stack), `pulumi up --stack ${stack}`].join(" && ");
  console.error(`${what} ${stopped ? "was interrupted" : "failed"}: what was reached stands above, and config asks for the rest.\n  to go on: pulumi up --stack ${stack}\n  or back:  ${back}`);
  return exitCodes.findings;
}

function prepare({ stack, what, config, question }: Change): Promise<void> {
  return untilInterrupted(async (signal) => {
    await changeConfig(stack, config, print);
    signal.throwIfAborted();
    const plan = await makePlan(stack);
    signal.throwIfAborted();
    console.log(`\n${planText(plan)}\n`);
    if (plan.refused.length > 0) throw new Refusal({ what: `${what} was refused`, rule: "the plan refuses it, with a reason above; config is what it was before", next: "what the reason says, then the same command again" });
    if (question !== undefined) await confirm(question, { mayAsk: true, next: "the same command with --yes" });
    signal.throwIfAborted();
  });
}

/** After an update that failed the cluster may be what is wrong. */
async function whereItStands(stack: string): Promise<string> {
  try {
    return (await Promise.all(statusRefsOf(stack).map(readReleaseStatus))).map(statusLine).join("\n");
  } catch (error) {
    return `Where it stands could not be read: ${messageOf(error)}`;
  }
}
