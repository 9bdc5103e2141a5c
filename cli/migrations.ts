import { Command } from "commander";
import { renameCommand } from "./migrationsRename";
import { statusCommand } from "./migrationsStatus";

/** All that is about the files in migrations/. */
export function migrationsCommand(): Command {
  return new Command("migrations")
    .description("Writes migrations, and tells about them.")
    .addCommand(statusCommand())
    .addCommand(renameCommand());
}
