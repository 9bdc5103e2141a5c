import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { messageOf } from "@bluegreen/release";
import { untilInterrupted } from "@bluegreen/release/interrupt";
import { attention, readReleaseStatus, type ReleaseStatus, type ReleaseStatusRef } from "@bluegreen/release/releases/status";
import { exitCodes } from "./exitCodes";
import { jsonText } from "./print";
import { stackOption } from "./stackOption";
import { statusRefsOf } from "./statusRef";
import { statusLine, statusText } from "./statusText";

interface Options {
  stack: string;
  json: boolean;
  watch: boolean;
}

const help = `
Reads the stack's file, the cluster and the database, and changes nothing in any of them.

Examples:
  npm run bluegreen -- status
  npm run bluegreen -- status --watch --stack staging
  npm run bluegreen -- status --json

Exit codes: 0 all is well, 1 something needs attention, 2 the command itself was wrong, or the cluster cannot be read.`;

/** Between the end of a look and the next one. */
const everyMs = 1000;

export function releaseStatusCommand(): Command {
  return new Command("status")
    .description("Shows where a release stands: users, pods, schema, the last switch, and whether there is a way back.")
    .addOption(stackOption())
    .option("--watch", "go on until Ctrl-C; on a terminal the same place is drawn again, elsewhere each change is a line", false)
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
  const statuses = await Promise.all(refs.map(readReleaseStatus));
  const all = statuses.map((status) => ({ ...status, attention: attention(status) }));
  console.log(json ? jsonText(all.length === 1 ? all[0] : { clusters: all }, 2) : statuses.map(statusText).join("\n\n"));
  process.exitCode = Math.max(...statuses.map(codeOf));
}

/** A look at one cluster; a text where it could not be had. */
type Look = ReleaseStatus | string;

function codeOf(look: Look): number {
  if (typeof look === "string") return exitCodes.usage;
  return attention(look).length === 0 ? exitCodes.clean : exitCodes.findings;
}

/** A cluster that is away for a while is a state like any other. @returns the exit code of the last look */
async function follow(refs: ReleaseStatusRef[], json: boolean, signal: AbortSignal): Promise<number> {
  const drawn = process.stdout.isTTY && !json;
  let code: number = exitCodes.clean;
  let shown: string[] = [];
  while (!signal.aborted) {
    const looks = await Promise.all(refs.map((ref): Promise<Look> => readReleaseStatus(ref).catch((error: unknown) => messageOf(error))));
    code = Math.max(...looks.map(codeOf));
    const texts = looks.map((look) => textOf(look, { json, drawn }));
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

function textOf(look: Look, { json, drawn }: { json: boolean; drawn: boolean }): string {
  if (typeof look === "string") return json ? jsonText({ unreadable: look }) : drawn ? look : look.replaceAll(/\s*\n\s*/g, " ");
  if (json) return jsonText({ ...look, attention: attention(look) });
  return drawn ? statusText(look) : statusLine(look);
}
