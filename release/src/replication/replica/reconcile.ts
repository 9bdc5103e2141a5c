import type { DatabasePair } from "../../databases/colorDatabases.js";
import { takeLock } from "../../postgres/advisoryLock.js";
import { shellWord } from "../../util/bluegreenCommand.js";
import { untilInterrupted } from "../../util/interrupt.js";
import { masked } from "../../util/shown.js";
import { runCommand } from "../../util/runCommand.js";
import type { Say } from "../../util/step.js";
import { UserError, messageOf } from "../../util/userError.js";
import { defaultBudgetMs, defaultRebuildBudgetMs, type ReplicaOptions } from "../strategy.js";
import { refuseWrites, openBeside, Server, StoppedError, closeServers, openServers } from "./server.js";
import {
  lateTransactions,
  strangeTransactions,
  findParting,
  findFault,
  requirePrimary,
  requireAsynchronous,
  type Parting,
  type Fault,
} from "./standby.js";

/** Whether there is a rollback that loses nothing. */
type Reconciled =
  | { followed: true }
  | {
      followed: false;
      /** Why not, and what would be lost. */
      reason: string;
      /** What to do to get it. */
      next: string;
    };

/**
 * After traffic has moved, or after a release was killed anywhere: makes sure that the idle color's server
 * refuses writes, and that it follows the live one, by the rebuild command if it has to. May be run at any
 * time, again and again.
 * @throws RebuildError when the rebuild fails
 * @throws UserError when the idle color's server is unknown or cannot be made to refuse writes
 */
export async function reconcile(pair: DatabasePair, options: ReplicaOptions = {}): Promise<Reconciled> {
  const {
    say = () => undefined,
    rebuildCommand,
    rebuildBudgetMs: budgetMs = defaultRebuildBudgetMs,
  } = options;
  const live = await Server.open(pair.live);
  try {
    await requirePrimary(live);
    await takeLock(live, 0, `The databases were not touched (server of ${live.color})`);
    const before = await fenceAndCheck(live, pair, options).catch((error: unknown) => {
      // A rebuild that was killed has left it stopped; nobody writes to it then. One that is out of reach may
      // have what nobody else has.
      if (error instanceof StoppedError && rebuildCommand !== undefined)
        return { reason: error.message, next: "", rebuild: true };
      throw error;
    });
    if (before === undefined) return { followed: true };
    if (rebuildCommand === undefined || !before.rebuild)
      return { followed: false, reason: before.reason, next: before.next };
    say(`${pair.idle.color} is made a standby of ${pair.live.color}: ${before.reason}`);
    await runRebuild(rebuildCommand, pair, { budgetMs, say });
    const after = await fenceAndCheck(live, pair, options);
    if (after === undefined) return { followed: true };
    throw new RebuildError({
      code: "BG-REBUILD-FAILED",
      what: `The server of ${pair.idle.color} is no standby of ${pair.live.color}, although the rebuild command ended with 0`,
      rule: after.reason,
      next: `check the log of the server of ${pair.idle.color}, correct the rebuild command, then pulumi up`,
    });
  } finally {
    await live.close();
  }
}

/** What keeps the idle color's server from following. */
interface Obstacle {
  reason: string;
  next: string;
  /** A rebuild removes it, and loses nothing. */
  rebuild: boolean;
}

/** Fences the idle color's server, which may be a former primary: it refuses writes afterwards. */
async function fenceAndCheck(
  live: Server,
  pair: DatabasePair,
  { budgetMs = defaultBudgetMs, rebuildCommand, allowDataLoss = false }: ReplicaOptions,
): Promise<Obstacle | undefined> {
  const advice = rebuildAdvice(rebuildCommand, pair);
  const servers = { live, idle: await openBeside(live, pair.idle) };
  try {
    const fault = await findFault(servers, budgetMs);
    switch (fault?.kind) {
      case undefined:
        return undefined;
      case "behind":
        return { reason: fault.reason, next: "wait until it follows", rebuild: false };
      case "detached":
        return { reason: fault.reason, next: advice, rebuild: true };
      case "stranger":
        throw new UserError({
          code: "BG-DATABASE-SERVER-WRONG",
          what: `The server of ${pair.idle.color} was not touched: it has nothing to do with that of ${pair.live.color}`,
          rule: fault.reason,
          next: `correct the administrator's URL of ${pair.idle.color}, or ${rebuildAdvice(undefined, pair)}`,
        });
      case "apart": {
        await refuseWrites(pair.idle);
        const { kind, loss } = await findParting(servers);
        if (allowDataLoss) return { reason: loss, next: advice, rebuild: true };
        if (kind === "split")
          return {
            reason: loss,
            next: `check whether somebody needs what is on ${pair.idle.color} alone (it can be read), then: ${advice}`,
            rebuild: false,
          };
        if (kind === "promoted") {
          const strange = await strangeTransactions(servers.idle);
          if (strange === 0) return { reason: loss, next: advice, rebuild: true };
          return {
            reason: `${pair.idle.color} began ${strange} transactions after it was promoted: traffic was there before it returned to ${pair.live.color}, which does not have that`,
            next: bringOver(pair, advice),
            rebuild: false,
          };
        }
        const late = await lateTransactions(live, servers.idle);
        if (late === 0) return { reason: loss, next: advice, rebuild: true };
        return {
          reason: `${pair.idle.color} began ${late} transactions after it was left: the release was killed before it refused writes, and who had waited there wrote to it; ${pair.live.color} does not have that`,
          next: bringOver(pair, advice),
          rebuild: false,
        };
      }
    }
  } finally {
    await servers.idle.close();
  }
}

function bringOver({ live }: DatabasePair, advice: string): string {
  return `check what they were (it can be read) and bring it to ${live.color}, then: ${advice}`;
}

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

/**
 * Before pods of the idle color start: is its server a standby of the live one, and close behind it?
 * Changes nothing. One that was left behind will do, too, when what it lacks may be lost.
 * @throws UserError with the reason and what to do
 */
export async function sync(pair: DatabasePair, options: ReplicaOptions = {}): Promise<void> {
  const servers = await openServers(pair);
  try {
    await requirePrimary(servers.live);
    await requireAsynchronous(servers.idle);
    const fault = await findFault(servers, options.budgetMs ?? defaultBudgetMs);
    if (fault === undefined) return;
    const parting = fault.kind === "apart" ? await findParting(servers) : undefined;
    // It is the rollback that somebody has asked for.
    if (parting?.kind === "left" && options.allowDataLoss === true) return;
    throw noStandby(fault, parting, pair, options);
  } finally {
    await closeServers(servers);
  }
}

/** Why nothing continues without a standby. */
function noStandby(
  fault: Fault,
  parting: Parting | undefined,
  pair: DatabasePair,
  { rebuildCommand }: ReplicaOptions,
): UserError {
  return new UserError({
    code: "BG-STANDBY-SERVER-MISSING",
    what: `The server of ${pair.idle.color} is no standby of ${pair.live.color}, so ${pair.idle.color} may not start on it`,
    rule: parting === undefined ? fault.reason : `${fault.reason}: ${parting.loss}`,
    next:
      fault.kind === "behind" ? "wait until it follows, then pulumi up" : rebuildAdvice(rebuildCommand, pair),
  });
}
