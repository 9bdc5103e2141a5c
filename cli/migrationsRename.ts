import { statSync } from "node:fs";
import { Command } from "commander";
import { renameColumn } from "@bluegreen/release/migrations/rename/rename";
import { writeFiles } from "@bluegreen/release/migrations/rename/files";
import { UserError } from "@bluegreen/release/util/userError";
import { bluegreen } from "@bluegreen/release/util/bluegreenCommand";

interface Options {
  folder: string;
  type?: string;
  dryRun: boolean;
}

const help = `
Names are read as in SQL: quote one with capitals, for example 'app."Users"."eMail"'.

Example:
  ${bluegreen} migrations rename users.name full_name
writes the files of three phases: a second column that a trigger keeps equal to the first, in both
directions (expand); the copy of the rows from before, in batches (backfill); and, for when no version
uses the old name any more, the drop of trigger and old column (contract).

What the trigger cannot do: COPY without a list of columns, and code that counts on the columns of
SELECT *, meet a new column, as with every ADD COLUMN. The backfill is an UPDATE: other triggers see it.

Exit codes: 0 written or shown, 2 refused, or the command itself was wrong.`;

export function renameCommand(): Command {
  return new Command("rename")
    .description("Writes the migrations of a column's rename that two live versions survive.")
    .argument("<column>", "TABLE.COLUMN or SCHEMA.TABLE.COLUMN")
    .argument("<new-name>", "of the column")
    .option("--folder <folder>", "the migrations", "migrations")
    .option("--type <type>", "of the column, where the migrations do not say it")
    .option("--dry-run", "show the files and write nothing", false)
    .addHelpText("after", help)
    .action(run);
}

async function run(column: string, newName: string, { folder, type, dryRun }: Options): Promise<void> {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UserError({
      code: "BG-PATH-NOT-FOUND",
      what: `--folder ${JSON.stringify(folder)} was refused`,
      rule: "there is no such folder",
      next: `${bluegreen} migrations rename TABLE.COLUMN NEW_NAME --folder migrations`,
    });
  }
  const { files, byHand } = await renameColumn({ folder, column, newName, type });
  if (dryRun) for (const { file, sql } of files) console.log(`==> ${folder}/${file} <==\n${sql}`);
  else
    console.log(
      writeFiles(folder, files)
        .map((path) => `wrote ${path}`)
        .join("\n"),
    );
  if (byHand.length > 0) console.log(["", "By hand:", ...byHand.map((line) => `  ${line}`)].join("\n"));
  if (!dryRun) console.log(`\nNext: read them, then ${bluegreen} lint ${folder}`);
}
