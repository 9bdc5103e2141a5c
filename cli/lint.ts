import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { styleText } from "node:util";
import { Command, Option } from "commander";
import { formatAsJson, formatForGithub, formatForPeople } from "@bluegreen/release/lint/format";
import { lint, type Finding } from "@bluegreen/release/lint/lint";
import { rulesPage } from "@bluegreen/release/lint/rulesPage";
import { UserError } from "@bluegreen/release/util/userError";
import { exitCodes } from "./exitCodes";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

const formats = ["text", "json", "github"] as const;

interface Options {
  format: (typeof formats)[number];
  json: boolean;
  rules: boolean;
}

export function lintCommand(): Command {
  return new Command("lint")
    .description("Finds what in migrations would break or stop the live version.")
    .argument("[files...]", "migrations, or folders of them", ["migrations"])
    .addOption(
      new Option("--format <format>", "how findings are shown; github: as annotations of a workflow")
        .choices(formats)
        .default("text"),
    )
    .option("--json", "short for --format json", false)
    .option("--rules", "show every rule and what to write instead, as Markdown", false)
    .addHelpText(
      "after",
      "\nExit codes: 0 nothing found, 1 findings, 2 the command itself was wrong, or a file cannot be read.",
    )
    .action(run);
}

async function run(paths: string[], options: Options): Promise<void> {
  if (options.rules) {
    process.stdout.write(await rulesPage());
    return;
  }
  const wanted = new Set(paths.flatMap(migrationsAt));
  // A migration is checked with what those before it have made, asked for or not.
  const files = [...new Set([...wanted].map(dirname))].map((folder) => migrationsAt(folder));
  const findings: Finding[] = [];
  for (const folder of files) {
    const found = await lint(folder.map((file) => ({ file, sql: readFileSync(file, "utf8") })));
    findings.push(...found.filter(({ file }) => wanted.has(file)));
  }
  const text = show(findings, wanted.size, options.json ? "json" : options.format);
  if (text !== "") console.log(text);
  process.exitCode = findings.length === 0 ? exitCodes.clean : exitCodes.findings;
}

function show(findings: Finding[], files: number, format: Options["format"]): string {
  if (format === "json") return formatAsJson(findings, files);
  if (format === "github") return formatForGithub(findings);
  const style = (name: "bold" | "dim") => (text: string) => styleText(name, text, { stream: process.stdout });
  return formatForPeople(findings, files, { bold: style("bold"), dim: style("dim") });
}

/** The file itself, or a folder's migrations in the order of their ids. */
function migrationsAt(path: string): string[] {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry?.isFile() === true && path.endsWith(".sql")) return [normalize(path)];
  if (entry?.isDirectory() !== true) {
    throw new UserError({
      code: "BG-PATH-NOT-FOUND",
      what: `${JSON.stringify(path)} was refused`,
      rule: entry === undefined ? "there is no such file or folder" : "a migration's name ends in .sql",
      next: `${bluegreen} lint migrations/`,
    });
  }
  return readdirSync(path)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => normalize(join(path, file)));
}
