/** What changes a stack: config, and the program that makes it so, as a person would type both. */
import { messageOf } from "@bluegreen/release/util/userError";
import { shellWord } from "@bluegreen/release/util/bluegreenCommand";
import { shown } from "@bluegreen/release/util/shown";
import type { Say } from "@bluegreen/release/util/step";
import { pulumiError } from "./pulumi/pulumiError";
import { Stack, UpdateError } from "./pulumi/stack";

/** Settings by their names; undefined takes one out of config. */
export type ConfigChange = Record<string, string | undefined>;

/** What a person types for it. */
export function configCommands(change: ConfigChange, stack: string): string[] {
  return Object.entries(change).map(
    ([key, value]) =>
      `pulumi config ${value === undefined ? `rm ${key}` : `set ${key} ${shellWord(value)}`} --stack ${stack}`,
  );
}

/** @throws UserError when config is not changed, or not all of it */
export async function changeConfig(name: string, change: ConfigChange, say: Say): Promise<void> {
  for (const command of configCommands(change, name)) say(command);
  const set = Object.entries(change).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, { value }] as const],
  );
  const removed = Object.keys(change).filter((key) => change[key] === undefined);
  try {
    const stack = await Stack.open({ name });
    if (removed.length > 0) await stack.removeConfig(removed);
    await stack.setConfig(Object.fromEntries(set));
  } catch (error) {
    throw pulumiError(error, {
      stack: name,
      what: `The config of stack ${name} was not changed`,
      next: `pulumi config --stack ${name}`,
    });
  }
}

/**
 * Runs the program without a question, and shows what Pulumi says of it as it comes.
 * @returns whether it ended well
 * @throws UserError when it has not begun
 */
export async function updateStack(name: string, say: Say): Promise<boolean> {
  const command = `pulumi up --stack ${name}`;
  say(command);
  try {
    const stack = await Stack.open({ name });
    await untilTerminated((signal) =>
      stack.up({
        onOutput: (text) => {
          say(text.trimEnd());
        },
        onError: (text) => {
          process.stderr.write(shown(text));
        },
        signal,
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof UpdateError))
      throw pulumiError(error, {
        stack: name,
        what: `${command} has done nothing`,
        next: "what Pulumi says, then the same command again",
      });
    console.error(`${command} failed.`);
    return false;
  }
}

/**
 * Config is the truth: what was done to traffic is done to it, by the same program as always. @returns
 * whether both ended well
 */
export async function bringInLine(stack: string, change: ConfigChange, say: Say): Promise<boolean> {
  try {
    await changeConfig(stack, change, say);
    return await updateStack(stack, say);
  } catch (error) {
    // Traffic has moved: that has to be said, too.
    console.error(messageOf(error));
    return false;
  }
}

/**
 * Ctrl-C is not passed on: a terminal sends it to Pulumi as well, which at the second one drops what it is
 * doing. SIGTERM may come to this process alone. Neither ends it before Pulumi has ended.
 */
async function untilTerminated<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const handlers = {
    SIGINT: () => undefined,
    SIGTERM: () => {
      controller.abort();
    },
  };
  for (const [name, handler] of Object.entries(handlers)) process.on(name, handler);
  try {
    return await work(controller.signal);
  } finally {
    for (const [name, handler] of Object.entries(handlers)) process.off(name, handler);
  }
}
