import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { chosenFrom } from "./clusters";
import { readLoad } from "./loadFile";
import { stackOption } from "./stackOption";
import { statusRefsOf } from "./statusRef";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  stack: string;
  out: string;
  cluster?: string;
  load?: string;
}

const help = `
One file that needs nothing beside itself: the last switch and what came after it, its gates, the analysis,
the schema, and what clients saw, where a load has counted it. Reads the cluster, the database and the
stack's state, and changes nothing in any of them.

Examples:
  ${bluegreen} report --out release.html
  ${bluegreen} report --out release.html --load figures.json

Exit codes: 0 written, 2 the command itself was wrong, or the cluster cannot be read.`;

export function reportCommand(): Command {
  return new Command("report")
    .description("Writes the last release as one HTML file: who, what, why, gates, analysis and load.")
    .requiredOption("--out <file>", "where to; an existing file is overwritten")
    .addOption(stackOption())
    .option("--cluster <name>", "of this cluster; of several, the first one")
    .option("--load <file>", "figures of a load, as npm start -- --json prints them")
    .addHelpText("after", help)
    .action(run);
}

async function run({ stack, out, cluster, load }: Options): Promise<void> {
  const [ref] = chosenFrom(statusRefsOf(stack), ({ together }) => together?.name, cluster);
  if (ref === undefined) throw new Error(`stack ${stack} has no cluster`);
  // Loaded only now: what draws pages would make every other command slower.
  const { makeReport } = require("./reportPage") as typeof import("./reportPage");
  const page = await makeReport(stack, ref, load === undefined ? null : readLoad(load));
  writeFileSync(out, page);
  console.log(`Written: ${resolve(out)}`);
}
