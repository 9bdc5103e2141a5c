import { Command } from "commander";
import { readHistory, type HistoryEntry } from "@bluegreen/release/state/history";
import { shownIn } from "@bluegreen/release/util/shown";
import { clustersOf, inEach, sayFailures, succeeded } from "./clusters";
import { exitCodes } from "./exitCodes";
import { jsonText } from "./print";
import { app, readStackSettings } from "./stackConfig";
import { stackOption } from "./stackOption";
import { newTable, tableText } from "./table";
import { tagOf } from "./tagOf";
import { wholeSeconds } from "./wholeSeconds";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  json: boolean;
  cluster?: string;
}

type Entry = HistoryEntry & { cluster: string | undefined };

const help = `
Examples:
  ${bluegreen} history
  ${bluegreen} history --json

Exit codes: 0 shown, 2 the command itself was wrong, or the cluster cannot be read, 3 one of several cannot.`;

export function historyCommand(): Command {
  return new Command("history")
    .description(
      "Shows every switch and every rollback: who, what, why, and what the analysis saw. From the cluster.",
    )
    .addOption(stackOption())
    .option("--cluster <name>", "of one cluster only")
    .option("--json", "for programs", false)
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, json, cluster: only }: Options): Promise<void> {
  const places = clustersOf(
    readStackSettings(stack, ["clusters", "context", "namespace", "namespacePerColor"]),
    only,
  );
  const read = await inEach(places, (cluster) => readHistory(cluster, app));
  const entries = succeeded(read)
    .flatMap(({ name: cluster, value }): Entry[] => value.map((entry) => ({ cluster, ...entry })))
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  if (json) console.log(jsonText({ history: entries }, 2));
  else console.log(entries.length === 0 ? "No switch has been noted yet." : table(entries));
  process.exitCode = sayFailures(read) ?? exitCodes.clean;
}

/** The newest first: that is the one that is asked for. */
function table(entries: readonly Entry[]): string {
  const named = entries.some(({ cluster }) => cluster !== undefined);
  const text = newTable(
    [...(named ? ["cluster"] : []), "when", "what", "from", "to", "who", "why"],
    named ? 7 : 6,
  );
  for (const { cluster = "", at, kind, from, to, who, why, evidence } of shownIn(entries.toReversed())) {
    const first = named ? [cluster] : [];
    text.push([
      ...first,
      wholeSeconds(at),
      kind,
      from === null ? "nothing" : served(from),
      served(to),
      who,
      why,
    ]);
    for (const line of evidence) text.push([...first.map(() => ""), "", "", "", "", "", line]);
  }
  return tableText(text);
}

function served({ color, image }: HistoryEntry["to"]): string {
  return `${color} ${tagOf(image)}`;
}
