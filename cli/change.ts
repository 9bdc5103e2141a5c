import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { messageOf } from "@bluegreen/release";
import { untilInterrupted } from "@bluegreen/release/util/interrupt";
import { UserError } from "@bluegreen/release/util/userError";
import type { Plan } from "@bluegreen/release/steps/plan";
import { readReleaseStatus } from "@bluegreen/release/releases/status";
import { confirm } from "./confirm";
import { exitCodes } from "./exitCodes";
import { makePlan } from "./makePlan";
import { planText } from "./planText";
import { print } from "./print";
import { stackPath, reverted, withSettings } from "./stackConfig";
import { statusRefsOf } from "./statusRef";
import { statusLine } from "./statusText";
import { changeConfig, configCommands, updateStack, type ConfigChange } from "./update";

/** A release that is a change of config: what it needs, and what a person would type to revert it. */
export interface Change {
  stack: string;
  /** What it is, as in "The deploy of v2 to green". */
  what: string;
  config: ConfigChange;
  /** The same, for the rollback. */
  undo: ConfigChange;
  /** Put to whoever sees the plan. Undefined: nobody is asked. */
  question: string | undefined;
}

/**
 * Shows the plan of config as it would be, asks, sets config, and runs the update. Nothing is written before
 * the yes; and where the update then does not begin, config is reverted.
 * @returns the exit code
 * @throws UserError when nothing was changed
 */
export async function applyChange(change: Change): Promise<number> {
  const { stack, what } = change;
  const file = stackPath(stack);
  const before = readFileSync(file, "utf8");
  try {
    await agree(change, before);
    if (readFileSync(file, "utf8") !== before)
      throw new UserError({
        code: "BG-PLAN-OUTDATED",
        what: `${what} was refused`,
        rule: `${file} is not what the plan was made of: somebody has changed it meanwhile`,
        next: "the same command again, which shows the plan of config as it is now",
      });
    return await carryOut(change, { file, before });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      {
        code: "BG-PULUMI-FAILED",
        what: `${what} has not begun`,
        rule: messageOf(error),
        next: "the same command again; config is what it was before",
      },
      { cause: error },
    );
  }
}

/** @throws when the update has not begun: another one has the stack, or Ctrl-C came before */
async function carryOut(change: Change, { file, before }: { file: string; before: string }): Promise<number> {
  const { stack, config } = change;
  try {
    await untilInterrupted(async (signal) => {
      await changeConfig(stack, config, print);
      signal.throwIfAborted();
    });
    return await update(change);
  } catch (error) {
    const now = readFileSync(file, "utf8");
    const back = reverted(config, { before, now });
    if (Object.keys(back).length > 0) writeFileSync(file, withSettings(now, back));
    throw error;
  }
}

async function update({ stack, what, undo }: Change): Promise<number> {
  const { isWell, stopped } = await untilInterrupted(async (signal) => ({
    isWell: await updateStack(stack, print),
    stopped: signal.aborted,
  }));
  console.log(await whereItStands(stack));
  if (isWell) return exitCodes.clean;
  const back = [...configCommands(undo, stack), `pulumi up --stack ${stack}`].join(" && ");
  console.error(
    `${what} ${stopped ? "was interrupted" : "failed"}: what was reached stands above, and config asks for the rest.\n  to continue: pulumi up --stack ${stack}\n  or back:  ${back}`,
  );
  return exitCodes.findings;
}

/** @throws UserError unless the plan refuses nothing, and whoever sees it says yes */
function agree({ stack, what, config, question }: Change, before: string): Promise<void> {
  return untilInterrupted(async (signal) => {
    const plan = await planOf(stack, withSettings(before, config));
    signal.throwIfAborted();
    console.log(`\n${planText(plan)}\n`);
    if (plan.refused.length > 0)
      throw new UserError({
        code: "BG-PLAN-REFUSED",
        what: `${what} was refused`,
        rule: "the plan refuses it, with a reason above; config is what it was before",
        next: "what the reason says, then the same command again",
      });
    if (question !== undefined)
      await confirm(question, { mayAsk: true, next: "the same command with --yes" });
    signal.throwIfAborted();
  });
}

/** By a file beside the stack's own, which whoever runs an update meanwhile does not take. */
async function planOf(stack: string, text: string): Promise<Plan> {
  const folder = mkdtempSync(join(tmpdir(), "bluegreen-plan-"));
  try {
    const file = join(folder, basename(stackPath(stack)));
    writeFileSync(file, text);
    return await makePlan(stack, file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** After an update that failed the cluster may be what is wrong. */
async function whereItStands(stack: string): Promise<string> {
  try {
    return (await Promise.all(statusRefsOf(stack).map(readReleaseStatus))).map(statusLine).join("\n");
  } catch (error) {
    return `Where it stands could not be read: ${messageOf(error)}`;
  }
}
