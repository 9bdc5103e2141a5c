import { Command } from "commander";
import { renameCommand } from "./migrationsRename";

/** All that is about the files in migrations/. */
export function migrationsCommand(): Command {
  return new Command("migrations").description("Writes migrations, and tells about them.").addCommand(renameCommand());
}
