import { untilInterrupted } from "../../util/interrupt.js";
import { masked } from "../../util/masked.js";
import { messageOf, UserError } from "../../util/userError.js";
import { runCommand } from "../../util/runCommand.js";
import { shellWord } from "../../util/shellWord.js";
import type { Say } from "../../util/step.js";
import type { DatabasePair } from "../../databases/colorDatabases.js";

const linesKept = 15;

/**
 * The idle color's server is no standby, although the rebuild command was run. Users notice nothing of that.
 */
export class RebuildError extends UserError {}

/**
 * Runs the command that makes the idle color's server a standby of the live one. It gets the colors
 * in PRIMARY_COLOR and STANDBY_COLOR, no URL. It ends when
 * the standby answers, and may be run again after it was killed half-way: by its budget, or by Ctrl-C.
 * @throws RebuildError with the end of its output when it does not end with 0
 */
export async function runRebuild(
  command: readonly string[],
  pair: DatabasePair,
  { budgetMs, say }: { budgetMs: number; say: Say },
): Promise<void> {
  const hide = hiderOf(pair);
  const last: string[] = [];
  const tell = (line: string) => {
    const shown = hide(line);
    say(`rebuild of ${pair.idle.color}: ${shown}`);
    last.push(shown);
    if (last.length > linesKept) last.shift();
  };
  const failure = await whyNotEnded(command, {
    env: { ...process.env, ...colorsOf(pair) },
    budgetMs,
    onLine: tell,
  });
  if (failure === undefined) return;
  throw new RebuildError({
    code: "BG-REBUILD-FAILED",
    what: `The server of ${pair.idle.color} was not made a standby of ${pair.live.color}: the rebuild command ${hide(failure)}${last.map((line) => `\n    ${line}`).join("")}`,
    rule: `traffic is on ${pair.live.color}, and no write is lost; until there is a standby, a rollback would lose writes, and the next switch is refused`,
    next: `correct what it says, then pulumi up, or by hand: ${hide(shellText(command, pair))}`,
  });
}

/** Undefined when it has ended with 0. The server that it has started continues. */
async function whyNotEnded(
  command: readonly string[],
  options: { env: NodeJS.ProcessEnv; budgetMs: number; onLine: (line: string) => void },
): Promise<string | undefined> {
  return untilInterrupted(async (interrupted) => {
    try {
      const { code, signal, timedOut } = await runCommand(command, {
        ...options,
        signal: interrupted,
        leavesOthers: true,
      });
      if (interrupted.aborted) return `was ended (${messageOf(interrupted.reason)})`;
      if (timedOut) return `ran out of its ${options.budgetMs / 1000} s (database.rebuildTimeoutSeconds)`;
      return code === 0 ? undefined : signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    } catch (error) {
      return `could not be started (${messageOf(error)})`;
    }
  });
}

/** What to type to make the idle color's server a standby. */
export function rebuildAdvice(command: readonly string[] | undefined, pair: DatabasePair): string {
  return command === undefined
    ? `make the server of ${pair.idle.color} a standby of ${pair.live.color} (pg_rewind or pg_basebackup), or pulumi up with database.rebuildCommand in config, which does that`
    : hiderOf(pair)(shellText(command, pair));
}

function colorsOf({ live, idle }: DatabasePair): Record<string, string> {
  return { PRIMARY_COLOR: live.color, STANDBY_COLOR: idle.color };
}

function shellText(command: readonly string[], pair: DatabasePair): string {
  return [
    ...Object.entries(colorsOf(pair)).map(([name, color]) => `${name}=${color}`),
    ...command.map(shellWord),
  ].join(" ");
}

/** Takes the passwords of a pair's URLs out of a text that others wrote. */
function hiderOf({ live, idle }: DatabasePair): (text: string) => string {
  const urls = [live, idle].flatMap(({ adminUrl, peerUrl }) => [adminUrl, peerUrl]);
  return (text) => masked(text, urls);
}
