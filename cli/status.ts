import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { messageOf } from "@bluegreen/release";
import { untilInterrupted } from "@bluegreen/release/util/interrupt";
import { finishRollback, othersAreNotingMs } from "@bluegreen/release/rollback/rollBackRelease";
import {
  attention,
  readReleaseStatus,
  type ReleaseStatus,
  type ReleaseStatusRef,
} from "@bluegreen/release/releases/status";
import type { ErrorCode } from "@bluegreen/release/util/errorCodes";
import { errorCodeOf } from "@bluegreen/release/util/userError";
import { isSeparate } from "@bluegreen/release/config/schema/database";
import { exitCodes } from "./exitCodes";
import { jsonText, printError } from "./print";
import { stackOption } from "./stackOption";
import { statusRefsOf } from "./statusRef";
import { statusLine, statusText } from "./statusText";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  json: boolean;
  watch: boolean;
}

const help = `
Reads the stack's file, the cluster and the database, and changes nothing in any of them, but for one
thing: a rollback that was cut off before anybody noted it is noted now, in the history and by an alert.

Examples:
  ${bluegreen} status
  ${bluegreen} status --watch --stack staging
  ${bluegreen} status --json

Exit codes: 0 all is well, 1 something needs attention, 2 the command itself was wrong, or the cluster cannot be read.`;

/** Between the end of a poll and the next one. */
const everyMs = 1000;

export function releaseStatusCommand(): Command {
  return new Command("status")
    .description(
      "Shows where a release stands: traffic, pods, schema, the last switch, and whether a rollback is possible.",
    )
    .addOption(stackOption())
    .option(
      "--watch",
      "continue until Ctrl-C; on a terminal the same place is drawn again, elsewhere each change is a line",
      false,
    )
    .option("--json", "for programs", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, json, watch }: Options): Promise<void> {
  const refs = statusRefsOf(stack);
  if (watch) {
    process.exitCode = await untilInterrupted((signal) => follow(refs, json, signal));
    return;
  }
  await Promise.all(refs.map(finish));
  const statuses = await Promise.all(refs.map(readReleaseStatus));
  const all = statuses.map((status) => ({ ...status, attention: attention(status) }));
  console.log(
    json ? jsonText(all.length === 1 ? all[0] : { clusters: all }, 2) : statuses.map(statusText).join("\n\n"),
  );
  process.exitCode = Math.max(...statuses.map(codeOf));
}

/** Said on the error output, and no more: whoever may only read sees how things stand all the same. */
async function finish(ref: ReleaseStatusRef): Promise<void> {
  const hasDatabases = isSeparate(ref.database.strategy);
  await finishRollback(ref, { route: ref.route, hasDatabases, graceMs: othersAreNotingMs }, printError).catch(
    (error: unknown) => {
      printError(messageOf(error));
    },
  );
}

/** The status of one cluster, or why it could not be had. */
type ClusterStatus = ReleaseStatus | { unreadable: string; code: ErrorCode | undefined };

function codeOf(found: ClusterStatus): number {
  if ("unreadable" in found) return exitCodes.usage;
  return attention(found).length === 0 ? exitCodes.clean : exitCodes.findings;
}

/** A cluster that is away for a while is a state like any other. @returns the exit code of the last poll */
async function follow(refs: ReleaseStatusRef[], json: boolean, signal: AbortSignal): Promise<number> {
  const drawn = process.stdout.isTTY && !json;
  let code: number = exitCodes.clean;
  let shown: string[] = [];
  while (!signal.aborted) {
    const statuses = await Promise.all(
      refs.map((ref): Promise<ClusterStatus> =>
        readReleaseStatus(ref).catch((error: unknown) => ({
          unreadable: messageOf(error),
          code: errorCodeOf(error),
        })),
      ),
    );
    code = Math.max(...statuses.map(codeOf));
    const texts = statuses.map((found) => textOf(found, { json, drawn }));
    const changed = texts.filter((text, index) => text !== shown[index]);
    if (drawn && changed.length > 0) console.log(`${home}${texts.join("\n\n")}`);
    if (!drawn) for (const text of changed) console.log(json ? text : `${new Date().toISOString()}  ${text}`);
    shown = texts;
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
  return code;
}

/** The cursor to the upper left, and nothing left of what was there. */
const home = "\u001b[H\u001b[2J";

function textOf(found: ClusterStatus, { json, drawn }: { json: boolean; drawn: boolean }): string {
  if ("unreadable" in found)
    return json ? jsonText(found) : drawn ? found.unreadable : found.unreadable.replaceAll(/\s*\n\s*/g, " ");
  if (json) return jsonText({ ...found, attention: attention(found) });
  return drawn ? statusText(found) : statusLine(found);
}
