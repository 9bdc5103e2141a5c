import { Command } from "commander";
import { connect } from "@bluegreen/release";
import { readHistory, type HistoryEntry } from "@bluegreen/release/releases/history";
import { app, readStackSettings } from "./stackSettings";
import { newTable } from "./table";
import { tagOf } from "./tagOf";

interface Options {
  stack: string;
  json: boolean;
}

const help = `
Examples:
  npm run bluegreen -- history --stack production
  npm run bluegreen -- history --json

Exit codes: 0 shown, 2 the command itself was wrong, or the cluster cannot be read.`;

export function historyCommand(): Command {
  return new Command("history")
    .description("Shows every switch and every rollback: who, what, why, and what the watch saw. From the cluster.")
    .option("--stack <stack>", "whose cluster is asked", "production")
    .option("--json", "for programs", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, json }: Options): Promise<void> {
  const where = readStackSettings(stack, ["context", "namespace", "isolation"]);
  const entries = await readHistory(connect(where), app);
  if (json) console.log(JSON.stringify({ history: entries }, null, 2));
  else console.log(entries.length === 0 ? "No switch has been noted yet." : table(entries));
}

/** The newest first: that is the one that is asked for. */
function table(entries: readonly HistoryEntry[]): string {
  const text = newTable(["when", "what", "from", "to", "who", "why"], 6);
  for (const { at, kind, from, to, who, why, evidence } of entries.toReversed()) {
    text.push([at.replace(/\.\d+Z$/, "Z"), kind, from === null ? "nothing" : served(from), served(to), who, why]);
    for (const line of evidence) text.push(["", "", "", "", "", line]);
  }
  return text.toString().replaceAll(/ +$/gm, "");
}

function served({ color, image }: HistoryEntry["to"]): string {
  return `${color} ${tagOf(image)}`;
}
